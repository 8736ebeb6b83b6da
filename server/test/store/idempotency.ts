import assert from "node:assert/strict";
import { sql } from "kysely";
import { type Check, KEPT, START_MS } from "./world.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

export const idempotencyPromises: Readonly<Record<string, Check>> = {
  "a repeated creation is replayed, and another body is a mismatch": async (world) => {
    const { acme, newAccount, newEnvironment, newKey, once, origin, store } = world;
    const key = newKey();
    const environment = newEnvironment("staging");
    const account = newAccount("new");
    await acme.createKey("production", key, origin(), once("key"));
    await acme.createEnvironment(environment, origin(), once("environment"));
    await store.createAccount(account, origin(), once("account"));

    const again = {
      key: (body?: string) => acme.createKey("production", newKey(), origin(), once("key", body)),
      environment: (body?: string) =>
        acme.createEnvironment(newEnvironment("staging-2"), origin(), once("environment", body)),
      account: (body?: string) =>
        store.createAccount(newAccount("new-2"), origin(), once("account", body)),
    };
    assert.deepEqual(await again.key(), { outcome: "replayed", id: key.id });
    assert.deepEqual(await again.environment(), { outcome: "replayed", id: environment.id });
    assert.deepEqual(await again.account(), { outcome: "replayed", id: account.id });
    for (const repeat of Object.values(again))
      assert.deepEqual(await repeat("another body"), { outcome: "mismatch" });
    assert.equal(await acme.findEnvironment("staging-2"), undefined);
    assert.equal(await store.findAccount("new-2"), undefined);
  },

  "of many concurrent repetitions one creates and the rest are replays of it": async (world) => {
    const { acme, newKey, once, origin } = world;
    const calls = await Promise.all(
      Array.from({ length: 20 }, () => acme.createKey("production", newKey(), origin(), once("k"))),
    );
    const created = calls.flatMap((call) => (call.outcome === "created" ? [call.key.id] : []));
    assert.equal(created.length, 1);
    const replays = calls.flatMap((call) => (call.outcome === "replayed" ? [call.id] : []));
    assert.deepEqual(replays, Array(19).fill(created[0]));
  },

  "a day later the same idempotency key makes something new": async ({
    acme,
    newKey,
    once,
    origin,
  }) => {
    const create = async (atMs: number) =>
      (await acme.createKey("production", newKey(), origin(atMs), once("k"))).outcome;
    assert.equal(await create(START_MS), "created");
    assert.equal(await create(START_MS + DAY_MS - 1), "replayed");
    assert.equal(await create(START_MS + DAY_MS), "created");
    assert.equal(await create(START_MS + DAY_MS + 1), "replayed");
  },

  "a deed that came to nothing may be repeated": async (world) => {
    const { acme, newEnvironment, newKey, once, origin } = world;
    const create = async () =>
      (await acme.createKey("staging", newKey(), origin(), once("k"))).outcome;
    assert.equal(await create(), "absent");
    const taken = newEnvironment("production");
    const refused = await acme.createEnvironment(taken, origin(), once("e"));
    assert.equal(refused.outcome, "slug_taken");
    const free = await acme.createEnvironment(newEnvironment("staging"), origin(), once("e"));
    assert.equal(free.outcome, "created");
    assert.equal(await create(), "created");
  },

  "a repeated revocation finds the key revoked, and another body revokes nothing": async (
    world,
  ) => {
    const { acme, once, origin } = world;
    const key = await world.stored("production");
    const bystander = await world.stored("production");
    const first = await acme.revokeKey(key.id, "leaked", origin(), once("r"));
    const again = await acme.revokeKey(key.id, "leaked", origin(), once("r"));
    assert.deepEqual(again, { ...first, outcome: "already_revoked" });
    assert.deepEqual(await acme.revokeKey(bystander.id, "x", origin(), once("r", "other")), {
      outcome: "mismatch",
    });
    assert.equal(await world.revokedAtMs(bystander.digest), null);
    assert.deepEqual(await acme.revokeKey("key_nobody", null, origin(), once("n")), {
      outcome: "absent",
      pendingSeq: null,
    });
  },

  "a sweep drops what nobody can repeat and sessions that ended, and nothing else": async (
    world,
  ) => {
    const { acme, db, newKey, once, origin, store } = world;
    await acme.createKey("production", newKey(), origin(START_MS), once("old"));
    await acme.createKey("production", newKey(), origin(START_MS + 1), once("young"));
    await store.createAccount(
      world.newAccount("people", {
        owner: { id: "per_1", name: "P", email: "p@example.com", passwordHash: "hash" },
      }),
      origin(),
      null,
    );
    const person = await db.selectFrom("person").selectAll().executeTakeFirstOrThrow();
    const { created_at, updated_at } = person;
    const asStored = (atMs: number) =>
      typeof created_at === "string" ? new Date(atMs).toISOString() : new Date(atMs);
    for (const [id, atMs] of [
      ["ended", START_MS + DAY_MS],
      ["running", START_MS + DAY_MS + 1],
    ] as const) {
      const lasting = { id, expires_at: asStored(atMs), created_at, updated_at };
      await db
        .insertInto("session")
        .values({ ...lasting, person_id: "per_1", token: id })
        .execute();
      await db
        .insertInto("verification")
        .values({ ...lasting, identifier: id, value: id })
        .execute();
    }
    await store.sweep(START_MS + DAY_MS, KEPT);
    const left = async (table: "session" | "verification") =>
      (await db.selectFrom(table).select("id").execute()).map((row) => row.id);
    assert.deepEqual(await left("session"), ["running"]);
    assert.deepEqual(await left("verification"), ["running"]);
    const scopes = await db.selectFrom("idempotency").select("scope").execute();
    assert.deepEqual(scopes, [{ scope: "young" }]);
  },

  "a sweep of very many drops them all, and only them": async (world) => {
    const { db, newAccount, origin, store } = world;
    const owner = { id: "per_1", name: "P", email: "p@example.com", passwordHash: "hash" };
    await store.createAccount(newAccount("people", { owner }), origin(), null);
    const person = await db.selectFrom("person").selectAll().executeTakeFirstOrThrow();
    const { created_at, updated_at } = person;
    const expires_at =
      typeof created_at === "string" ? new Date(START_MS).toISOString() : new Date(START_MS);
    const ended = { id: "ended", expires_at, created_at, updated_at };
    const session = { ...ended, person_id: "per_1", token: "ended" };
    await db.insertInto("session").values(session).execute();
    await db
      .insertInto("verification")
      .values({ ...ended, identifier: "i", value: "v" })
      .execute();
    const many = sql`with recursive n (n) as (select 1 union all select n + 1 from n where n < 6000)`;
    await sql`insert into session (id, person_id, token, expires_at, created_at, updated_at) ${many}
      select 's' || n, person_id, 't' || n, expires_at, created_at, updated_at from session, n`.execute(
      db,
    );
    await sql`insert into verification (id, identifier, value, expires_at, created_at, updated_at) ${many}
      select 'v' || n, identifier, value, expires_at, created_at, updated_at from verification, n`.execute(
      db,
    );
    await sql`insert into idempotency (scope, body_digest, subject_id, created_at) ${many}
      select 's' || n, 'b', 'x', n from n`.execute(db);
    const young = { scope: "young", body_digest: "b", subject_id: "x", created_at: START_MS };
    await db.insertInto("idempotency").values(young).execute();

    await store.sweep(START_MS - 1, KEPT);
    const count = async (table: "session" | "verification" | "idempotency") =>
      Number(
        (
          await db
            .selectFrom(table)
            .select((eb) => eb.fn.countAll().as("rows"))
            .execute()
        )[0]?.rows,
      );
    assert.deepEqual([await count("session"), await count("verification")], [6_001, 6_001]);
    assert.deepEqual(await db.selectFrom("idempotency").select("scope").execute(), [
      { scope: "young" },
    ]);
    await store.sweep(START_MS, KEPT);
    assert.deepEqual([await count("session"), await count("verification")], [0, 0]);
    assert.equal(await count("idempotency"), 1);
  },
};
