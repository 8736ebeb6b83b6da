import { createClient } from "@latchkey/sdk/client";
import { FRAME_BOUNDS, tokenChecksum } from "@latchkey/sdk/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FRONT_BOUNDS } from "../../src/http/front.ts";
import { waitFor } from "../child.ts";
import { freePort } from "../real-server.ts";
import { startTestService } from "../service.ts";
import { exchange, HANDSHAKE, openRaw, openVerifier, parseAnswer, requestText } from "./raw.ts";
import { CALLER, count, NONE, REFUSAL, usage } from "./usage-frames.ts";

const LEASE_SECONDS = 1;

/** Long enough for what was granted to be waited out, on a busy machine. */
const GONE_WITHIN_MS = 8_000;

let service: Awaited<ReturnType<typeof startTestService>>;
let metricsUrl: string;
let token: string;
let secretKey: string;
beforeAll(async () => {
  const port = await freePort();
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  service = await startTestService({
    LATCHKEY_LEASE_SECONDS: String(LEASE_SECONDS),
    LATCHKEY_METRICS_PORT: String(port),
  });
  token = service.provisioned.verifier_token ?? "";
  secretKey = service.provisioned.environments[0]?.secret_key ?? "";
});
beforeEach(nothingIsLeft);
afterAll(async () => {
  await nothingIsLeft();
  await service.close();
});

async function below(): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return Number(/^latchkey_verifiers_below (\d+)$/m.exec(text)?.[1]);
}

function nothingIsLeft(): Promise<true> {
  return waitFor("every session to be gone", async () => (await below()) === 0 || undefined, {
    withinMs: GONE_WITHIN_MS,
  });
}

/** Others are served: a key over HTTP, and a verifier of its own from welcome to grant and answer. */
async function othersAreServed(): Promise<void> {
  const headers = { Authorization: `Bearer ${secretKey}` };
  const { status } = await fetch(`${service.url}/v1/authenticate`, { headers });
  expect(status).toBe(200);
  const honest = await openVerifier(service.url, token);
  honest.send({ type: "ask", ask: 1 });
  honest.send({ type: "look", look: 1, digests: ["A".repeat(43)] });
  await waitFor("an honest verifier to be served", () => {
    return (honest.of("grant").length > 0 && honest.of("found").length > 0) || undefined;
  });
  honest.send({ type: "release" });
  expect(await honest.closed).toBe(1005);
}

const wellFormed = (prefix: string): string => {
  const body = `${prefix}_${"0".repeat(30)}`;
  return body + tokenChecksum(body);
};
const bearer = (credentials: string) => ["Authorization", `Bearer ${credentials}`];
const handshake = (headers: readonly (readonly string[])[], without: readonly string[] = []) =>
  requestText("GET /v1/verifier", [
    ...Object.entries(HANDSHAKE).filter(([name]) => !without.includes(name)),
    ...headers,
  ]);

describe("a handshake that is refused", () => {
  test.each<[string, () => string, number, string]>([
    ["without credentials", () => handshake([]), 401, "authentication_required"],
    [
      "with another scheme",
      () => handshake([["Authorization", "Basic YTpi"]]),
      401,
      "authentication_required",
    ],
    [
      "with a service token",
      () => handshake([bearer(service.provisioned.service_token)]),
      401,
      "incorrect_token_type",
    ],
    [
      "with an operator token",
      () => handshake([bearer(service.provisioned.operator_token ?? "")]),
      401,
      "incorrect_token_type",
    ],
    ["with an API key", () => handshake([bearer(secretKey)]), 401, "incorrect_token_type"],
    [
      "with a malformed token",
      () => handshake([bearer(`${token.slice(0, -1)}!`)]),
      401,
      "invalid_token",
    ],
    [
      "with a token that nobody has",
      () => handshake([bearer(wellFormed("vt"))]),
      401,
      "invalid_token",
    ],
    [
      "from a page, even its own",
      () =>
        handshake([
          ["Origin", service.url],
          ["Authorization", `Bearer ${token}`],
        ]),
      403,
      "access_denied",
    ],
    [
      "from a page without an origin",
      () => handshake([["Origin", "null"], bearer(token)]),
      403,
      "access_denied",
    ],
    ["with a cookie", () => handshake([["Cookie", "a=b"], bearer(token)]), 403, "access_denied"],
    [
      "with two Authorization headers",
      () => handshake([bearer(token), bearer(token)]),
      400,
      "invalid_request",
    ],
    [
      "without the subprotocol",
      () => handshake([bearer(token)], ["Sec-WebSocket-Protocol"]),
      400,
      "invalid_request",
    ],
    [
      "with another subprotocol",
      () =>
        handshake(
          [bearer(token), ["Sec-WebSocket-Protocol", "latchkey.v2, xlatchkey.v1"]],
          ["Sec-WebSocket-Protocol"],
        ),
      400,
      "invalid_request",
    ],
    [
      "without a key",
      () => handshake([bearer(token)], ["Sec-WebSocket-Key"]),
      400,
      "invalid_request",
    ],
    [
      "with a key of another length",
      () => handshake([bearer(token), ["Sec-WebSocket-Key", "AAAA=="]], ["Sec-WebSocket-Key"]),
      400,
      "invalid_request",
    ],
    [
      "of another version",
      () => handshake([bearer(token), ["Sec-WebSocket-Version", "8"]], ["Sec-WebSocket-Version"]),
      400,
      "invalid_request",
    ],
  ])("%s says why, and ends", async (_, request, status, code) => {
    const answer = await exchange(service.url, request());
    expect(answer.status, answer.body).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({
      code,
      status,
      type: status === 401 || status === 403 ? "authentication_error" : "invalid_request_error",
      message: expect.any(String),
      request_id: answer.headers["x-request-id"],
    });
    expect(answer.headers["x-request-id"]).toMatch(/^req_\w{20,}$/);
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers.connection).toBe("close");
    expect(answer.body).not.toContain(token);
    await othersAreServed();
  });

  test("is gone in a moment, though the caller never closes its end", async () => {
    const raw = await openRaw(service.url);
    raw.send(handshake([]));
    await raw.ended;
    const endedMs = performance.now();
    await waitFor("a write to find nobody", () => {
      raw.send("x");
      return raw.socket.destroyed || undefined;
    });
    expect(performance.now() - endedMs).toBeLessThan(FRONT_BOUNDS.lingerMs + 2_000);
    expect(parseAnswer(raw.text()).status).toBe(401);
  });

  test("is refused from the moment on that its token was deleted, and the session of before is ended", async () => {
    const made = await operatorCall("POST", "/v1/tokens", { kind: "verifier", name: "doomed" });
    expect(made.token).toMatch(/^vt_/);
    const session = await openVerifier(service.url, made.token);
    session.send({ type: "ask", ask: 1 });
    await waitFor("a grant", () => session.of("grant")[0]);
    const deleted = operatorCall("DELETE", `/v1/tokens/${made.id}`);
    await waitFor("to be told", () => session.of("leaving")[0]);
    session.send({ type: "release" });
    expect((await deleted).revocation).toMatchObject({ state: "effective", lapsed: 0 });
    await session.closed;
    const answer = await exchange(service.url, handshake([bearer(made.token)]));
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([401, "invalid_token"]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what a server says is for the test to judge
async function operatorCall(method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(service.url + path, {
    method,
    headers: {
      Authorization: `Bearer ${service.provisioned.operator_token}`,
      "Content-Type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

describe("a request that is no WebSocket of this path", () => {
  const plain = (method: string, headers: Record<string, string> = {}) =>
    fetch(`${service.url}/v1/verifier`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...headers },
    });

  test("is told to upgrade", async () => {
    const response = await plain("GET");
    expect(response.status).toBe(426);
    expect(response.headers.get("Upgrade")).toBe("websocket");
    expect(await response.json()).toMatchObject({ code: "upgrade_required", status: 426 });
  });

  test("of another method is not allowed, upgrade or not", async () => {
    const response = await plain("POST");
    expect(response.status).toBe(405);
    expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
    const upgrade = requestText("POST /v1/verifier", [
      ...Object.entries({ ...HANDSHAKE, Connection: "Upgrade, close", "Content-Length": "0" }),
      bearer(token),
    ]);
    const answer = await exchange(service.url, upgrade);
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([405, "method_not_allowed"]);
  });

  test("of another path is served as if it had offered nothing", async () => {
    const headers = { ...HANDSHAKE, Connection: "Upgrade, close" };
    const request = requestText("GET /healthz", Object.entries(headers));
    expect((await exchange(service.url, request)).status).toBe(200);
    const nowhere = requestText("GET /v1/verifiers", Object.entries(headers));
    expect((await exchange(service.url, nowhere)).status).toBe(404);
  });

  const OFFER = { Host: "127.0.0.1", Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c" };

  test("keeps its body and its connection when it offers HTTP/2, as Java's client does each time", async () => {
    const body = JSON.stringify({ type: "secret", description: "made in Java" });
    const raw = await openRaw(service.url);
    for (let each = 1; each <= 20; each++) {
      const create = requestText(
        "POST /v1/api_keys?environment=development",
        Object.entries({
          ...OFFER,
          Authorization: `Bearer ${service.provisioned.service_token}`,
          "Content-Type": "application/json",
          "Content-Length": String(body.length),
        }),
      );
      raw.send(create + body.slice(0, 5)); // the rest comes later
      raw.send(body.slice(5));
      await waitFor(
        "the answer",
        () => raw.text().split("HTTP/1.1 201").length > each || undefined,
      );
    }
    expect(raw.text().match(/"description":"made in Java"/g)).toHaveLength(20);
    raw.socket.destroy();
  });

  test("is answered on the hot route whatever it offers, several on one connection", async () => {
    const raw = await openRaw(service.url);
    const request = requestText("GET /v1/authenticate", [
      ...Object.entries(OFFER),
      bearer(secretKey),
    ]);
    for (let each = 1; each <= 5; each++) {
      raw.send(request);
      await waitFor(
        "the answer",
        () => raw.text().split("HTTP/1.1 200").length > each || undefined,
      );
    }
    raw.socket.destroy();
  });
});

describe("a session", () => {
  const frame = (fields: object) => JSON.stringify({ n: 1, ...fields });
  const digests = (count: number) => Array.from({ length: count }, () => "A".repeat(43));
  const nested = `{"n":1,"type":"ask","ask":${"[".repeat(60_000)}${"]".repeat(60_000)}}`;

  test.each<[string, string | Buffer]>([
    ["binary", Buffer.from(frame({ type: "ask", ask: 1 }))],
    ["not JSON", "ask"],
    ["empty", ""],
    ["a list", "[1]"],
    ["null", "null"],
    ["a number", "1"],
    ["numbered from 0", JSON.stringify({ n: 0, type: "ask", ask: 1 })],
    ["numbered from 2", JSON.stringify({ n: 2, type: "ask", ask: 1 })],
    ["numbered in words", JSON.stringify({ n: "1", type: "ask", ask: 1 })],
    ["not numbered", JSON.stringify({ type: "ask", ask: 1 })],
    ["of an unknown type", frame({ type: "grant", ask: 1, ms: 60_000 })],
    ["of no type", frame({})],
    ["of a type that every object has", frame({ type: "constructor" })],
    ["an ask without a number", frame({ type: "ask" })],
    ["an ask of less than nothing", frame({ type: "ask", ask: -1 })],
    ["an ask of a fraction", frame({ type: "ask", ask: 1.5 })],
    ["an ask of a huge number", '{"n":1,"type":"ask","ask":1e308}'],
    ["an ask of a number past the safe ones", '{"n":1,"type":"ask","ask":9007199254740993}'],
    ["very deep", nested],
    ["a look of no digests", frame({ type: "look", look: 1, digests: [] })],
    ["a look of 501 digests", frame({ type: "look", look: 1, digests: digests(501) })],
    ["a look of a token", frame({ type: "look", look: 1, digests: [wellFormed("sk")] })],
    ["a look of a long digest", frame({ type: "look", look: 1, digests: ["A".repeat(44)] })],
    ["a look of a number", frame({ type: "look", look: 1, digests: [1] })],
    ["a look of one digest", frame({ type: "look", look: 1, digests: "A".repeat(43) })],
    ["usage of nothing", frame(usage({}))],
    ["usage of 1,001 keys", frame(usage({ counts: Array(1_001).fill(count()) }))],
    ["usage with more than it should hold", frame(usage({ counts: [{ ...count(), revoked: 1 }] }))],
    ["usage of a long id", frame(usage({ counts: [{ ...count(), keyId: "k".repeat(65) }] }))],
    ["usage of an id with a NUL", frame(usage({ counts: [{ ...count(), keyId: "k\0" }] }))],
    [
      "a refusal with a NUL in its wall",
      frame(usage({ refusals: [{ ...REFUSAL, environment: "a\0" }] })),
    ],
    ["usage of half a minute", frame(usage({ counts: [{ ...count(), minuteMs: 30_000 }] }))],
    ["usage of no number", frame({ ...usage({ counts: [count()] }), batch: { counts: [] } })],
    ["usage of nobody", frame({ ...usage({ counts: [count()] }), source: "" })],
    [
      "usage that takes away",
      frame(usage({ counts: [{ ...count(), counts: { ...NONE, accepted: -1 } }] })),
    ],
    [
      "usage of another outcome",
      frame(usage({ counts: [{ ...count(), counts: { ...NONE, ok: 1 } }] })),
    ],
    [
      "a caller with markup for an address",
      frame(usage({ callers: [{ ...CALLER, address: "<b>" }] })),
    ],
    [
      "a caller with a control character",
      frame(usage({ callers: [{ ...CALLER, userAgent: "a\n" }] })),
    ],
    ["251 callers", frame(usage({ callers: Array(251).fill(CALLER) }))],
    [
      "a refusal of no known reason",
      frame(usage({ refusals: [{ ...REFUSAL, reason: "because" }] })),
    ],
    [
      "a refusal with a space in its id",
      frame(usage({ refusals: [{ ...REFUSAL, requestId: "a b" }] })),
    ],
    ["51 refusals", frame(usage({ refusals: Array(51).fill(REFUSAL) }))],
  ])("whose first frame is %s is closed", async (_, data) => {
    const bad = await openVerifier(service.url, token);
    await waitFor("the welcome", () => bad.of("welcome")[0]);
    bad.socket.send(data);
    expect(await bad.closed).toBe(1008);
    expect(bad.of("grant")).toEqual([]);
    await othersAreServed();
  });

  test("that repeats a number is closed, and one that goes on as it should is not", async () => {
    const bad = await openVerifier(service.url, token);
    bad.send({ type: "ask", ask: 1 });
    bad.send({ type: "ask", ask: 2 });
    await waitFor("two grants", () => bad.of("grant")[1]);
    bad.socket.send(JSON.stringify({ n: 2, type: "ask", ask: 3 }));
    expect(await bad.closed).toBe(1008);
    expect(bad.of("grant")).toHaveLength(2);
  });

  test("that sends more than a frame may hold is closed before it is read", async () => {
    const bad = await openVerifier(service.url, token);
    bad.socket.send(" ".repeat(FRAME_BOUNDS.upBytesMax + 1));
    expect(await bad.closed).toBe(1009);
    const most = await openVerifier(service.url, token);
    const ask = JSON.stringify({ n: 1, type: "ask", ask: 1 });
    most.socket.send(ask + " ".repeat(FRAME_BOUNDS.upBytesMax - ask.length));
    await waitFor("a grant", () => most.of("grant")[0]);
    most.socket.terminate();
  });

  test.each([
    ["of what was never sent", 1_000_000],
    ["of the past", 0],
  ])("that acknowledges %s is ended", async (_, seq) => {
    const bad = await openVerifier(service.url, token);
    bad.send({ type: "ask", ask: 1 });
    bad.send({ type: "ack", seq });
    await bad.closed;
    await othersAreServed();
  });

  test("that floods with looks is ended, and the next verifier is served", async () => {
    const bad = await openVerifier(service.url, token);
    for (let look = 1; look <= 2_000; look++)
      bad.send({ type: "look", look, digests: [String(look).padStart(43, "A")] });
    await bad.closed;
    await othersAreServed();
  });

  test("that floods with reports is ended", async () => {
    const bad = await openVerifier(service.url, token);
    for (let number = 1; number <= 2_000; number++)
      bad.send(usage({ number, counts: [count(`key_${number}`)] }));
    await bad.closed;
    await othersAreServed();
  });

  test("that floods with asks is answered each, while others are served", async () => {
    const bad = await openVerifier(service.url, token);
    for (let ask = 1; ask <= 20_000; ask++) bad.send({ type: "ask", ask });
    await othersAreServed();
    await waitFor("every answer", () => bad.of("grant").length === 20_000 || undefined);
    bad.socket.terminate();
  });

  test("that never reads is ended before it fills the memory", async () => {
    const raw = await openRaw(service.url);
    raw.send(handshake([bearer(token)]));
    await waitFor("the welcome", () => raw.text().includes("welcome") || undefined);
    raw.socket.pause();
    const before = heapAfterCollection();
    let ask = 0;
    const flood = (): void => {
      if (raw.socket.destroyed) return;
      let room = true;
      while (room && ask < 2_000_000) {
        ask += 1;
        room = raw.socket.write(maskedText(JSON.stringify({ n: ask, type: "ask", ask })));
      }
      if (!room) raw.socket.once("drain", flood);
    };
    flood();
    let most = 0;
    await waitFor(
      "the connection to be ended",
      async () => {
        most = Math.max(most, process.memoryUsage().external + process.memoryUsage().heapUsed);
        return raw.socket.destroyed || (await below()) === 0 || undefined;
      },
      { withinMs: 18_000 },
    );
    raw.socket.destroy();
    expect(most - before).toBeLessThan(200 * 1024 * 1024);
    await othersAreServed();
  });

  test("is welcomed when its first frames come with the handshake itself", async () => {
    const raw = await openRaw(service.url);
    raw.send(
      handshake([bearer(token)]) +
        maskedText(JSON.stringify({ n: 1, type: "ask", ask: 7 })).toString("latin1"),
    );
    await waitFor("the grant", () => raw.text().includes('"type":"grant","ask":7') || undefined);
    raw.socket.destroy();
  });

  test("is never compressed, though it was offered", async () => {
    const offering = await openVerifier(service.url, token, { perMessageDeflate: true });
    expect(offering.socket.extensions).toBe("");
    offering.send({ type: "ask", ask: 1 });
    await waitFor("a grant", () => offering.of("grant")[0]);
    offering.socket.terminate();
  });

  test("that never says a word holds up nothing, and is gone after a lease", async () => {
    const silent = await openVerifier(service.url, token);
    await silent.closed;
    await othersAreServed();
  });

  test("whose clock is in another age makes no key used in the future", async () => {
    const client = createClient({ url: service.url, token: service.provisioned.service_token });
    const key = await client.apiKeys.create("production", { type: "secret" });
    const ahead = await openVerifier(service.url, token);
    const inTheFuture = Math.floor(Number.MAX_SAFE_INTEGER / 60_000) * 60_000;
    const counted = { ...count(key.id), minuteMs: inTheFuture, lastAcceptedMs: inTheFuture };
    ahead.send({ ...usage({ counts: [counted] }), source: "src_ahead" }); // not that of the test above
    await waitFor("it to be stored", () => ahead.of("stored")[0]);
    const { last_used_at } = await client.apiKeys.get(key.id);
    expect(Date.parse(last_used_at ?? "")).toBeLessThanOrEqual(Date.now());
    expect(Date.parse(last_used_at ?? "")).toBeGreaterThan(Date.now() - 60_000);
    ahead.socket.terminate();
  });
});

test("half a handshake costs a connection for as long as headers may take, and nothing else", async () => {
  const raw = await openRaw(service.url);
  raw.send(handshake([bearer(token)]).slice(0, 100));
  await othersAreServed();
  await raw.ended;
  raw.socket.destroy();
  expect(parseAnswer(raw.text()).status).toBe(408);
}, 60_000);

test("a hundred sessions that break off in every way leave nothing behind", async () => {
  const before = heapAfterCollection();
  for (let round = 0; round < 20; round++) {
    const sessions = await Promise.all(
      Array.from({ length: 5 }, () => openVerifier(service.url, token)),
    );
    for (const session of sessions) session.send({ type: "ask", ask: 1 });
    const [a, b, c, d, e] = sessions;
    a?.socket.terminate();
    b?.socket.close();
    c?.socket.send("[");
    d?.send({ type: "release" });
    e?.send({ type: "look", look: 1, digests: ["A".repeat(43)] });
    e?.socket.terminate();
    await Promise.all(sessions.map(({ closed }) => closed));
  }
  await nothingIsLeft();
  expect(heapAfterCollection() - before).toBeLessThan(20 * 1024 * 1024);
});

test("the log tells who broke the protocol, and no token", () => {
  expect(service.logged()).toContain("a verifier broke the protocol");
  expect(service.logged()).not.toContain(token);
  expect(service.logged()).not.toContain(secretKey);
});

function heapAfterCollection(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** A text frame as a client sends it, masked with zeros (RFC 6455, section 5.2). */
function maskedText(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error("a longer frame needs another header");
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
