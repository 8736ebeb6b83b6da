import { afterEach, beforeEach, expect, test } from "vitest";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const KEYS = "/v1/api_keys?environment=development";
const once = { "Idempotency-Key": "order-1" };

const create = (body: object, headers: Record<string, string> = once, to = `POST ${KEYS}`) =>
  world.call(to, { token: world.acme.serviceToken, body, headers });

async function countKeys(): Promise<number> {
  return (await world.db.selectFrom("api_key").select("id").execute()).length;
}

test("a repeated creation makes one key, and never shows its token again", async () => {
  const before = await countKeys();
  for (const type of ["secret", "public"]) {
    const headers = { "Idempotency-Key": `of-${type}` };
    const first = await create({ type }, headers);
    const second = await create({ type }, headers);
    expect(first.headers.get("Idempotent-Replayed")).toBeNull();
    expect([second.status, second.headers.get("Idempotent-Replayed")]).toEqual([201, "true"]);
    const { api_key: token, ...rest } = first.body;
    expect(token).toMatch(/^[sp]k_/);
    expect(second.body).toEqual(rest);
  }
  expect(await countKeys()).toBe(before + 2);
});

test("a replay shows the key as it is now", async () => {
  const { body: key } = await create({ type: "secret" });
  await world.call(`POST /v1/api_keys/${key.id}/revoke`, { token: world.acme.serviceToken });
  const again = await create({ type: "secret" });
  expect(again.body.revoked_at).not.toBeNull();
});

test("another body under the same key is refused, and makes nothing", async () => {
  await create({ type: "secret" });
  const before = await countKeys();
  const heard = await create({ type: "secret", description: "other" });
  expect([heard.status, heard.body.code]).toEqual([422, "idempotency_mismatch"]);
  expect(await countKeys()).toBe(before);
});

test("the same key means nothing in another query, path, actor or account", async () => {
  const made = [
    await create({ type: "secret" }),
    await create({ type: "secret" }, once, "POST /v1/api_keys?environment=production"),
    await world.call(`POST ${KEYS}`, {
      headers: { ...once, ...world.browser(world.acme.people.admin.cookie, "acme") },
      body: { type: "secret" },
    }),
    await world.call(`POST ${KEYS}`, {
      token: world.rival.serviceToken,
      headers: once,
      body: { type: "secret" },
    }),
    await create({ name: "Staging", slug: "staging" }, once, "POST /v1/environments"),
  ];
  for (const heard of made) {
    expect(heard.status, heard.text).toBe(201);
    expect(heard.headers.get("Idempotent-Replayed")).toBeNull();
  }
  expect(new Set(made.map(({ body }) => body.id)).size).toBe(made.length);
});

test("of many at once exactly one has the token", async () => {
  const before = await countKeys();
  const answers = await Promise.all(Array.from({ length: 20 }, () => create({ type: "secret" })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter(({ body }) => "api_key" in body)).toHaveLength(1);
  expect(answers.filter(({ headers }) => headers.has("Idempotent-Replayed"))).toHaveLength(19);
  expect(await countKeys()).toBe(before + 1);
});

test("a creation that failed may be tried again under its key", async () => {
  const to = "POST /v1/api_keys?environment=staging";
  expect((await create({ type: "secret" }, once, to)).status).toBe(404);
  await create({ name: "Staging", slug: "staging" }, {}, "POST /v1/environments");
  const heard = await create({ type: "secret" }, once, to);
  expect([heard.status, heard.headers.get("Idempotent-Replayed")]).toEqual([201, null]);
});

test("a key is forgotten after a day", async () => {
  const first = await create({ type: "secret" });
  world.clock.nowMs += 24 * 60 * 60_000;
  const second = await create({ type: "secret", description: "other" });
  expect(second.status).toBe(201);
  expect(second.body.id).not.toBe(first.body.id);
});

test("environments and accounts repeat without their tokens", async () => {
  const environment = { name: "Staging", slug: "staging" };
  const first = await create(environment, once, "POST /v1/environments");
  const again = await create(environment, once, "POST /v1/environments");
  const { public_key: _, secret_key: __, ...rest } = first.body;
  expect(again.body).toEqual(rest);
  expect(again.headers.get("Idempotent-Replayed")).toBe("true");

  const said = {
    token: world.tokens.operator,
    body: { name: "Initech", slug: "initech" },
    headers: once,
  };
  const provisioned = await world.call("POST /v1/accounts", said);
  const repeated = await world.call("POST /v1/accounts", said);
  expect([provisioned.status, repeated.status]).toEqual([201, 201]);
  expect(repeated.headers.get("Idempotent-Replayed")).toBe("true");
  expect(repeated.body.account).toEqual(provisioned.body.account);
  expect(repeated.body.environments).toHaveLength(2);
  expect(repeated.text).not.toMatch(/[sp]k_|st_/);
});

test("a repeated revocation with its key is the same revocation", async () => {
  const { body: key } = await create({ type: "secret" }, {});
  const to = `POST /v1/api_keys/${key.id}/revoke`;
  const first = await create({ reason: "leaked" }, once, to);
  const again = await create({ reason: "leaked" }, once, to);
  expect([first.status, again.status]).toEqual([200, 200]);
  expect(again.body.revoked_at).toBe(first.body.revoked_at);
  const other = await create({ reason: "other" }, once, to);
  expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
});
