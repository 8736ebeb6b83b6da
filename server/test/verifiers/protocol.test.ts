import { FRAME_BOUNDS, tokenChecksum } from "@latchkey/sdk/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FRONT_BOUNDS } from "../../src/http/front.ts";
import { waitFor } from "../child.ts";
import { bearer, type HostileStage, handshake, openHostileStage } from "./hostile-stage.ts";
import {
  exchange,
  HANDSHAKE,
  maskedText,
  openRaw,
  openVerifier,
  parseAnswer,
  requestText,
} from "./raw.ts";
import { CALLER, count, NONE, REFUSAL, usage } from "./usage-frames.ts";

let stage: HostileStage;
let service: HostileStage["service"];
let token: string;
let secretKey: string;
let othersAreServed: HostileStage["othersAreServed"];
beforeAll(async () => {
  stage = await openHostileStage();
  ({ service, token, secretKey, othersAreServed } = stage);
});
beforeEach(() => stage.nothingIsLeft());
afterAll(() => stage?.close());

const wellFormed = (prefix: string): string => {
  const body = `${prefix}_${"0".repeat(30)}`;
  return body + tokenChecksum(body);
};

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
});

test("the log tells who broke the protocol, and no token", () => {
  expect(service.logged()).toContain("a verifier broke the protocol");
  expect(service.logged()).not.toContain(token);
  expect(service.logged()).not.toContain(secretKey);
});
