import { expect, test } from "vitest";
import { isOwnOrigin, ownOriginRule } from "./origin.ts";

const loopback = ownOriginRule(null);
const behind = ownOriginRule("https://keys.example.com");
const from = (headers: Record<string, string>) => new Headers(headers);

test.each([
  ["127.0.0.1:4400", "http://127.0.0.1:4400"],
  ["localhost:4400", "http://localhost:4400"],
  ["LOCALHOST:4400", "http://localhost:4400"],
  ["[::1]:4400", "http://[::1]:4400"],
  ["localhost", "http://localhost"],
])("on loopback a request to %s has the origin %s", (host, origin) => {
  expect(loopback(from({ Host: host }))).toBe(origin);
});

test.each([
  "evil.example:4400",
  "127.0.0.1.evil.example",
  "localhost.evil.example:4400",
  "10.0.0.1:4400",
  "0.0.0.0:4400",
  "127.0.0.1:4400@evil.example",
  "127.0.0.1/evil",
  "",
])("a request to %s, as after DNS rebinding, has no origin of ours", (host) => {
  expect(loopback(from({ Host: host, Origin: `http://${host}` }))).toBeNull();
  expect(isOwnOrigin(from({ Host: host, Origin: `http://${host}` }), loopback)).toBe(false);
});

test("with a public URL its origin counts, whatever Host says", () => {
  expect(behind(from({ Host: "127.0.0.1:4400" }))).toBe("https://keys.example.com");
  expect(isOwnOrigin(from({ Origin: "https://keys.example.com" }), behind)).toBe(true);
});

test.each(["null", "https://keys.example.com.evil.example", "http://keys.example.com"])(
  "Origin %s is not ours",
  (origin) => expect(isOwnOrigin(from({ Origin: origin }), behind)).toBe(false),
);

test("a request without Origin is not from a page of ours", () => {
  expect(isOwnOrigin(from({ Host: "localhost:4400" }), loopback)).toBe(false);
});
