import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ask, startProxy } from "./proxies.ts";
import {
  bearer,
  expectFlat,
  KINDS,
  needProxy,
  openProxyStage,
  type ProxyStage,
  UNKNOWN,
} from "./proxies-stage.ts";
import { freePort } from "./real-server.ts";

let stage: ProxyStage;
let folder: ProxyStage["folder"];
let tap: ProxyStage["tap"];

beforeAll(async () => {
  stage = await openProxyStage();
  ({ folder, tap } = stage);
});

afterAll(() => stage?.close());

describe.each(KINDS)("%s", (kind) => {
  beforeEach((context) => {
    needProxy(kind, context);
    tap.take();
  });

  test("what is neither an accept nor a refusal is never an accept, and says so in JSON", async () => {
    const latchkey = await startStub();
    const closedPort = await freePort();
    const ports = { latchkey: latchkey.port, api: tap.port };
    const other = await startProxy(kind, ports, join(folder.path, `${kind}-stub`));
    const alone = await startProxy(
      kind,
      { latchkey: latchkey.port, api: closedPort },
      join(folder.path, `${kind}-alone`),
    );
    try {
      const body = JSON.stringify({
        code: "verification_unavailable",
        message: "The key could not be verified.",
        status: 503,
        type: "api_error",
        request_id: "req_000000000000000000000000",
      });
      latchkey.answer(503, body, {
        "Content-Type": "application/json",
        "Retry-After": "1",
        "X-Request-Id": "req_000000000000000000000000",
        "X-Latchkey-Code": "verification_unavailable",
      });
      const undecided = await ask(`${other.url}/notes`, { headers: bearer(UNKNOWN) });
      expectFlat(undecided, 503, "verification_unavailable");
      expect(undecided.headers["x-request-id"]).toBe("req_000000000000000000000000");
      for (const status of [302, 304, 400, 404, 405, 422, 429, 431, 500, 502]) {
        latchkey.answer(status, "", { Location: "/public/notes", "X-Latchkey-Account-Id": "acc" });
        const { status: seen } = await ask(`${other.url}/notes`, { headers: bearer(UNKNOWN) });
        expect(seen, `${status}`).toBeGreaterThanOrEqual(300);
      }
      expect(tap.take()).toBe("");
      latchkey.answer(200, "", { "X-Latchkey-Account-Id": "acc" });
      const down = await ask(`${alone.url}/notes`, { headers: bearer(UNKNOWN) });
      expect(down.status).toBe(502); // the API is down: that is not Latchkey's to explain
      expect(down.body).not.toContain("verification_unavailable");
    } finally {
      await other.end();
      await alone.end();
      await latchkey.close();
    }
  });

  test("Latchkey is asked on kept connections, whatever it says, without method, cookies and body of the caller", async () => {
    const latchkey = await startStub();
    const ports = { latchkey: latchkey.port, api: tap.port };
    const other = await startProxy(kind, ports, join(folder.path, `${kind}-kept`));
    try {
      const before = latchkey.connections();
      for (let turn = 0; turn < 30; turn += 1) {
        if (turn % 3 === 0) latchkey.answer(200, "", { "Content-Length": "0" });
        else if (turn % 3 === 1) latchkey.answer(401, "{}", { "Content-Length": "2" });
        else latchkey.answer(503, "{}", { "Content-Length": "2" });
        await ask(`${other.url}/notes`, {
          method: "POST",
          headers: [...bearer(UNKNOWN), "Cookie", "session=secret"],
          body: "x".repeat(100_000),
        });
      }
      const seen = latchkey.seen().slice(-30);
      expect(seen).toHaveLength(30);
      for (const { method, url, headers, bytes } of seen) {
        expect(["GET", "HEAD"]).toContain(method);
        expect([url, bytes]).toEqual(["/v1/authenticate?type=secret", 0]);
        expect(headers.authorization).toBe(`Bearer ${UNKNOWN}`);
        expect(headers.cookie).toBeUndefined();
      }
      expect(latchkey.connections() - before).toBeLessThanOrEqual(2);
    } finally {
      await other.end();
      await latchkey.close();
    }
  });
});

/** Something in Latchkey's place that says what it is told to say. */
async function startStub() {
  const seen: {
    method: string | undefined;
    url: string | undefined;
    headers: Record<string, unknown>;
    bytes: number;
  }[] = [];
  let connections = 0;
  let answer = { status: 401, body: "", headers: {} as Record<string, string> };
  const stub: Server = createServer((req, res) => {
    const { method, url, headers } = req;
    let bytes = 0;
    req.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    req.on("end", () => {
      seen.push({ method, url, headers, bytes });
      res.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  stub.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => stub.listen(0, "127.0.0.1", resolve));
  const address = stub.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return {
    port: address.port,
    answer(status: number, body: string, headers: Record<string, string>) {
      answer = { status, body, headers };
    },
    seen: () => seen,
    connections: () => connections,
    close() {
      stub.closeAllConnections();
      return new Promise<void>((resolve) => stub.close(() => resolve()));
    },
  };
}
