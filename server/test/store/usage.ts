import assert from "node:assert/strict";
import type { CallerUse, KeyCount, Outcome, RefusalNote } from "@latchkey/sdk/core";
import type { SourcedBatch } from "../../src/store/store.ts";
import { type Check, START_MS, type World } from "./world.ts";

/** The minute in which everything here begins. */
export const MINUTE_MS = START_MS - (START_MS % 60_000);

export const NOTHING = { accepted: 0, revoked: 0, expired: 0, type: 0, environment: 0 } as const;

/** Verifications of one key in one minute. */
export function counted(
  keyId: string,
  counts: Partial<Record<Outcome, number>>,
  minuteMs = MINUTE_MS,
): KeyCount {
  const lastAcceptedMs = counts.accepted === undefined ? 0 : minuteMs + 59_000;
  return { keyId, minuteMs, counts: { ...NOTHING, ...counts }, lastAcceptedMs };
}

/** A batch with what is given. */
export function batch(
  source: string,
  number: number,
  given: {
    readonly counts?: readonly KeyCount[];
    readonly callers?: readonly CallerUse[];
    readonly refusals?: readonly RefusalNote[];
  } = {},
): SourcedBatch {
  return { source, number, counts: [], callers: [], refusals: [], ...given };
}

/** All that was ever counted, out of each of the three tables: key by id (the sums of an environment by its slug). */
async function stored({ db }: World): Promise<Record<string, Record<string, number>>> {
  const keys = await db.selectFrom("api_key").select(["id", "number"]).execute();
  const environments = await db
    .selectFrom("environment")
    .innerJoin("account", "account.id", "environment.account_id")
    .select(["account.slug as account", "environment.slug", "environment.number"])
    .execute();
  const read = async (table: "usage_minute" | "usage_hour" | "usage_day") => {
    const sums: Record<string, Record<string, number>> = {};
    for (const row of await db.selectFrom(table).selectAll().execute()) {
      const { environment, at, key, ...counts } = row;
      const of = environments.find(({ number }) => number === environment);
      const name = keys.find(({ number }) => number === key)?.id ?? `${of?.account}/${of?.slug}`;
      const sum = sums[name] ?? {};
      for (const [column, count] of Object.entries(counts))
        if (count !== 0) sum[column] = (sum[column] ?? 0) + count;
      sums[name] = sum;
    }
    return sums;
  };
  const [minutes, hours, days] = [
    await read("usage_minute"),
    await read("usage_hour"),
    await read("usage_day"),
  ];
  assert.deepEqual(hours, minutes);
  assert.deepEqual(days, minutes);
  return minutes;
}

export const usagePromises: Readonly<Record<string, Check>> = {
  "what is counted is added up by key, and for its environment": async (world) => {
    const [a, b] = [await world.stored("production"), await world.stored("development")];
    const foreign = world.newKey();
    await world.other.createKey("production", foreign, world.origin(), null);
    await world.store.recordUsage(
      [
        batch("one", 1, {
          counts: [counted(a.id, { accepted: 3, revoked: 1 }), counted(b.id, { expired: 2 })],
        }),
        batch("two", 1, {
          counts: [
            counted(foreign.id, { type: 4 }),
            counted(a.id, { accepted: 5, environment: 6 }),
          ],
        }),
      ],
      START_MS,
    );
    assert.deepEqual(await stored(world), {
      [a.id]: { accepted: 8, revoked: 1, wrong_environment: 6 },
      "acme/production": { accepted: 8, revoked: 1, wrong_environment: 6 },
      [b.id]: { expired: 2 },
      "acme/development": { expired: 2 },
      [foreign.id]: { wrong_type: 4 },
      "other/production": { wrong_type: 4 },
    });
  },

  "a bucket begins with its minute, its hour and its day": async (world) => {
    const key = await world.stored("production");
    const atMs = Date.UTC(2026, 1, 3, 17, 42);
    const counts = [atMs, atMs + 60_000, Date.UTC(2026, 1, 3, 23, 59), Date.UTC(2026, 1, 4)].map(
      (ms) => counted(key.id, { accepted: 1 }, ms),
    );
    await world.store.recordUsage([batch("one", 1, { counts })], START_MS);
    const buckets = async (table: "usage_minute" | "usage_hour" | "usage_day") => {
      const rows = world.db.selectFrom(table).select(["at", "accepted"]).where("key", "!=", 0);
      return (await rows.orderBy("at").execute()).map(
        ({ at, accepted }) => `${new Date(at).toISOString().slice(0, 16)} ${accepted}`,
      );
    };
    assert.deepEqual(await buckets("usage_minute"), [
      "2026-02-03T17:42 1",
      "2026-02-03T17:43 1",
      "2026-02-03T23:59 1",
      "2026-02-04T00:00 1",
    ]);
    assert.deepEqual(await buckets("usage_hour"), [
      "2026-02-03T17:00 2",
      "2026-02-03T23:00 1",
      "2026-02-04T00:00 1",
    ]);
    assert.deepEqual(await buckets("usage_day"), ["2026-02-03T00:00 3", "2026-02-04T00:00 1"]);
  },

  "who reports more than anybody can have verified spoils nothing else": async (world) => {
    const key = await world.stored("production");
    for (let number = 1; number <= 3; number++) {
      const counts = Array.from({ length: 24 }, (_, hour) =>
        counted(key.id, { accepted: 8e14, revoked: 1 }, MINUTE_MS - hour * 3_600_000),
      );
      const callers = [caller({ keyId: key.id, count: 8e14 })];
      await world.store.recordUsage([batch("one", number, { counts, callers })], START_MS);
    }
    const read = await world.acme.readUsage({
      granularity: "minute",
      fromMs: MINUTE_MS - 86_400_000,
      toMs: MINUTE_MS + 60_000,
      environment: null,
      keyIds: null,
      by: { key: true, environment: false },
      top: 5,
    });
    assert(read.outcome === "usage");
    for (const { counts } of read.rows)
      assert.deepEqual([counts.accepted, counts.revoked], [1e15, 3]);
    assert.equal((await world.acme.sumUsage(key.id, 0)).revoked, 24 * 3);
    assert.equal((await world.acme.listCallers(key.id, 1, 0)).callers[0]?.count, 1e15);
  },

  "a batch counts once, however often and late it is sent": async (world) => {
    const key = await world.stored("production");
    const first = batch("one", 1, { counts: [counted(key.id, { accepted: 1 })] });
    const second = batch("one", 2, { counts: [counted(key.id, { accepted: 10 })] });
    const elsewhere = batch("two", 1, { counts: [counted(key.id, { accepted: 100 })] });
    const record = (...batches: SourcedBatch[]) => world.store.recordUsage(batches, START_MS);
    const accepted = async () => (await stored(world))[key.id]?.accepted;
    await record(first);
    await record(first);
    assert.equal(await accepted(), 1);
    await record(first, second, second);
    assert.equal(await accepted(), 11);
    await record(first);
    await record(second, elsewhere);
    assert.equal(await accepted(), 111);
    await record(elsewhere, first, second);
    assert.equal(await accepted(), 111);
    assert.equal((await stored(world))["acme/production"]?.accepted, 111);
  },

  "a batch that was stored before leaves nothing at all": async (world) => {
    const { acme, db, store } = world;
    const key = await world.stored("production");
    await store.recordUsage([batch("one", 3)], START_MS);
    const refusals = [refusal({ requestId: "req_late", keyId: key.id })];
    const callers = [caller({ keyId: key.id })];
    const counts = [counted(key.id, { accepted: 1 })];
    await store.recordUsage([batch("one", 3, { counts, callers, refusals })], START_MS);
    assert.deepEqual(await stored(world), {});
    assert.deepEqual(await db.selectFrom("key_caller").selectAll().execute(), []);
    assert.deepEqual(await db.selectFrom("refusal").selectAll().execute(), []);
    assert.equal((await acme.findKey(key.id))?.lastUsedAtMs, null);
  },

  "of many that store the same batches at once each counts once": async (world) => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => world.stored("production")));
    const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
    const sources = ["one", "two", "three"];
    const batches = (source: string, upTo: number) =>
      numbers.slice(0, upTo).map((number) => {
        const counts = keys.map(({ id }) => counted(id, { accepted: 1 }));
        return batch(source, number, { counts: number % 2 === 0 ? counts : counts.toReversed() });
      });
    await Promise.all(
      numbers.flatMap((upTo) =>
        sources.map((source, at) =>
          world.store.recordUsage(
            [...batches(source, upTo), ...batches(sources[(at + 1) % 3] ?? "", upTo)],
            START_MS,
          ),
        ),
      ),
    );
    const sums = await stored(world);
    for (const { id } of keys) assert.deepEqual(sums[id], { accepted: 30 });
    assert.deepEqual(sums["acme/production"], { accepted: 600 });
  },

  "what is told of unknown keys is dropped, and the rest of the batch kept": async (world) => {
    const { db, store } = world;
    const key = await world.stored("production");
    await store.recordUsage(
      [
        batch("one", 1, {
          counts: [counted("key_nobody", { accepted: 1 }), counted(key.id, { accepted: 2 })],
          callers: [caller({ keyId: "key_nobody" })],
          refusals: [refusal({ requestId: "req_1", keyId: "key_nobody" })],
        }),
      ],
      START_MS,
    );
    assert.deepEqual(await stored(world), {
      [key.id]: { accepted: 2 },
      "acme/production": { accepted: 2 },
    });
    assert.deepEqual(await db.selectFrom("key_caller").selectAll().execute(), []);
    assert.deepEqual(await db.selectFrom("refusal").selectAll().execute(), []);
  },

  "the last use is the last accepted one, and only moves forward": async (world) => {
    const { acme, store } = world;
    const key = await world.stored("production");
    const lastUsed = async () => (await acme.findKey(key.id))?.lastUsedAtMs;
    let number = 0;
    const use = (lastAcceptedMs: number) => {
      const counts = [{ ...counted(key.id, { accepted: 1, revoked: 1 }), lastAcceptedMs }];
      return store.recordUsage([batch("one", ++number, { counts })], START_MS);
    };
    await use(0);
    assert.equal(await lastUsed(), null);
    await use(START_MS + 5);
    await use(START_MS + 4);
    assert.equal(await lastUsed(), START_MS + 5);
    await use(0);
    await use(START_MS + 6);
    assert.equal(await lastUsed(), START_MS + 6);
    assert.deepEqual(await world.changes(), []);
  },

  "a batch of the greatest size is stored, and very many in one call": async (world) => {
    const keys = await Promise.all(Array.from({ length: 50 }, () => world.stored("production")));
    const counts = Array.from({ length: 1_000 }, (_, index) =>
      counted(keys[index % 50]?.id ?? "", { accepted: 1 }, MINUTE_MS + (index % 20) * 60_000),
    );
    const batches = Array.from({ length: 7 }, (_, index) => batch("one", index + 1, { counts }));
    await world.store.recordUsage(batches, START_MS);
    await world.store.recordUsage([], START_MS);
    assert.equal((await stored(world))["acme/production"]?.accepted, 7_000);
  },
};

/** Accepted verifications of one caller. */
export function caller(given: Partial<CallerUse> & { readonly keyId: string }): CallerUse {
  return {
    address: "203.0.113.7",
    userAgent: "curl/8.5.0",
    firstMs: START_MS,
    lastMs: START_MS,
    count: 1,
    ...given,
  };
}

/** A refusal that may be looked up. */
export function refusal(given: Partial<RefusalNote> & { readonly requestId: string }): RefusalNote {
  return {
    atMs: START_MS,
    reason: "revoked",
    keyId: null,
    types: ["secret"],
    environment: null,
    address: "203.0.113.7",
    userAgent: "curl/8.5.0",
    ...given,
  };
}
