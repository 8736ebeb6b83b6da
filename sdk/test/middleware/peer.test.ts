import { expect, test } from "vitest";
import { peerAddress } from "../../src/middleware/peer.ts";

const REQUEST = new Request("https://api.example.com/");

test.each<[string, unknown, string | undefined]>([
  ["Deno", { remoteAddr: { hostname: "192.0.2.1", port: 1, transport: "tcp" } }, "192.0.2.1"],
  ["Bun", { requestIP: () => ({ address: "2001:db8::1", port: 1 }) }, "2001:db8::1"],
  ["Bun, of a connection that is gone", { requestIP: () => null }, undefined],
  ["Hono on Node", { incoming: { socket: { remoteAddress: "192.0.2.3" } } }, "192.0.2.3"],
  ["Hono on Node, of a closed socket", { incoming: { socket: {} } }, undefined],
  ["a worker's environment", { REMOTE: "192.0.2.4" }, undefined],
  ["nothing", undefined, undefined],
  ["null", null, undefined],
  ["a number for an address", { remoteAddr: { hostname: 1 } }, undefined],
  [
    "something that throws",
    {
      requestIP: () => {
        throw new Error("not here");
      },
    },
    undefined,
  ],
  [
    "something that has no such property, and says so",
    new Proxy(
      {},
      {
        get(_, name) {
          throw new Error(`no ${String(name)}`);
        },
      },
    ),
    undefined,
  ],
  ["something that only looks like it", { requestIP: "192.0.2.5" }, undefined],
])("the address as %s tells it", (_, passed, address) => {
  expect(peerAddress(passed, REQUEST)).toBe(address);
});
