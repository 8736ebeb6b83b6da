import assert from "node:assert/strict";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../test/postgres.ts";
import { makeWorld, type World } from "../../test/store/world.ts";
import { openTcpLink, type TcpLink } from "../../test/tcp-link.ts";
import { type OpenPostgres, openPostgres } from "./postgres.ts";
import { DatabaseError } from "./postgres-errors.ts";
import type { Origin } from "./store.ts";

/** Statements of these stores end after 500 ms, idle transactions after 250 ms, hopes of an answer after a second. */
const LEASE_MS = 1_500;

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres.stop());

let made = 0;
const openAt = (url: string): Promise<OpenPostgres> =>
  openPostgres(url, { randomId: () => `random_${++made}`, leaseMs: LEASE_MS });

/** A store on a database of its own, reached over a link that can be cut. */
async function openLossy(): Promise<{
  name: string;
  link: TcpLink;
  world: World;
  close(): Promise<void>;
}> {
  const name = await postgres.migrated();
  const direct = new URL(postgres.url(name));
  const link = await openTcpLink(Number(direct.port));
  direct.port = `${link.port}`;
  const { store, db } = await openAt(direct.href);
  return {
    name,
    link,
    world: await makeWorld(store, db),
    async close() {
      await store.close();
      await link.close();
    },
  };
}

async function countRevocations(world: World): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*) from change) as changes,
      (select count(*) from revocation) as revocations,
      (select count(*) from audit_event where action = 'api_key.revoked') as audited,
      (select seq from change_clock) as seq`.execute(world.db);
  return rows[0];
}

test("a client that stalls with the change clock in hand holds nobody up past the time-out", async () => {
  const { store, db } = await openAt(postgres.url(await postgres.migrated()));
  const world = await makeWorld(store, db);
  const key = await world.stored("production");
  let wakeUp = (): void => {};
  let stalled = (): void => {};
  const asleep = new Promise<void>((resolve) => {
    wakeUp = resolve;
  });
  const hasStalled = new Promise<void>((resolve) => {
    stalled = resolve;
  });
  const stalling = db.transaction().execute(async (trx) => {
    await trx.updateTable("change_clock").set({ seq: 99 }).execute();
    stalled();
    await asleep;
  });
  await hasStalled;
  const revoked = await world.acme.revokeKey(key.id, null, world.origin(), null);
  assert(revoked.outcome === "revoked");
  assert.equal(revoked.seq, 1);
  wakeUp();
  await assert.rejects(stalling, DatabaseError);
  assert.deepEqual(await store.ping(), { seq: 1 });
  await store.close();
});

test("a revocation whose answer is lost is repeated, and is one revocation", async () => {
  const { link, world, close } = await openLossy();
  for (const [text, once] of [
    ["with held as", null],
    ["commit", world.once("revoke")],
  ] as const) {
    const before = await countRevocations(world);
    const key = await world.stored("production");
    link.loseAnswerTo(text);
    const revoked = await world.acme.revokeKey(key.id, "leaked", world.origin(), once);
    assert(revoked.outcome === "already_revoked");
    assert.equal(revoked.key.revokedReason, "leaked");
    assert.notDeepEqual(await countRevocations(world), before);
  }
  assert.deepEqual(await countRevocations(world), {
    changes: 2,
    revocations: 2,
    audited: 2,
    seq: 2,
  });
  await close();
});

test("backends that are killed at any moment neither lose a revocation nor double it", async () => {
  const { name, world, close } = await openLossy();
  const keys = await Promise.all(Array.from({ length: 25 }, () => world.stored("production")));
  let killing = true;
  const kill = async () => {
    while (killing)
      await postgres.run(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = '${name}' and pid <> pg_backend_pid()`);
  };
  const killer = kill();
  const confirmed: string[] = [];
  for (const key of keys)
    await world.acme.revokeKey(key.id, null, world.origin(), null).then(
      ({ outcome }) => {
        assert(outcome === "revoked" || outcome === "already_revoked");
        confirmed.push(key.id);
      },
      (error) => assert(error instanceof DatabaseError),
    );
  killing = false;
  await killer;
  for (const { id } of keys) {
    const again = await untilReached(() => world.acme.revokeKey(id, null, world.origin(), null));
    assert(again.outcome === "already_revoked" || !confirmed.includes(id));
  }
  assert.deepEqual(await countRevocations(world), {
    changes: 25,
    revocations: 25,
    audited: 25,
    seq: 25,
  });
  await close();
});

test("a link that falls silent is given up, and another is made", async () => {
  const { link, world, close } = await openLossy();
  const key = await world.stored("production");
  link.cut("answers");
  await assert.rejects(world.store.ping(), { name: "DatabaseError", ambiguous: true });
  await assert.rejects(world.acme.revokeKey(key.id, null, world.origin(), null), DatabaseError);
  link.heal();
  await world.acme.revokeKey(key.id, null, world.origin(), null);
  assert.equal((await world.changes()).length, 1);
  await close();
});

interface Taken {
  readonly outcome: string;
  readonly seq?: number;
  readonly pendingSeq?: number | null;
}

/** A deed that takes something away, prepared in a world; `after` is what whoever comes later is told. */
interface TakingAway {
  readonly deed: string;
  prepare(world: World): Promise<(own: Origin) => Promise<Taken>>;
  readonly after: Taken;
}

const REVOCATIONS: readonly TakingAway[] = [false, true].map((isOnce) => ({
  deed: isOnce ? "revokeKey, once" : "revokeKey",
  async prepare({ acme, once, stored }) {
    const { id } = await stored("production");
    return (own) => acme.revokeKey(id, null, own, isOnce ? once("revoke") : null);
  },
  after: { outcome: "already_revoked", seq: 1 },
}));

const OTHERS: readonly (TakingAway & { readonly done: string })[] = [
  {
    deed: "deleteEnvironment",
    prepare: async ({ acme }) => {
      return (own) => acme.deleteEnvironment("production", own);
    },
    done: "deleted",
    after: { outcome: "absent", pendingSeq: 1 },
  },
  {
    deed: "deleteAccount",
    prepare: async ({ store }) => {
      return (own) => store.deleteAccount("acme", own);
    },
    done: "deleted",
    after: { outcome: "absent", pendingSeq: 1 },
  },
  {
    deed: "suspend",
    prepare: async ({ store }) => {
      return (own) => store.updateAccount("acme", { suspended: true }, own);
    },
    done: "updated",
    after: { outcome: "updated", seq: 1 },
  },
];

test.each(OTHERS)(
  "$deed whose answer is lost is repeated, and known for the same deed",
  async ({ prepare, done, after }) => {
    // In the second world the answer is lost of a statement that never commits.
    for (const text of ["commit\0", "with clock as"]) {
      const { link, world, close } = await openLossy();
      const take = await prepare(world);
      await world.store.leases.readNodes(); // makes the connection
      const own = world.origin();
      link.loseAnswerTo(text);
      expect(await take(own)).toMatchObject({ outcome: done, seq: 1 });
      assert.equal((await world.changes()).length, 1);
      const events = world.db.selectFrom("audit_event").where("id", "=", own.eventId);
      assert.equal((await events.selectAll().execute()).length, 1);
      expect(await take(world.origin())).toMatchObject(after);
      await close();
    }
  },
);

test.each([...REVOCATIONS, ...OTHERS])(
  "$deed that gave up waiting for a standby does not count, nor does finding it done",
  async ({ prepare, after }) => {
    const { store, db } = await openAt(postgres.url(await postgres.migrated()));
    const world = await makeWorld(store, db);
    const take = await prepare(world);
    const isDone = async () => (await world.changes()).length === 1;
    await awaitStandby("nobody");
    try {
      for (const found of [false, true]) {
        assert.equal(await isDone(), found);
        const taking = take(world.origin());
        await Promise.all([
          assert.rejects(taking, { name: "DatabaseError", code: "01000", ambiguous: true }),
          breakOffWaits(taking),
        ]);
      }
    } finally {
      await awaitStandby("");
    }
    expect(await untilReached(() => take(world.origin()))).toMatchObject(after);
    assert.equal((await world.changes()).length, 1);
    await store.close();
  },
);

test("a transaction that the database rolled back is never reported as committed", async () => {
  const { store, db } = await openAt(postgres.url(await postgres.migrated()));
  await assert.rejects(
    db.transaction().execute(async (trx) => {
      await sql`select 1 / 0`.execute(trx).catch(() => {});
    }),
    DatabaseError,
  );
  assert.deepEqual(await store.ping(), { seq: 0 });
  await store.close();
});

test.each(["fast", "immediate"] as const)(
  "after a restart that is %s the store goes on with all that was answered",
  async (how) => {
    const { store, db } = await openAt(postgres.url(await postgres.migrated()));
    const world = await makeWorld(store, db);
    const key = await world.stored("production");
    await world.acme.revokeKey(key.id, null, world.origin(), null);
    let restarted = false;
    const failures: unknown[] = [];
    const use = async () => {
      while (!restarted)
        await store.ping().catch(async (error: unknown) => {
          failures.push(error);
          await new Promise((resolve) => setTimeout(resolve, 20));
        });
    };
    const using = [use(), use(), use()];
    await postgres.restart(how);
    restarted = true;
    await Promise.all(using);
    assert(failures.length > 0);
    for (const error of failures) assert(error instanceof DatabaseError);
    await untilReached(() => store.leases.readNodes(), 2_000);
    assert.deepEqual(await store.ping(), { seq: 1 });
    assert.equal((await world.changes()).length, 1);
    await world.stored("production");
    await store.close();
  },
);

/** Lets commits wait for a standby of this name from now on; there is none of any name. "" lets them wait no more. */
async function awaitStandby(name: string): Promise<void> {
  await postgres.run(`alter system set synchronous_standby_names = '${name}'`);
  await postgres.run("select pg_reload_conf()");
  // The server takes it up in its own time.
  const commit = () => postgres.run("select pg_logical_emit_message(true, 'probe', '')");
  while ((await breakOffWaits(commit())) !== (name !== ""));
}

/** Breaks off every commit's wait for a standby until `deed` has ended, and tells whether there was one. */
async function breakOffWaits(deed: Promise<unknown>): Promise<boolean> {
  let ended = false;
  let broken = false;
  const end = (): void => {
    ended = true;
  };
  deed.then(end, end);
  while (!ended) {
    const waits = await postgres.run(`select pg_cancel_backend(pid) from pg_stat_activity
      where wait_event = 'SyncRep'`);
    broken ||= waits.length > 0;
  }
  return broken;
}

/** Repeats what failed because the connection was lost, for as long as a caller would. */
async function untilReached<T>(ask: () => Promise<T>, ms = 5_000): Promise<T> {
  const startMs = performance.now();
  for (;;)
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof DatabaseError) || performance.now() - startMs > ms) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
