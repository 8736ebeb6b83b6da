import type { RefusalNote } from "@latchkey/sdk/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Heard, NOW_MS, openWorld, type World } from "./world.ts";

const DAY_MS = 86_400_000;

let world: World;
/** A secret and a public key of acme's in production. */
let secret: string;
let publicKey: string;
let batches: number;

beforeEach(async () => {
  world = await openWorld();
  batches = 0;
  [secret, publicKey] = await keysOf(world.acme.serviceToken);
});
afterEach(() => world.close());

const ask = (to: string, body?: object, token = world.acme.serviceToken): Promise<Heard> =>
  world.call(to, { token, ...(body === undefined ? {} : { body }) });

const operate = (to: string): Promise<Heard> => world.call(to, { token: world.tokens.operator });

async function keysOf(token: string): Promise<[string, string]> {
  const heard = await ask("GET /v1/api_keys?environment=production", undefined, token);
  const idOf = (type: string) =>
    heard.body.entries.find((key: { type: string }) => key.type === type).id;
  return [idOf("secret"), idOf("public")];
}

/** Stores a refusal as a process that refused sends it. */
async function refuse(note: Partial<RefusalNote> & Pick<RefusalNote, "requestId" | "reason">) {
  batches += 1;
  const usual = {
    atMs: NOW_MS,
    keyId: null,
    types: ["secret"] as const,
    environment: null,
    address: "203.0.113.7",
    userAgent: "curl/8.5.0",
  };
  const batch = { source: "src_1", number: batches, counts: [], callers: [] };
  await world.store.recordUsage([{ ...batch, refusals: [{ ...usual, ...note }] }], NOW_MS);
}

async function ids(to: string, ask: (to: string) => Promise<Heard>): Promise<string[]> {
  const heard = await ask(`GET ${to}`);
  expect(heard.status, heard.text).toBe(200);
  return heard.body.entries.map((one: { request_id: string }) => one.request_id);
}

describe("a refusal", () => {
  test("tells the owner of the key what its caller was not told", async () => {
    const { cookie } = world.acme.people.owner;
    const headers = world.browser(cookie, "acme");
    const body = { reason: "leaked" };
    const revoked = await world.call(`POST /v1/api_keys/${secret}/revoke`, { headers, body });
    const atMs = NOW_MS + DAY_MS;
    await refuse({ requestId: "req_1", reason: "revoked", keyId: secret, atMs });
    const heard = await ask("GET /v1/refusals/req_1");
    expect([heard.status, heard.body]).toEqual([
      200,
      {
        request_id: "req_1",
        at: new Date(atMs).toISOString(),
        reason: "revoked",
        status: 401,
        code: "api_key_missing",
        explanation:
          "This API key was revoked on 2026-01-31 at 09:30 UTC by owner; this request came 1 day later.",
        address: "203.0.113.7",
        user_agent: "curl/8.5.0",
        asked: { types: ["secret"], environment: null },
        api_key: {
          id: secret,
          hint: revoked.body.hint,
          type: "secret",
          description: revoked.body.description,
          environment: "production",
          status: "revoked",
          expires_at: null,
          revoked_at: new Date(NOW_MS).toISOString(),
          revoked_by: { type: "person", id: world.acme.people.owner.id, name: "owner" },
          revoked_reason: "leaked",
          rotated_to: null,
        },
        late_by_ms: DAY_MS,
      },
    ]);
    expect((await ask("GET /v1/refusals")).body.entries).toEqual([heard.body]);
  });

  test("of an expired key tells since when, and how late it was", async () => {
    const expires_at = new Date(NOW_MS + 1_000).toISOString();
    const made = await ask("POST /v1/api_keys?environment=production", {
      type: "secret",
      expires_at,
    });
    const atMs = NOW_MS + 61_000;
    await refuse({ requestId: "req_1", reason: "expired", keyId: made.body.id, atMs });
    world.clock.nowMs = atMs;
    expect((await ask("GET /v1/refusals/req_1")).body).toMatchObject({
      reason: "expired",
      code: "api_key_expired",
      status: 401,
      explanation: expect.stringContaining("1 minute later"),
      late_by_ms: 60_000,
      api_key: { status: "expired", expires_at },
    });
  });

  test("of a key that was used in the wrong place tells which one", async () => {
    await refuse({ requestId: "req_1", reason: "type", keyId: publicKey });
    await refuse({
      requestId: "req_2",
      reason: "environment",
      keyId: secret,
      environment: "development",
    });
    expect((await ask("GET /v1/refusals/req_1")).body).toMatchObject({
      reason: "incorrect_token_type",
      code: "incorrect_token_type",
      status: 403,
      explanation: "This is a public key, and the request was checked for a secret key.",
      late_by_ms: null,
      api_key: { type: "public", status: "active" },
    });
    expect((await ask("GET /v1/refusals/req_2")).body).toMatchObject({
      reason: "environment_mismatch",
      status: 403,
      asked: { environment: "development" },
      explanation: expect.stringContaining("belongs to the environment production"),
    });
  });

  test("of a suspended account is told as that, once the account is back", async () => {
    const suspend = (suspended: boolean) =>
      world.call("PATCH /v1/accounts/acme", {
        token: world.tokens.operator,
        body: { suspended },
      });
    await suspend(true);
    await refuse({ requestId: "req_1", reason: "revoked", keyId: secret });
    await suspend(false);
    expect((await ask("GET /v1/refusals/req_1")).body).toMatchObject({
      explanation: expect.stringContaining("its account was suspended"),
      late_by_ms: null,
      api_key: { status: "active", revoked_at: null },
    });
  });

  test("is found by an app's own request id too", async () => {
    await refuse({ requestId: "trace/1 2?".replace(" ", "-"), reason: "type", keyId: publicKey });
    const heard = await ask(`GET /v1/refusals/${encodeURIComponent("trace/1-2?")}`);
    expect(heard.body.request_id).toBe("trace/1-2?");
  });

  test("without a caller has none", async () => {
    await refuse({
      requestId: "req_1",
      reason: "type",
      keyId: publicKey,
      address: null,
      userAgent: null,
    });
    const { body } = await ask("GET /v1/refusals/req_1");
    expect([body.address, body.user_agent]).toEqual([null, null]);
  });

  test.each(["req_2", "x", "%20", "a%00b", "r".repeat(65), "%E2%82%AC"])(
    "by the id %s is not there",
    async (id) => {
      await refuse({ requestId: "req_1", reason: "type", keyId: publicKey });
      for (const heard of [
        await ask(`GET /v1/refusals/${id}`),
        await operate(`GET /v1/operator/refusals/${id}`),
      ])
        expect([heard.status, heard.body.code]).toEqual([404, "resource_missing"]);
    },
  );
});

describe("the list of refusals", () => {
  beforeEach(async () => {
    await refuse({ requestId: "req_1", reason: "type", keyId: publicKey, atMs: NOW_MS - 3_000 });
    await refuse({ requestId: "req_2", reason: "revoked", keyId: secret, atMs: NOW_MS - 2_000 });
    const [, theirs] = await keysOf(world.rival.serviceToken);
    await refuse({ requestId: "req_3", reason: "type", keyId: theirs });
    const made = await ask("POST /v1/api_keys?environment=development", { type: "public" });
    await refuse({ requestId: "req_4", reason: "type", keyId: made.body.id, atMs: NOW_MS - 1_000 });
  });

  test("is newest first, in pages", async () => {
    expect(await ids("/v1/refusals", ask)).toEqual(["req_4", "req_2", "req_1"]);
    const { body } = await ask("GET /v1/refusals?page_size=2");
    expect(body.page_info).toEqual({ after: "req_2", before: null, page_size: 2 });
    expect(await ids("/v1/refusals?page_size=2&after=req_2", ask)).toEqual(["req_1"]);
    expect(await ids("/v1/refusals?page_size=2&before=req_1", ask)).toEqual(["req_4", "req_2"]);
  });

  test("is narrowed by environment, key and reason", async () => {
    expect(await ids("/v1/refusals?environment=production", ask)).toEqual(["req_2", "req_1"]);
    expect(await ids(`/v1/refusals?api_key_id=${secret}`, ask)).toEqual(["req_2"]);
    expect(await ids("/v1/refusals?reason=incorrect_token_type", ask)).toEqual(["req_4", "req_1"]);
    const both = "/v1/refusals?reason=incorrect_token_type&environment=development";
    expect(await ids(both, ask)).toEqual(["req_4"]);
    expect(await ids("/v1/refusals?reason=expired", ask)).toEqual([]);
    expect(await ids(`/v1/refusals?api_key_id=key_${"0".repeat(32)}`, ask)).toEqual([]);
  });

  test("is the account's own: another's are not in it, and not found by it", async () => {
    const asRival = (to: string) => ask(to, undefined, world.rival.serviceToken);
    expect(await ids("/v1/refusals", asRival)).toEqual(["req_3"]);
    expect(await ids(`/v1/refusals?api_key_id=${secret}`, asRival)).toEqual([]);
    expect((await asRival("GET /v1/refusals/req_1")).status).toBe(404);
    expect((await ask("GET /v1/refusals/req_3")).status).toBe(404);
    expect((await asRival("GET /v1/refusals?after=req_1")).status).toBe(422);
    expect((await operate("GET /v1/operator/refusals/req_1")).status).toBe(404);
  });

  test("ends with its environment", async () => {
    await ask("DELETE /v1/environments/production");
    expect(await ids("/v1/refusals", ask)).toEqual(["req_4"]);
    expect((await ask("GET /v1/refusals/req_1")).status).toBe(404);
    expect((await ask("GET /v1/refusals?environment=production")).status).toBe(404);
  });

  test.each([
    ["environment=", "environment"],
    ["api_key_id=key_1", "api_key_id"],
    ["reason=unknown", "reason"],
    ["reason=type", "reason"],
    ["reason=accepted", "reason"],
    ["reason=revoked&reason=expired", "reason"],
    ["page_size=0", "page_size"],
    ["page_size=201", "page_size"],
    ["after=req_nobody", "after"],
    ["before=req_nobody", "before"],
    ["after=", "after"],
    [`after=${"r".repeat(65)}`, "after"],
    ["after=req_1&before=req_2", "before"],
    ["request_id=req_1", "request_id"],
  ])("%s is a 422 about it", async (query, field) => {
    const heard = await ask(`GET /v1/refusals?${query}`);
    expect([heard.status, heard.body.code]).toEqual([422, "invalid_params"]);
    expect(heard.body.errors.map((wrong: { field: string }) => wrong.field)).toEqual([field]);
  });

  test("of an environment that is not there is a 404", async () => {
    expect((await ask("GET /v1/refusals?environment=nowhere")).status).toBe(404);
  });
});

describe("the operator's list of refusals", () => {
  const REASONS = ["no_credentials", "malformed", "wrong_kind", "unknown"] as const;
  beforeEach(async () => {
    await refuse({ requestId: "req_owned", reason: "type", keyId: publicKey });
    for (const [n, reason] of REASONS.entries())
      await refuse({ requestId: `req_${n}`, reason, atMs: NOW_MS + n });
  });

  test("has those that belong to no account, and no other", async () => {
    expect(await ids("/v1/operator/refusals", operate)).toEqual([
      "req_3",
      "req_2",
      "req_1",
      "req_0",
    ]);
    expect(await ids("/v1/refusals", ask)).toEqual(["req_owned"]);
    for (const [n] of REASONS.entries())
      expect((await ask(`GET /v1/refusals/req_${n}`)).status).toBe(404);
  });

  test.each([
    [0, "authentication_required", "authentication_required"],
    [1, "malformed", "api_key_missing"],
    [2, "wrong_kind", "incorrect_token_type"],
    [3, "unknown", "api_key_missing"],
  ])("tells of req_%i that it was %s, and its caller was told %s", async (n, reason, code) => {
    const { body } = await operate(`GET /v1/operator/refusals/req_${n}`);
    expect(body).toEqual({
      request_id: `req_${n}`,
      at: new Date(NOW_MS + n).toISOString(),
      reason,
      status: 401,
      code,
      explanation: expect.stringMatching(/^[A-Z].*\.$/),
      address: "203.0.113.7",
      user_agent: "curl/8.5.0",
      asked: { types: ["secret"], environment: null },
      api_key: null,
      late_by_ms: null,
    });
    expect(await ids(`/v1/operator/refusals?reason=${reason}`, operate)).toEqual([`req_${n}`]);
  });

  test("comes in pages", async () => {
    const first = await operate("GET /v1/operator/refusals?page_size=3");
    expect(first.body.page_info).toMatchObject({ after: "req_1", before: null });
    expect(await ids("/v1/operator/refusals?page_size=3&after=req_1", operate)).toEqual(["req_0"]);
  });

  test.each([
    ["reason=revoked", "reason"],
    ["reason=no_credentials", "reason"],
    ["environment=production", "environment"],
    ["api_key_id=key_1", "api_key_id"],
    ["after=req_owned", "after"],
    ["page_size=1000", "page_size"],
  ])("%s is a 422 about it", async (query, field) => {
    const heard = await operate(`GET /v1/operator/refusals?${query}`);
    expect([heard.status, heard.body.code]).toEqual([422, "invalid_params"]);
    expect(heard.body.errors.map((wrong: { field: string }) => wrong.field)).toEqual([field]);
  });
});
