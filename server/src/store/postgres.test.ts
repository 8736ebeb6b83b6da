import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PASSWORD, startPostgres, type TestPostgres } from "../../test/postgres.ts";
import { testFirstRelease } from "../../test/store/first-release.ts";
import { testSignIn } from "../../test/store/sign-in.ts";
import { batch, counted } from "../../test/store/usage.ts";
import { makeWorld, START_MS } from "../../test/store/world.ts";
import { testStore } from "../../test/store-suite.ts";
import { NewerSchema } from "./migrations/migrate.ts";
import { type OpenPostgres, openPostgres } from "./postgres.ts";
import { DatabaseError, InvalidDatabaseUrl, NotPrimary } from "./postgres-errors.ts";
import type { Schema } from "./schema.ts";

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres.stop());

const DAY_MS = 24 * 60 * 60_000;

let made = 0;
const options = () => ({ randomId: () => `random_${++made}`, leaseMs: 10_000 });
const open = async (name?: string): Promise<OpenPostgres> =>
  openPostgres(postgres.url(name ?? (await postgres.migrated())), options());

testStore("postgres", open);
testSignIn("postgres", open);
testFirstRelease("postgres", async () => {
  const name = await postgres.empty();
  const pool = new pg.Pool({ connectionString: postgres.url(name), max: 1 });
  return {
    db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }),
    open: () => open(name),
  };
});

test("nodes that start at once on an empty database migrate it once", async () => {
  const name = await postgres.empty();
  const opened = await Promise.all(Array.from({ length: 5 }, () => open(name)));
  const { rows } = await sql`select name from kysely_migration`.execute(opened[0]?.db ?? fail());
  assert.deepEqual(rows, [
    { name: "0001-initial" },
    { name: "0002-swept-in-order" },
    { name: "0003-operator-tokens" },
    { name: "0004-usage" },
    { name: "0005-key-lives" },
    { name: "0006-people" },
  ]);
  for (const { store } of opened) assert.deepEqual(await store.ping(), { seq: 0 });
  await Promise.all(opened.map(({ store }) => store.close()));
});

test("a database of a newer release is refused, and let go untouched", async () => {
  const name = await postgres.migrated();
  await postgres.run("insert into kysely_migration values ('0999-newer', '2030-01-01')", name);
  await assert.rejects(open(name), (error) => {
    assert(error instanceof NewerSchema);
    assert.match(error.message, /newer latchkey.*0999-newer/);
    return true;
  });
  assert.deepEqual(await postgres.run("select seq::text from change_clock", name), [{ seq: "0" }]);
});

test("a server that takes no writes is refused", async () => {
  const name = await postgres.migrated();
  await postgres.run(`create role reader superuser login password '${PASSWORD}';
    alter role reader set default_transaction_read_only = on`);
  await assert.rejects(openPostgres(postgres.url(name, "reader"), options()), NotPrimary);
});

test("every session bounds what it may hold up, and commits for good", async () => {
  const { store, db } = await openPostgres(postgres.url(await postgres.migrated()), {
    ...options(),
    leaseMs: 1_500,
  });
  const setting = async (name: string) =>
    (await sql<{ value: string }>`select current_setting(${name}) as value`.execute(db)).rows[0]
      ?.value;
  assert.equal(await setting("statement_timeout"), "500ms");
  assert.equal(await setting("lock_timeout"), "500ms");
  assert.equal(await setting("idle_in_transaction_session_timeout"), "250ms");
  assert.equal(await setting("synchronous_commit"), "on");
  assert.equal(await setting("transaction_isolation"), "read committed");
  await store.close();
});

test("nodes that change the same keys at once neither lose a seq nor wait in a circle", async () => {
  const name = await postgres.migrated();
  const nodes = await Promise.all([open(name), open(name), open(name)]);
  const [first = fail()] = nodes;
  const world = await makeWorld(first.store, first.db);
  const keys = await Promise.all(Array.from({ length: 8 }, () => world.stored("production")));
  const uses = keys.map((key) => counted(key.id, { accepted: 1 }));
  const deeds = nodes.flatMap(({ store }, node) => {
    const acme = store.account(world.acme.accountId);
    return [
      ...keys.flatMap((key, index) => [
        acme.editKey(key.id, { metadata: { by: `${node} ${index}` } }, world.origin()),
        acme.revokeKey(key.id, null, world.origin(), null),
        acme.revokeKey(key.id, null, world.origin(), world.once(`${node} ${index}`)),
        store.updateAccount("acme", { name: `Acme ${node} ${index}` }, world.origin()),
      ]),
    ];
  });
  const using = nodes.flatMap(({ store }, node) => [
    store.recordUsage([batch(`src_${node}`, 1, { counts: uses })], START_MS),
    store.recordUsage([batch(`src_back_${node}`, 1, { counts: uses.toReversed() })], START_MS),
  ]);
  let writing = true;
  const watch = async ({ store }: OpenPostgres) => {
    for (let seen = 0; writing; ) {
      const read = await store.leases.readChanges(0, null);
      assert(read.outcome === "changes", "a seq was visible before one below it");
      assert(read.seq >= seen);
      seen = read.seq;
    }
  };
  const watching = nodes.map(watch);
  const outcomes = await Promise.all<{ outcome: string }>(deeds);
  await Promise.all(using);
  writing = false;
  await Promise.all(watching);
  const won = outcomes.filter((each) => each.outcome === "revoked");
  assert.equal(won.length, keys.length);
  const revoked = await first.db.selectFrom("revocation").selectAll().execute();
  assert.equal(revoked.length, keys.length);
  for (const key of keys) assert.equal(await world.revokedAtMs(key.digest), START_MS);
  const audited = first.db.selectFrom("audit_event").where("action", "=", "api_key.revoked");
  assert.equal((await audited.selectAll().execute()).length, keys.length);
  for (const { store } of nodes) await store.close();
});

test("nodes that give the same keys other ends at once do not wait in a circle", async () => {
  const name = await postgres.migrated();
  const nodes = await Promise.all([open(name), open(name), open(name)]);
  const [first = fail()] = nodes;
  const world = await makeWorld(first.store, first.db);
  const keys = await Promise.all(Array.from({ length: 4 }, () => world.stored("production")));
  const uses = keys.map((key) => counted(key.id, { accepted: 1 }));
  const nextEventId = () => world.id("evt");
  const origin = () => world.origin();
  const by = { ...origin(), actor: { type: "system", id: "x", name: "x" } as const };
  const deeds = nodes.flatMap(({ store }, node) => {
    const acme = store.account(world.acme.accountId);
    const ofKeys = (node % 2 === 0 ? keys : keys.toReversed()).flatMap((key, index) => [
      acme.editKey(key.id, { expiresAtMs: START_MS + DAY_MS + index + node }, origin()),
      acme.rotateKey(key.id, world.rotation({ starts: "first_use" }), origin(), nextEventId, null),
      acme.rotateKey(
        key.id,
        world.rotation(),
        origin(),
        nextEventId,
        world.once(`${node}${index}`),
      ),
      acme.editKey(key.id, { overlapMs: 60_000 * (node + 1) }, origin()),
      store.recordUsage([batch(`src_${node}_${index}`, 1, { counts: uses })], START_MS),
      store.startOverlaps(by, nextEventId),
      acme.createKey("production", world.newKey(), origin(), null),
      ...(index === 0 ? [acme.revokeKey(key.id, null, origin(), null)] : []),
    ]);
    const ofAccount = [9, 3, 7].map((days) => acme.setKeyMaxAge(days * DAY_MS, origin()));
    return [...ofKeys, ...ofAccount];
  });
  await Promise.all(deeds);

  const changes = await world.changes();
  assert.deepEqual(
    changes.map(({ seq }) => seq),
    changes.map((_, index) => index + 1),
  );
  const rows = await first.db.selectFrom("api_key").selectAll().execute();
  for (const { expires_at: endMs, revoked_at: revokedMs } of rows)
    assert(revokedMs !== null || (endMs ?? Infinity) <= START_MS + 9 * DAY_MS);
  for (const { store } of nodes) await store.close();
});

test("a rotation and its repetition that both wait for the key's row are one, and its clock is read after", async () => {
  const name = await postgres.migrated();
  const { store, db } = await open(name);
  const world = await makeWorld(store, db);
  const key = await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
  const [rotation, origin] = [world.rotation(), world.origin()];
  let isHeld = true;
  const nowMs = () => START_MS + (isHeld ? 0 : DAY_MS);
  const outcomes: Promise<{ outcome: string }>[] = [];
  await db.transaction().execute(async (trx) => {
    await trx.selectFrom("api_key").selectAll().where("id", "=", key.id).forNoKeyUpdate().execute();
    for (let asked = 0; asked < 2; asked++)
      outcomes.push(world.acme.rotateKey(key.id, rotation, origin, world.nextEventId, null));
    outcomes.push(world.acme.editKey(key.id, { expiresAtMs: null }, world.origin(), nowMs));
    const waiting = `select pid from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await postgres.run(waiting, name)).length).toBe(3);
    isHeld = false;
  });
  const [first, again, edited] = (await Promise.all(outcomes)).map(({ outcome }) => outcome);
  assert.deepEqual([first, again], ["rotated", "rotated"]);
  assert.equal(edited, "ended");
  await store.close();
});

test("a row that is being renewed is not waited for by whoever would reap it", async () => {
  const { store, db } = await open();
  await store.leases.joinNode({ id: "node_1", leaseMs: 10_000, label: "" });
  await db.transaction().execute(async (trx) => {
    await trx.updateTable("node").set({ renewals: 1 }).execute();
    assert.equal(await store.leases.reapNode("node_1", 0), false);
  });
  assert.equal(await store.leases.reapNode("node_1", 0), false);
  assert.equal(await store.leases.reapNode("node_1", 1), true);
  await store.close();
});

test("integers are numbers, and one that is too great is an error", async () => {
  const { store, db } = await open();
  const read = (text: string) => sql`select ${sql.raw(text)}::bigint as value`.execute(db);
  assert.deepEqual((await read("9007199254740991")).rows, [{ value: 9007199254740991 }]);
  await assert.rejects(read("9007199254740992"), /beyond 2\^53/);
  assert.deepEqual((await read("-1")).rows, [{ value: -1 }]);
  await store.close();
});

test("a NUL is refused, for Postgres cannot keep it, and nothing is stored", async () => {
  const { store, db } = await open();
  const world = await makeWorld(store, db);
  const key = world.newKey({ description: "before\u0000after" });
  await assert.rejects(world.acme.createKey("production", key, world.origin(), null), (error) => {
    assert(error instanceof DatabaseError);
    assert.match(error.message, /NUL/);
    return true;
  });
  assert.equal(await world.acme.findKey(key.id), undefined);
  const metadata = { text: "before\u0000after" };
  const kept = await world.stored("production", { metadata });
  assert.deepEqual((await world.acme.findKey(kept.id))?.metadata, metadata);
  await store.close();
});

test("no error tells a digest or a password", async () => {
  const { store, db } = await open();
  const world = await makeWorld(store, db);
  const key = await world.stored("production");
  const bytes = Buffer.from(key.digest, "base64url");
  const secrets = [key.digest, bytes.toString("hex"), PASSWORD, encodeURIComponent(PASSWORD)];
  const reachable = postgres.url("store_none");
  const failures: Record<string, () => Promise<unknown>> = {
    "same digest": () =>
      world.acme.createKey(
        "production",
        world.newKey({ digest: key.digest }),
        world.origin(),
        null,
      ),
    "broken constraint": () =>
      world.acme.createKey("production", world.newKey({ token: "sk_kept" }), world.origin(), null),
    "no such database": () => openPostgres(reachable, options()),
    "wrong password": () => openPostgres(reachable.replace("hidden", "wrong"), options()),
    "no such host": () => openPostgres(reachable.replace("127.0.0.1", "host.invalid"), options()),
    "no server": () => openPostgres(reachable.replace(/:\d+\//, ":1/"), options()),
    "no address": () => openPostgres(reachable.replace(/:\d+\//, ":port/"), options()),
    "another scheme": () => openPostgres(reachable.replace("postgres:", "mysql:"), options()),
    "no certificate": () => openPostgres(`${reachable}?sslrootcert=/none`, options()),
  };
  for (const [name, fails] of Object.entries(failures))
    await assert.rejects(fails(), (error) => {
      assert(error instanceof DatabaseError || error instanceof InvalidDatabaseUrl, name);
      const told = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
      for (const secret of secrets) assert(!told.includes(secret), `${name}: ${told}`);
      return true;
    });
  await store.close();
});

test("a change wakes whoever listens with its seq, on every node, again after the link was lost", async () => {
  const name = await postgres.migrated();
  const [here, there] = [await open(name), await open(name)];
  const world = await makeWorld(here.store, here.db);
  let woken = 0;
  const waiting: ((seq: number | null) => void)[] = [];
  const wake = () => new Promise<number | null>((resolve) => waiting.push(resolve));
  const connected = wake();
  const end = there.onChange((seq) => {
    woken += 1;
    for (const resolve of waiting.splice(0)) resolve(seq);
  });
  assert.equal(await connected, null);

  const revokeOne = async () => {
    const heard = wake();
    const key = await world.stored("production");
    const revoked = await world.acme.revokeKey(key.id, null, world.origin(), null);
    assert("seq" in revoked);
    assert.equal(await heard, revoked.seq);
  };
  await revokeOne();
  const forged = wake();
  await postgres.run("select pg_notify('latchkey_change', 'not a seq')", name);
  assert.equal(await forged, null);
  const again = wake();
  await postgres.run(`select pg_terminate_backend(pid) from pg_stat_activity
    where query like 'listen %' and datname = '${name}'`);
  assert.equal(await again, null); // something may have been missed
  await revokeOne();
  end();
  const heard = woken;
  await world.store.updateAccount("acme", { name: "Unheard" }, world.origin());
  assert.equal((await there.store.ping()).seq, 3);
  assert.equal(woken, heard);
  await here.store.close();
  await there.store.close();
});

test("a connection that answers from the past is not used again", async () => {
  const name = await postgres.migrated();
  const { store, db } = await openPostgres(postgres.url(name), {
    ...options(),
    requestConnectionsMax: 1,
  });
  const backend = async () => (await sql`select pg_backend_pid() as id`.execute(db)).rows[0];
  const world = await makeWorld(store, db);
  const key = await world.stored("production");
  await world.acme.revokeKey(key.id, null, world.origin(), null);
  const before = await backend();
  assert.deepEqual(await store.ping(), { seq: 1 });
  assert.deepEqual(await backend(), before);
  await postgres.run("update change_clock set seq = 0", name);
  assert.deepEqual(await store.ping(), { seq: 0 });
  const after = await backend();
  assert.notDeepEqual(after, before);
  // A node that joins anew, as after a restored backup, starts from what it finds.
  await store.leases.joinNode({ id: "node_1", leaseMs: 10_000, label: "" });
  await store.ping();
  assert.deepEqual(await backend(), after);
  await store.close();
});

test("the migrated schema is the one on file", async () => {
  const { store, db } = await open();
  const { rows } = await sql<{ line: string }>`
    select c.table_name || '.' || c.column_name || ' ' || c.data_type
      || case when c.collation_name is null then '' else ' collate ' || c.collation_name end
      || case c.is_nullable when 'NO' then ' not null' else '' end as line
    from information_schema.columns c
    where c.table_schema = 'public' and c.table_name not like 'kysely%'
    order by c.table_name, c.ordinal_position`.execute(db);
  const constraints = await sql<{ line: string }>`
    select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) as line
    from pg_constraint
    where connamespace = 'public'::regnamespace and contype <> 'n'
      and conrelid::regclass::text not like 'kysely%'
    order by 1`.execute(db);
  const indexes = await sql<{ line: string }>`
    select indexdef as line from pg_indexes
    where schemaname = 'public' and tablename not like 'kysely%' order by indexname`.execute(db);
  await store.close();
  const dump = [rows, constraints.rows, indexes.rows]
    .map((lines) => lines.map(({ line }) => `${line}\n`).join(""))
    .join("\n");
  // Rewritten by `npx vitest run server/src/store -u`.
  await expect(
    `-- The schema that migrations/ make on Postgres, for review; a test holds the two together.\n\n${dump}`,
  ).toMatchFileSnapshot("schema.postgres.txt");
});

function fail(): never {
  throw new Error("there is none");
}
