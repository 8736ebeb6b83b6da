import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from "../../src/http/body.ts";
import { type Heard, openWorld, type Said, type World } from "./world.ts";

let world: World;
let keyId: string;
beforeAll(async () => {
  world = await openWorld();
  const { body } = await create({ type: "secret" });
  keyId = body.id;
});
afterAll(() => world.close());

const KEYS = "/v1/api_keys?environment=development";

function create(body: unknown): Promise<Heard> {
  return world.call(`POST ${KEYS}`, { token: world.acme.serviceToken, body });
}

function say(to: string, said: Said = {}): Promise<Heard> {
  return world.call(to, { token: world.acme.serviceToken, ...said });
}

function expectProblem(heard: Heard, status: number, code: string): void {
  expect(heard.body, heard.text).toMatchObject({ code, status, request_id: expect.any(String) });
  expect(heard.status).toBe(status);
  expect(Object.values(heard.body).some((value) => value === undefined)).toBe(false);
}

const nested = (depth: number): string => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);

describe("a body", () => {
  test.each<[string, Said, number, string]>([
    [
      "of another media type",
      { raw: "{}", headers: { "Content-Type": "text/plain" } },
      415,
      "unsupported_media_type",
    ],
    [
      "of a form",
      { raw: "type=secret", headers: { "Content-Type": "application/x-www-form-urlencoded" } },
      415,
      "unsupported_media_type",
    ],
    [
      "in another charset",
      { raw: "{}", headers: { "Content-Type": "application/json; charset=utf-16" } },
      415,
      "unsupported_media_type",
    ],
    [
      "with a type that only begins so",
      { raw: "{}", headers: { "Content-Type": "application/json-patch" } },
      415,
      "unsupported_media_type",
    ],
    [
      "without a type",
      { raw: bytes(123, 125), headers: { "Content-Type": "none" } },
      415,
      "unsupported_media_type",
    ],
    ["that is not JSON", { raw: "{type: secret}" }, 400, "invalid_request"],
    ["that is half", { raw: '{"type":"secr' }, 400, "invalid_request"],
    ["that is two", { raw: '{"type":"secret"}{}' }, 400, "invalid_request"],
    ["that is not UTF-8", { raw: bytes(123, 34, 0xff, 34, 58, 49, 125) }, 400, "invalid_request"],
    ["with an overlong encoding", { raw: bytes(34, 0xc0, 0x80, 34) }, 400, "invalid_request"],
    ["too deep", { raw: nested(BODY_DEPTH_MAX + 1) }, 400, "invalid_request"],
    ["very deep", { raw: "[".repeat(60_000) }, 400, "invalid_request"],
    ["very deep, and closed", { raw: nested(30_000) }, 400, "invalid_request"],
    ["deep, but not too deep", { raw: nested(BODY_DEPTH_MAX) }, 422, "invalid_params"],
    ["that is null", { raw: "null" }, 422, "invalid_params"],
    ["that is a list", { raw: "[]" }, 422, "invalid_params"],
    ["that is a string", { raw: '"type"' }, 422, "invalid_params"],
    ["of nothing", {}, 422, "invalid_params"],
    ["just too long", { raw: " ".repeat(BODY_BYTES_MAX + 1) }, 413, "payload_too_large"],
  ])("%s is refused", async (_, said, status, code) => {
    expectProblem(await say(`POST ${KEYS}`, said), status, code);
  });

  test("of the greatest length is read", async () => {
    const body = JSON.stringify({ type: "secret" }).padEnd(BODY_BYTES_MAX);
    expect((await say(`POST ${KEYS}`, { raw: body })).status).toBe(201);
  });

  test("without an end is not read to its end", async () => {
    let sentBytes = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sentBytes += 16_384;
        controller.enqueue(new Uint8Array(16_384).fill(32));
        if (sentBytes > 10_000_000) controller.close();
      },
      cancel() {
        cancelled = true;
      },
    });
    expectProblem(await say(`POST ${KEYS}`, { raw: endless }), 413, "payload_too_large");
    expect(sentBytes).toBeLessThan(BODY_BYTES_MAX * 3);
    expect(cancelled).toBe(true);
  });

  test("is not even looked at from somebody who may not", async () => {
    let pulled = 0;
    const raw = new ReadableStream(
      {
        pull() {
          pulled += 1;
        },
      },
      { highWaterMark: 0 },
    );
    const heard = await world.call(`POST ${KEYS}`, { raw });
    expectProblem(heard, 401, "authentication_required");
    expect(pulled).toBe(0);
  });
});

describe("a prototype", () => {
  test.each([
    '{"type":"secret","__proto__":{"expires_at":"2999-01-01T00:00:00Z"}}',
    '{"type":"secret","metadata":{"__proto__":"x"}}',
    '{"type":"secret","metadata":{"__proto__":{"polluted":"x"}}}',
    '{"__proto__":{"type":"secret"}}',
    '{"type":"secret","constructor":{"prototype":{"polluted":"x"}}}',
  ])("is not set by %s", async (raw) => {
    expectProblem(await say(`POST ${KEYS}`, { raw }), 422, "invalid_params");
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  test("has names that are ordinary names of metadata", async () => {
    const metadata = { constructor: "a", toString: "b", hasOwnProperty: "c", prototype: "d" };
    const created = await create({ type: "secret", metadata });
    expect(created.status).toBe(201);
    expect(created.body.metadata).toEqual(metadata);
    expect((await say(`GET /v1/api_keys/${created.body.id}`)).body.metadata).toEqual(metadata);
  });
});

describe("a wrong parameter is named", () => {
  const long = (characters: number) => "x".repeat(characters);
  test.each<[object, string]>([
    [{}, "type"],
    [{ type: "Secret" }, "type"],
    [{ type: "secret", expire_at: "2027-01-01T00:00:00Z" }, "expire_at"],
    [{ type: "secret", api_key: "sk_mine" }, "api_key"],
    [{ type: "secret", description: long(257) }, "description"],
    [{ type: "secret", description: "a\u0000b" }, "description"],
    [{ type: "secret", description: "a\nb" }, "description"],
    [{ type: "secret", description: "a\u0085b" }, "description"],
    [{ type: "secret", description: "\ud800" }, "description"],
    [{ type: "secret", description: null }, "description"],
    [{ type: "secret", expires_at: "2020-01-01T00:00:00Z" }, "expires_at"],
    [{ type: "secret", expires_at: "2026-01-31T09:30:00.123Z" }, "expires_at"],
    [{ type: "secret", expires_at: "2027-01-01T00:00:00" }, "expires_at"],
    [{ type: "secret", expires_at: "2027-01-01" }, "expires_at"],
    [{ type: "secret", expires_at: "2027-02-29T00:00:00Z" }, "expires_at"],
    [{ type: "secret", expires_at: "2027-01-01T25:00:00Z" }, "expires_at"],
    [{ type: "secret", expires_at: "+012027-01-01T00:00:00Z" }, "expires_at"],
    [{ type: "secret", expires_at: "9999-12-31T23:59:59-12:00" }, "expires_at"],
    [{ type: "secret", expires_at: 1_900_000_000 }, "expires_at"],
    [{ type: "secret", expires_at: null }, "expires_at"],
    [{ type: "secret", metadata: [] }, "metadata"],
    [{ type: "secret", metadata: { a: 1 } }, "metadata.a"],
    [{ type: "secret", metadata: { a: { b: "c" } } }, "metadata.a"],
    [{ type: "secret", metadata: { "": "x" } }, "metadata."],
    [{ type: "secret", metadata: { [long(65)]: "x" } }, `metadata.${long(65)}`],
    [{ type: "secret", metadata: { a: "\u0000" } }, "metadata.a"],
    [{ type: "secret", metadata: { a: long(1_017) } }, "metadata"],
    [{ type: "secret", metadata: { a: "é".repeat(509) } }, "metadata"],
  ])("%j", async (body, field) => {
    const heard = await create(body);
    expectProblem(heard, 422, "invalid_params");
    expect(heard.body.errors).toEqual([{ field, message: expect.any(String) }]);
  });

  test("and what is just right is taken", async () => {
    for (const body of [
      { type: "secret", description: long(256) },
      { type: "secret", description: "🔑".repeat(256) },
      { type: "secret", metadata: { a: long(1_016) } },
      { type: "secret", metadata: { [long(64)]: "line\nline" } },
      { type: "secret", expires_at: "2026-01-31T09:30:00.124Z" },
      { type: "secret", expires_at: "9999-12-31T23:59:59.999Z" },
    ])
      expect((await create(body)).status).toBe(201);
  });

  test("but only so many of them, and cut", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 900 }, (_, at) => [`${at}${long(40)}`, 1]),
    );
    const heard = await create({ type: "secret", ...many, [long(5_000)]: 1 });
    expectProblem(heard, 422, "invalid_params");
    expect(heard.body.errors).toHaveLength(20);
    expect(heard.text.length).toBeLessThan(5_000);
  });

  test.each([
    ["GET /v1/api_keys", "environment"],
    ["GET /v1/api_keys?environment=", "environment"],
    ["GET /v1/api_keys?environment=a%00b", "environment"],
    [`GET ${KEYS}&environment=production`, "environment"],
    [`GET ${KEYS}&status=dead`, "status"],
    [`GET ${KEYS}&page_size=0`, "page_size"],
    [`GET ${KEYS}&page_size=201`, "page_size"],
    [`GET ${KEYS}&page_size=1e1`, "page_size"],
    [`GET ${KEYS}&page_size=-1`, "page_size"],
    [`GET ${KEYS}&page_size=1.5`, "page_size"],
    [`GET ${KEYS}&page_size=`, "page_size"],
    [`GET ${KEYS}&page_size=10&page_size=10`, "page_size"],
    [`GET ${KEYS}&q=${"x".repeat(101)}`, "q"],
    [`GET ${KEYS}&q=%00`, "q"],
    [`GET ${KEYS}&page-size=10`, "page-size"],
    [`GET ${KEYS}&__proto__=10`, "__proto__"],
    [`GET ${KEYS}&toString=10`, "toString"],
    [`GET ${KEYS}&after=1`, "after"],
    [`GET ${KEYS}&after=`, "after"],
    [`GET ${KEYS}&before='%20or%201=1`, "before"],
    [`GET ${KEYS}&after=key_${"0".repeat(32)}`, "after"],
    [`GET ${KEYS}&before=key_${"0".repeat(32)}`, "before"],
    [`GET ${KEYS}&after=key_${"0".repeat(32)}&before=key_${"0".repeat(32)}`, "before"],
    [`GET /v1/environments?q=x`, "q"],
    [`GET /v1/environments?after=env_${"0".repeat(32)}`, "after"],
    ["GET /v1/api_keys/{key}?expand=all", "expand"],
    ["POST /v1/api_keys/{key}/revoke?wait=no", "wait"],
    ["DELETE /v1/environments/production?force=true", "force"],
  ])("%s", async (to, field) => {
    const heard = await say(to.replace("{key}", keyId));
    expectProblem(heard, 422, "invalid_params");
    expect(heard.body.errors).toEqual([{ field, message: expect.any(String) }]);
  });

  test.each(["", " ", "a b", "é", "x".repeat(256)])("Idempotency-Key %j", async (key) => {
    const said = { body: { type: "secret" }, headers: { "Idempotency-Key": key } };
    const heard = await say(`POST ${KEYS}`, said);
    expectProblem(heard, 422, "invalid_params");
    expect(heard.body.errors[0].field).toBe("Idempotency-Key");
  });
});

describe("an address", () => {
  test.each([
    ["GET /v1/api_keys/%ff", 400, "invalid_request"],
    ["GET /v1/api_keys/%zz", 400, "invalid_request"],
    [`GET ${KEYS}&q=%ff`, 400, "invalid_request"],
    [`GET ${KEYS}&q=%`, 400, "invalid_request"],
    ["GET /nowhere/%c0%80", 400, "invalid_request"],
    ["GET /v1/api_keys/key_1", 404, "resource_missing"],
    ["GET /v1/api_keys/KEY_00000000000000000000000000000000", 404, "resource_missing"],
    ["GET /v1/api_keys/%00", 404, "resource_missing"],
    ["GET /v1/api_keys/..%2Faccounts", 404, "resource_missing"],
    [`GET /v1/api_keys/${"x".repeat(9_000)}`, 404, "resource_missing"],
    ["DELETE /v1/environments/Production", 404, "resource_missing"],
    ["DELETE /v1/environments/__proto__", 404, "resource_missing"],
    ["GET /v1", 404, "resource_missing"],
    ["GET /v1/", 404, "resource_missing"],
    ["GET /v1/nothing", 404, "resource_missing"],
    ["GET /v1/me/", 404, "resource_missing"],
    ["GET /V1/me", 404, "resource_missing"],
    ["GET /nothing", 404, "resource_missing"],
    ["GET /docs/../package.json", 404, "resource_missing"],
    ["GET /docs/..%2Fpackage.json", 404, "resource_missing"],
    ["GET /docs/package.json", 404, "resource_missing"],
    ["GET /docs/constructor", 404, "resource_missing"],
  ])("%s → %i", async (to, status, code) => {
    expectProblem(await say(to), status, code);
  });

  test.each([
    ["PUT /v1/api_keys", "GET, HEAD, POST"],
    ["OPTIONS /v1/api_keys", "GET, HEAD, POST"],
    [`DELETE /v1/api_keys/key_${"0".repeat(32)}`, "GET, HEAD, PATCH"],
    [`GET /v1/api_keys/key_${"0".repeat(32)}/revoke`, "POST"],
    ["GET /v1/environments/production", "PATCH, DELETE"],
    ["POST /v1/me", "GET, HEAD"],
  ])("%s → 405, and says what it takes", async (to, allow) => {
    const heard = await say(to);
    expectProblem(heard, 405, "method_not_allowed");
    expect(heard.headers.get("Allow")).toBe(allow);
    expect(heard.headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  test("answers HEAD like GET, without the body", async () => {
    const heard = await say(`HEAD ${KEYS}`);
    expect([heard.status, heard.text]).toEqual([200, ""]);
  });
});

describe("a failure of ours", () => {
  test("is 500, tells nothing, and is in the log under its request id", async () => {
    const broken = await openWorld(({ store }) => ({
      store: {
        ...store,
        findAccount: () => Promise.reject(new Error("SQLITE_IOERR at /secret/path")),
      },
    }));
    const heard = await broken.call("GET /v1/whoami", { token: broken.acme.serviceToken });
    expectProblem(heard, 500, "internal_error");
    expect(heard.body.type).toBe("api_error");
    expect(heard.text).not.toMatch(/SQLITE|secret|stack/);
    const line = broken.log.find((one) => one.includes(heard.body.request_id));
    expect(line).toContain("SQLITE_IOERR");
    expect(broken.log.join("")).not.toContain(broken.acme.serviceToken);
    await broken.close();
  });

  test("reaches even those whose handler does not throw an Error", async () => {
    const broken = await openWorld(() => ({ ready: () => Promise.reject("a string") }));
    expectProblem(await broken.call("GET /readyz"), 500, "internal_error");
    await broken.close();
  });

  test("while a revocation is proved is 503, and the key stays revoked", async () => {
    const { Failure } = await import("@latchkey/sdk/core");
    const cut = await openWorld(({ barrier }) => ({
      barrier: {
        ...barrier,
        complete: () => Promise.reject(new Failure("service_unavailable", "Repeat the call.")),
      },
    }));
    const token = cut.acme.serviceToken;
    const { body: key } = await cut.call(`POST ${KEYS}`, { token, body: { type: "secret" } });
    const heard = await cut.call(`POST /v1/api_keys/${key.id}/revoke`, { token });
    expectProblem(heard, 503, "service_unavailable");
    expect(heard.headers.get("Retry-After")).toBe("1");
    const read = await cut.call(`GET /v1/api_keys/${key.id}`, { token });
    expect(read.body).toMatchObject({ revocation: { state: "pending" } });
    expect(read.body.revoked_at).not.toBeNull();
    await cut.close();
  });
});

describe("whatever the body", () => {
  const names = [
    "type",
    "description",
    "metadata",
    "expires_at",
    "name",
    "slug",
    "external_id",
    "owner_email",
    "suspended",
    "api_key",
    "environment",
    "reason",
    "__proto__",
    "constructor",
  ];
  const likely = fc.oneof(
    fc.constantFrom(
      "secret",
      "public",
      "2027-01-01T00:00:00Z",
      "production",
      "x@y.example",
      "",
      "a",
    ),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })),
    fc.jsonValue(),
    fc.boolean(),
  );
  const bodies = fc.oneof(
    fc.jsonValue({ maxDepth: 12, depthSize: "large" }),
    fc.dictionary(fc.constantFrom(...names), likely),
    fc.record({ type: fc.constant("secret"), description: fc.string({ unit: "binary" }) }),
    fc.record({
      type: fc.constantFrom("secret", "public"),
      metadata: fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })),
    }),
    fc.record({ name: fc.string({ unit: "binary" }), slug: fc.string({ unit: "binary" }) }),
    fc.record({ api_key: fc.string({ unit: "binary" }), type: fc.constantFrom("any", "secret") }),
  );

  test.each([
    ["POST /v1/environments", "service"],
    ["PATCH /v1/environments/production", "service"],
    [`POST ${KEYS}`, "service"],
    ["PATCH /v1/api_keys/{key}", "service"],
    ["POST /v1/api_keys/{key}/revoke", "service"],
    ["POST /v1/accounts", "operator"],
    ["PATCH /v1/accounts/rival", "operator"],
    ["POST /v1/api_keys/verify", "verifier"],
  ])("%s answers flatly and goes on", async (to, who) => {
    const tokens = { ...world.tokens, service: world.acme.serviceToken };
    const token =
      who === "operator" ? tokens.operator : who === "verifier" ? tokens.verifier : tokens.service;
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const heard = await world.call(to.replace("{key}", keyId), { token, body });
        expect([200, 201, 400, 409, 422], `${heard.status} ${heard.text}`).toContain(heard.status);
        if (heard.status >= 400) {
          const flat = ["code", "message", "status", "type", "request_id", "errors"];
          expect(flat).toEqual(expect.arrayContaining(Object.keys(heard.body)));
        }
      }),
      { numRuns: 150 },
    );
    expect((await say("GET /v1/environments")).status).toBe(200);
  });
});
