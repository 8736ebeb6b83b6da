import { digestToken, parseToken } from "@latchkey/sdk/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Heard, NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const HOUR_MS = 60 * 60_000;
const LIVE_MAX = 20;
const iso = (ms: number): string => new Date(ms).toISOString();

function exchange(environment = "production", token = world.acme.serviceToken): Promise<Heard> {
  return world.call(`POST /v1/api_keys/exchange?environment=${environment}`, { token });
}

async function exchanged(environment?: string, token?: string): Promise<string> {
  const heard = await exchange(environment, token);
  expect(heard.status, heard.text).toBe(200);
  return heard.body.api_key;
}

async function keys(environment = "production") {
  const to = `GET /v1/api_keys?environment=${environment}&status=all`;
  return (await world.call(to, { token: world.acme.serviceToken })).body.entries;
}

async function issue(expires_at?: string) {
  const heard = await world.call("POST /v1/service_tokens", {
    token: world.acme.serviceToken,
    body: { name: "Deploys", ...(expires_at === undefined ? {} : { expires_at }) },
  });
  expect(heard.status, heard.text).toBe(201);
  return heard.body;
}

async function remove({ id }: { id: string }, query = ""): Promise<Heard> {
  return world.call(`DELETE /v1/service_tokens/${id}${query}`, { token: world.acme.serviceToken });
}

const whoami = (token: string) => world.call("GET /v1/whoami", { token });

describe("exchanging a service token", () => {
  test("answers with a secret key of that environment, and nothing else", async () => {
    const heard = await exchange();
    expect([heard.status, heard.body]).toEqual([200, { api_key: expect.stringMatching(/^sk_/) }]);
    expect(parseToken(heard.body.api_key)?.prefix).toBe("sk");
    expect((await whoami(heard.body.api_key)).body).toMatchObject({
      type: "api_key",
      key_type: "secret",
      account_slug: "acme",
      environment: "production",
    });
  });

  test("makes a key that is listed like any other, names its maker and ends in an hour", async () => {
    const token = await exchanged();
    const [listed] = await keys();
    const maker = await world.store.findToken(digestToken(world.acme.serviceToken));
    expect(listed).toMatchObject({
      type: "secret",
      hint: `sk_…${token.slice(-4)}`,
      description: "Exchanged from First token",
      created_by: { type: "service_token", id: maker?.id, name: "First token" },
      expires_at: iso(NOW_MS + HOUR_MS),
    });
    expect(JSON.stringify(listed)).not.toContain(token);
    world.clock.nowMs += HOUR_MS;
    expect((await whoami(token)).body.code).toBe("api_key_expired");
    const [event] = await world.db
      .selectFrom("audit_event")
      .selectAll()
      .where("subject_id", "=", listed.id)
      .execute();
    expect([event?.action, event?.actor_id]).toEqual(["api_key.created", maker?.id]);
    expect(JSON.parse(event?.details ?? "")).toMatchObject({ exchanged_for: maker?.id });
  });

  test("makes a key that ends with its token, where that is sooner", async () => {
    const { token } = await issue(iso(NOW_MS + HOUR_MS / 2));
    const key = await exchanged("production", token);
    expect((await keys())[0].expires_at).toBe(iso(NOW_MS + HOUR_MS / 2));
    world.clock.nowMs += HOUR_MS / 2;
    expect((await whoami(key)).body.code).toBe("api_key_expired");
    expect((await exchange("production", token)).body.code).toBe("invalid_token");
  });

  test("needs an environment that is there", async () => {
    for (const query of ["", "?environment=", "?env=production"]) {
      const to = `POST /v1/api_keys/exchange${query}`;
      const heard = await world.call(to, { token: world.acme.serviceToken });
      expect([heard.status, heard.body.code]).toEqual([422, "invalid_params"]);
    }
    const heard = await exchange("nowhere");
    expect([heard.status, heard.body.message]).toEqual([404, "There is no such environment."]);
    expect((await exchange("production%00")).status).toBe(422);
    await world.call("POST /v1/environments", {
      token: world.rival.serviceToken,
      body: { name: "Theirs", slug: "theirs" },
    });
    expect((await exchange("theirs")).status).toBe(404);
    const sent = { token: world.acme.serviceToken, body: { type: "public" } };
    const to = "POST /v1/api_keys/exchange?environment=production";
    expect((await world.call(to, sent)).status).toBe(422);
    expect(await keys()).toHaveLength(2);
  });

  test("under the same Idempotency-Key makes another key: no answer gives a token twice", async () => {
    const sent = { token: world.acme.serviceToken, headers: { "Idempotency-Key": "one" } };
    const to = "POST /v1/api_keys/exchange?environment=production";
    const [first, again] = [await world.call(to, sent), await world.call(to, sent)];
    expect(again.headers.get("Idempotent-Replayed")).toBeNull();
    expect(again.body.api_key).toMatch(/^sk_/);
    expect(again.body.api_key).not.toBe(first.body.api_key);
    expect((await whoami(first.body.api_key)).status).toBe(200);
  });
});

describe("of one token in one environment", () => {
  test(`${LIVE_MAX} keys may live, however many are asked for at once`, async () => {
    const heard = await Promise.all(Array.from({ length: LIVE_MAX + 5 }, () => exchange()));
    expect(heard.filter(({ status }) => status === 200)).toHaveLength(LIVE_MAX);
    const refused = heard.filter(({ status }) => status !== 200);
    for (const { status, body, headers } of refused) {
      expect([status, body.code, body.type]).toEqual([429, "rate_limited", "rate_limit_error"]);
      expect(headers.get("Retry-After")).toBe("3600");
    }
    expect(await keys()).toHaveLength(2 + LIVE_MAX);
    expect((await exchange("development")).status).toBe(200);
    expect((await exchange("production", (await issue()).token)).status).toBe(200);
  });

  test("the next may come when Retry-After has passed, or one is revoked", async () => {
    await exchanged();
    world.clock.nowMs += 60_000;
    for (let count = 1; count < LIVE_MAX; count += 1) await exchanged();
    const refused = await exchange();
    const retryAfterMs = Number(refused.headers.get("Retry-After")) * 1_000;
    expect(retryAfterMs).toBe(HOUR_MS - 60_000);
    const [newest] = await keys();
    const token = world.acme.serviceToken;
    await world.call(`POST /v1/api_keys/${newest.id}/revoke`, { token, body: {} });
    await exchanged();
    expect((await exchange()).status).toBe(429);
    world.clock.nowMs += retryAfterMs - 1;
    expect((await exchange()).status).toBe(429);
    world.clock.nowMs += 1;
    await exchanged();
  });
});

test("an exchanged key is not rotated, nor is its end put off: that is a 409, and it can end sooner", async () => {
  await exchanged();
  const [key] = await keys();
  const [token, to] = [world.acme.serviceToken, `/v1/api_keys/${key.id}`];
  const rotate = { token, body: { overlap_seconds: 60 } };
  const end = (expires_at: string | null) =>
    world.call(`PATCH ${to}`, { token, body: { expires_at } });
  for (const heard of [
    await world.call(`POST ${to}/rotate`, rotate),
    await end(null),
    await end(iso(NOW_MS + HOUR_MS + 1)),
  ])
    expect([heard.status, heard.body.code, heard.body.message]).toEqual([
      409,
      "conflict",
      "This API key was exchanged for a service token: exchange it again.",
    ]);
  expect((await keys())[0]).toEqual(key);
  const sooner = await end(iso(NOW_MS + 1_000));
  expect([sooner.status, sooner.body.expires_at]).toEqual([200, iso(NOW_MS + 1_000)]);
});

describe("deleting a service token", () => {
  test("revokes the keys that it was exchanged for, and no other", async () => {
    const made = await issue();
    const doomed = [
      await exchanged("production", made.token),
      await exchanged("development", made.token),
    ];
    const kept = [await exchanged(), world.acme.secretKey];
    const listed = await world.call("GET /v1/service_tokens", { token: world.acme.serviceToken });
    const counts = listed.body.entries.map(
      ({ exchanged_keys }: { exchanged_keys: number }) => exchanged_keys,
    );
    expect(counts).toEqual([2, 1]);
    for (const key of doomed) expect((await whoami(key)).status).toBe(200);
    const heard = await remove(made);
    expect([heard.status, heard.body.revocation.state]).toEqual([200, "effective"]);
    for (const key of doomed) expect((await whoami(key)).body.code).toBe("api_key_missing");
    for (const key of kept) expect((await whoami(key)).status).toBe(200);
    const [revoked] = (await keys()).filter((key: { revoked_at: unknown }) => key.revoked_at);
    expect(revoked).toMatchObject({
      revoked_at: iso(NOW_MS),
      revoked_by: { type: "service_token", name: "First token" },
      revoked_reason: "The service token that it was exchanged for was deleted.",
    });
  });

  test("returns only when the keys are refused everywhere, and each has its receipt", async () => {
    const leaseMs = 200;
    await world.store.leases.joinNode({ id: "node_silent", leaseMs, label: "" });
    const made = await issue();
    for (let count = 0; count < 3; count += 1) await exchanged("production", made.token);
    const heard = await remove(made);
    expect(heard.body.revocation).toMatchObject({ state: "effective", lapsed: 1 });
    expect(heard.body.revocation.took_ms).toBeGreaterThanOrEqual(leaseMs);
    await expect.poll(() => world.store.leases.pendingRevocations()).toEqual([]);
    const receipts = (await keys())
      .slice(0, 3)
      .map(({ revocation }: { revocation: unknown }) => revocation);
    const receipt = { state: "effective", acknowledged: 0, lapsed: 1 };
    expect(receipts).toMatchObject([receipt, receipt, receipt]);
  });

  test("goes on by itself with wait=false, for the keys too", async () => {
    await world.store.leases.joinNode({ id: "node_silent", leaseMs: 60_000, label: "" });
    const made = await issue();
    await exchanged("production", made.token);
    expect((await remove(made, "?wait=false")).status).toBe(202);
    expect((await keys())[0].revocation.state).toBe("pending");
    const { seq } = await world.store.ping();
    await world.store.leases.renewNode("node_silent", 1, seq, 0);
    await expect.poll(() => world.store.leases.pendingRevocations()).toEqual([]);
  });

  test("leaves no exchange that began before it: the token is read under its lock", async () => {
    const made = await issue();
    const [deleted, late] = await Promise.all([remove(made), exchange("production", made.token)]);
    expect(deleted.status).toBe(200);
    if (late.status === 200)
      expect((await whoami(late.body.api_key)).body.code).toBe("api_key_missing");
    else expect([late.status, late.body.code]).toEqual([401, "invalid_token"]);
  });
});
