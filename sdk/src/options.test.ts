import { expect, test } from "vitest";
import { connectVerifier } from "./connect.ts";
import type { ConnectOptions } from "./options.ts";
import { parseOptions } from "./options.ts";
import { tokenChecksum } from "./token.ts";

const tokenOf = (prefix: string): string => {
  const body = `${prefix}_${"Z".repeat(30)}`;
  return body + tokenChecksum(body);
};
const token = tokenOf("vt");
const url = "https://keys.example.com";

test.each<[string, unknown, string]>([
  ["no token", { url }, "token"],
  ["an undefined token", { url, token: undefined }, "token"],
  ["an empty token", { url, token: "" }, "token"],
  ["a token that is no string", { url, token: 7 }, "token"],
  ["a mistyped token", { url, token: `${token.slice(0, -1)}_` }, "token"],
  ["a token and a line break", { url, token: `${token}\n` }, "token"],
  ["an API key", { url, token: tokenOf("sk") }, "token"],
  ["a service token", { url, token: tokenOf("st") }, "token"],
  ["a whole header", { url, token: `Bearer ${token}` }, "token"],
  ["no address", { token }, "url"],
  ["url and urls", { token, url, urls: [url] }, "url"],
  ["an empty url", { token, url: "" }, "url"],
  ["a url that is none", { token, url: "keys.example.com" }, "url"],
  ["a url of another scheme", { token, url: "wss://keys.example.com" }, "url"],
  ["a file", { token, url: "file:///etc" }, "url"],
  ["http on the network", { token, url: "http://keys.example.com" }, "url"],
  ["http to a private address", { token, url: "http://10.0.0.7:4400" }, "url"],
  ["http to any address", { token, url: "http://0.0.0.0:4400" }, "url"],
  ["http to what begins like loopback", { token, url: "http://127.0.0.1.example.com" }, "url"],
  ["http to a name below localhost", { token, url: "http://keys.localhost" }, "url"],
  ["http to IPv6", { token, url: "http://[2001:db8::1]" }, "url"],
  ["a path", { token, url: `${url}/latchkey` }, "url"],
  ["a query", { token, url: `${url}/?a=b` }, "url"],
  ["a fragment", { token, url: `${url}/#a` }, "url"],
  ["a user", { token, url: "https://user@keys.example.com" }, "url"],
  ["a password", { token, url: "https://:secret@keys.example.com" }, "url"],
  ["a url that is no string", { token, url: 7 }, "url"],
  ["no urls", { token, urls: [] }, "urls"],
  ["urls that are one string", { token, urls: url }, "urls"],
  ["33 urls", { token, urls: Array.from({ length: 33 }, () => url) }, "urls"],
  ["one wrong url of two", { token, urls: [url, "http://keys.example.com"] }, "urls"],
  ["a hole in urls", { token, urls: [url, undefined] }, "urls"],
  ["no time to connect", { token, url, connectTimeoutMs: 0 }, "connectTimeoutMs"],
  ["less than no time", { token, url, connectTimeoutMs: -1 }, "connectTimeoutMs"],
  ["NaN", { token, url, connectTimeoutMs: Number.NaN }, "connectTimeoutMs"],
  ["for ever", { token, url, connectTimeoutMs: Number.POSITIVE_INFINITY }, "connectTimeoutMs"],
  ["longer than timers can", { token, url, connectTimeoutMs: 2 ** 31 }, "connectTimeoutMs"],
  ["a time in words", { token, url, connectTimeoutMs: "10 s" }, "connectTimeoutMs"],
  ["no keys", { token, url, keysMax: 0 }, "keysMax"],
  ["half a key", { token, url, keysMax: 2.5 }, "keysMax"],
  ["more keys than a map holds", { token, url, keysMax: 2 ** 25 }, "keysMax"],
  ["keys in words", { token, url, keysMax: "many" }, "keysMax"],
])("%s is refused by the name of the option, and nothing is connected", async (_, given, field) => {
  const options = given as ConnectOptions;
  const failure = await connectVerifier(options).then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: "invalid_params", errors: [{ field }] });
  expect(String(failure)).toContain(`connectVerifier: ${field}: `);
  for (const secret of [token, tokenOf("sk"), tokenOf("st"), "Z".repeat(8), ":secret"])
    expect(JSON.stringify(failure) + String(failure)).not.toContain(secret);
});

test.each([
  ["https://keys.example.com", "https://keys.example.com"],
  ["https://keys.example.com:8443/", "https://keys.example.com:8443"],
  ["HTTPS://Keys.Example.com", "https://keys.example.com"],
  ["http://localhost:4400", "http://localhost:4400"],
  ["http://127.0.0.1:4400/", "http://127.0.0.1:4400"],
  ["http://127.8.8.8", "http://127.8.8.8"],
  ["http://[::1]:4400", "http://[::1]:4400"],
])("%s is where a verifier may connect", (given, origin) => {
  expect(parseOptions({ url: given, token }).urls).toEqual([origin]);
  expect(parseOptions({ urls: [given, url], token }).urls).toEqual([origin, url]);
});

test("what is not given, or undefined, is as documented", () => {
  expect(parseOptions({ url, token, keysMax: undefined, urls: undefined })).toEqual({
    urls: [url],
    token,
    connectTimeoutMs: 10_000,
    keysMax: 100_000,
  });
});
