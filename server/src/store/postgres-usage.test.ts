import assert from "node:assert/strict";
import { afterAll, afterEach, beforeAll, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../test/postgres.ts";
import { batch, caller, counted, refusal } from "../../test/store/usage.ts";
import { makeWorld, START_MS, type World } from "../../test/store/world.ts";
import { openTcpLink } from "../../test/tcp-link.ts";
import { openPostgres } from "./postgres.ts";
import { DatabaseError } from "./postgres-errors.ts";
import type { SourcedBatch, Store } from "./store.ts";

const KEYS = 12;

let postgres: TestPostgres;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

afterAll(() => postgres.stop());

let made = 0;
async function openNode(url: string) {
  const options = { randomId: () => `random_${++made}`, leaseMs: 10_000 };
  const opened = await openPostgres(url, options);
  closing.push(() => opened.store.close());
  return opened;
}

/** A world with keys, seen by the first of its nodes. */
async function startNodes(count: number) {
  const name = await postgres.migrated();
  const nodes = [];
  for (let node = 0; node < count; node++) nodes.push(await openNode(postgres.url(name)));
  const [first] = nodes;
  assert(first !== undefined);
  const world = await makeWorld(first.store, first.db);
  const keys = [];
  for (let key = 0; key < KEYS; key++) keys.push((await world.stored("production")).id);
  return { name, stores: nodes.map(({ store }) => store), world, keys };
}

/** One use of each key and one caller and one refusal of each, in an order of its own. */
function batchOf(keys: readonly string[], source: string, number: number): SourcedBatch {
  const turned = [...keys.slice(number % KEYS), ...keys.slice(0, number % KEYS)];
  const ids = number % 2 === 0 ? turned : turned.toReversed();
  return batch(source, number, {
    counts: ids.map((id) => counted(id, { accepted: 1, revoked: 2 })),
    callers: ids.map((keyId) => caller({ keyId })),
    refusals: ids.map((keyId) => refusal({ requestId: `req_${source}_${number}_${keyId}`, keyId })),
  });
}

/** Holds what is stored to so many batches of {@link batchOf}. */
async function assertStored(world: World, keys: readonly string[], batches: number) {
  for (const id of keys) {
    const sum = await world.acme.sumUsage(id, 0);
    assert.deepEqual([sum.accepted, sum.revoked], [batches, 2 * batches]);
    assert.equal((await world.acme.listCallers(id, 1, 0)).callers[0]?.count, batches);
  }
  const refusals = await world.db.selectFrom("refusal").select("request_id").execute();
  assert.equal(refusals.length, batches * KEYS);
}

test("nodes that store the same batches at once count each once, and wait in no circle", async () => {
  const { keys, stores, world } = await startNodes(3);
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
  const sources = ["one", "two", "three"];
  // Every node is told everything, each in another order of sources, while the keys are changed too.
  const storing = stores.map(async (store, node) => {
    for (const number of numbers)
      await Promise.all(
        sources.map((_, at) => {
          const source = sources[(at + node) % sources.length] ?? "";
          const other = sources[(at + node + 1) % sources.length] ?? "";
          const upTo = numbers.slice(0, number);
          return store.recordUsage(
            [source, other].flatMap((of) => upTo.map((each) => batchOf(keys, of, each))),
            START_MS,
          );
        }),
      );
  });
  const editing = keys.map((id, at) =>
    at % 2 === 0
      ? world.acme.revokeKey(id, null, world.origin(), null)
      : world.acme.editKey(id, { metadata: { at: `${at}` } }, world.origin()),
  );
  const sweeping = stores.map((store) =>
    store.sweep(START_MS, {
      minutesMs: START_MS,
      hoursMs: START_MS,
      daysMs: START_MS,
      refusalsMs: START_MS,
    }),
  );
  await Promise.all([...storing, ...editing, ...sweeping]);
  await assertStored(world, keys, sources.length * numbers.length);
});

test("a batch whose answer is lost is sent again by the store, and counts once", async () => {
  const { keys, name, world } = await startNodes(1);
  const url = new URL(postgres.url(name));
  const link = await openTcpLink(Number(url.port));
  closing.push(link.close);
  url.port = `${link.port}`;
  const { store } = await openNode(url.href);
  link.loseAnswerTo("with sent as");
  await store.recordUsage([batchOf(keys, "one", 1)], START_MS);
  await assertStored(world, keys, 1);
});

test("a process that sends until it is told counts once, though backends are killed at any moment", async () => {
  const { keys, name, stores, world } = await startNodes(3);
  let killing = true;
  const kill = async () => {
    while (killing)
      await postgres.run(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = '${name}' and pid <> pg_backend_pid() and application_name = 'latchkey'`);
  };
  const send = async (store: Store, some: readonly SourcedBatch[]) => {
    for (;;)
      try {
        return await store.recordUsage(some, START_MS);
      } catch (error) {
        assert(error instanceof DatabaseError);
      }
  };
  const killer = kill();
  // Two nodes send the one's batches, as after a process found another node: neither knows of the other's answers.
  await Promise.all(
    stores.map(async (store, node) => {
      const source = node === 0 ? "alone" : "shared";
      for (let number = 1; number <= 12; number++)
        await send(store, [batchOf(keys, source, number)]);
    }),
  ).finally(() => {
    killing = false;
  });
  await killer;
  // What lay idle meanwhile was lost too.
  for (;;)
    try {
      await assertStored(world, keys, 24);
      break;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
    }
});

test("what is stored is said to be, though callers that are too many cannot be dropped yet", async () => {
  const { name, keys, stores, world } = await startNodes(1);
  const [store] = stores;
  const [keyId = ""] = keys;
  assert(store !== undefined);
  const sixty = (source: string): SourcedBatch => {
    const callers = Array.from({ length: 60 }, (_, at) =>
      caller({ keyId, address: `192.0.2.${at}`, lastMs: START_MS + at }),
    );
    return batch(source, 1, { counts: [counted(keyId, { accepted: 60 })], callers });
  };
  const kept = async () => (await world.db.selectFrom("key_caller").selectAll().execute()).length;
  await postgres.run(
    `create function refuse() returns trigger as 'begin raise ''not now''; end' language plpgsql;
    create trigger refuse before delete on key_caller for each row execute function refuse()`,
    name,
  );
  await store.recordUsage([sixty("one")], START_MS);
  assert.equal((await world.acme.sumUsage(keyId, 0)).accepted, 60);
  assert.equal(await kept(), 60);
  await postgres.run("drop trigger refuse on key_caller", name);
  await store.recordUsage([sixty("two")], START_MS);
  assert.equal(await kept(), 50);
});
