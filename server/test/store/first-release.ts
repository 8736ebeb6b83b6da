import assert from "node:assert/strict";
import { type Migration, Migrator, sql } from "kysely";
import { test } from "vitest";
import { type Database, digestBytes } from "../../src/store/engine.ts";
import type { OpenStore } from "../../src/store/kysely-store.ts";
import * as initial from "../../src/store/migrations/0001-initial.ts";
import type { NewKey, Origin } from "../../src/store/store.ts";
import { START_MS } from "./world.ts";

/** An empty database: the bare connection of a first release, and how a store is opened on it later. */
export interface EmptyDatabase {
  readonly db: Database;
  open(): Promise<OpenStore>;
}

const DIGEST = "A".repeat(43);

/** Holds an engine to bringing a database of the first release up to date. */
export function testFirstRelease(
  type: "sqlite" | "postgres",
  empty: () => Promise<EmptyDatabase>,
): void {
  test(`${type}: a database of the first release is brought up to date, and keeps everything`, async () => {
    const { db, open } = await empty();
    await migrateOnce(db, type);
    const filled = await fill(db, type);
    await db.destroy();

    const { store, db: upgraded } = await open();
    assert.equal((await store.findAccount("acme"))?.id, "acc_1");
    assert.equal((await store.findToken(DIGEST))?.name, "First operator token");
    const events = await upgraded.selectFrom("audit_event").selectAll().orderBy("id").execute();
    assert.deepEqual(events, filled);
    assert.deepEqual(
      [await store.isOperator("per_a_younger"), await store.isOperator("per_b_oldest")],
      [false, true],
    );
    const acme = store.account("acc_1");
    assert.deepEqual(
      [await acme.findKey("key_used"), await acme.findKey("key_unused")].map(
        (key) => key?.lastUsedAtMs,
      ),
      [START_MS + 9, null],
    );
    await acme.createEnvironment(
      { id: "env_2", slug: "later", name: "Later", keys: [laterKey] },
      byAda("evt_4"),
      null,
    );
    for (const table of ["api_key", "environment"] as const) {
      const numbers = await upgraded.selectFrom(table).select("number").execute();
      assert(numbers.every(({ number }) => number > 0));
      assert.equal(new Set(numbers.map(({ number }) => number)).size, numbers.length);
    }
    // What only a later release can write.
    const deletion = await store.operatorTokens.deleteToken("tok_1", byAda("evt_3"), () => "evt_5");
    assert.deepEqual(deletion, { outcome: "deleted", seq: 1, keySeqs: [] });
    await store.close();
  });
}

const laterKey: NewKey = {
  id: "key_later",
  type: "secret",
  digest: "C".repeat(43),
  hint: "sk_…abcd",
  token: null,
  description: "",
  metadata: {},
  expiresAtMs: null,
};

function byAda(eventId: string): Origin {
  return {
    actor: { type: "person", id: "per_b_oldest", name: "Ada" },
    atMs: START_MS,
    requestId: null,
    address: null,
    userAgent: null,
    eventId,
  };
}

async function migrateOnce(db: Database, type: "sqlite" | "postgres"): Promise<void> {
  const migrations: Record<string, Migration> = {
    "0001-initial": { up: (trx) => initial.up(trx, type) },
  };
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** Writes what later migrations touch. @returns The audit events, in the order of their ids. */
async function fill(db: Database, type: "sqlite" | "postgres") {
  const at = (ms: number) => (type === "sqlite" ? new Date(ms).toISOString() : new Date(ms));
  const by = { created_by_type: "system", created_by_id: "test", created_by_name: "t" } as const;
  for (const [id, ms] of [
    ["per_a_younger", START_MS + 1],
    ["per_b_oldest", START_MS],
  ] as const)
    await db
      .insertInto("person")
      .values({
        id,
        name: "Ada",
        email: `${id}@example.com`,
        email_verified: type === "sqlite" ? 1 : true,
        image: null,
        two_factor_enabled: null,
        created_at: at(ms),
        updated_at: at(ms),
      })
      .execute();
  await db
    .insertInto("account")
    .values({ id: "acc_1", slug: "acme", name: "Acme", external_id: null, created_at: START_MS })
    .execute();
  await db
    .insertInto("access_token")
    .values({
      id: "tok_1",
      kind: "operator",
      account_id: null,
      name: "First operator token",
      digest: digestBytes(DIGEST),
      hint: "ot_…abcd",
      created_at: START_MS,
      ...by,
    })
    .execute();
  await db
    .insertInto("environment")
    .values({
      id: "env_1",
      account_id: "acc_1",
      slug: "first",
      name: "First",
      created_at: START_MS,
    })
    .execute();
  // In SQL: the column is no longer there.
  for (const [id, letter, lastUsedAt] of [
    ["key_used", "A", START_MS + 9],
    ["key_unused", "B", null],
  ] as const)
    await sql`insert into api_key (id, environment_id, type, digest, hint, description, metadata,
        search_text, created_at, created_by_type, created_by_id, created_by_name, last_used_at)
      values (${id}, 'env_1', 'secret', ${digestBytes(letter.repeat(43))}, 'sk_…abcd', '', '{}', '',
        ${START_MS}, 'system', 'test', 't', ${lastUsedAt})`.execute(db);
  const event = {
    account_id: "acc_1",
    environment_id: null,
    at: START_MS,
    actor_type: "system",
    actor_id: "test",
    actor_name: "an actor",
    action: "account.created",
    subject_type: "account",
    subject_id: "acc_1",
    request_id: "req_1",
    address: "192.0.2.7",
    user_agent: "a browser",
    details: "{}",
  } as const;
  const events = [
    { id: "evt_1", ...event },
    { id: "evt_2", ...event },
  ];
  await db.insertInto("audit_event").values(events).execute();
  return events;
}
