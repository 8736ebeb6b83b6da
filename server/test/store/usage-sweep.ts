import assert from "node:assert/strict";
import { sql } from "kysely";
import type { UsageKept } from "../../src/store/store.ts";
import { sweepRefusals } from "../../src/store/usage-sweep.ts";
import { batch, caller, counted, refusal } from "./usage.ts";
import { type Check, KEPT, type World } from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A moment that a day begins with, a thousand days on. */
const NOW_MS = Date.UTC(2028, 8, 27);

const NEVER: UsageKept = {
  minutesMs: NOW_MS,
  hoursMs: NOW_MS,
  daysMs: NOW_MS,
  refusalsMs: NOW_MS,
};

/** Of every key's own buckets, how long before now each began. */
async function ages({ db }: World, table: "usage_minute" | "usage_hour" | "usage_day") {
  const query = db.selectFrom(table).select("at").where("key", "!=", 0).orderBy("at", "desc");
  return (await query.execute()).map(({ at }) => NOW_MS - at);
}

export const usageSweepPromises: Readonly<Record<string, Check>> = {
  "a sweep drops each bucket when it is older than its kind is kept": async (world) => {
    const key = await world.stored("production");
    const foreign = world.newKey();
    await world.other.createKey("production", foreign, world.origin(), null);
    const all = [1, 2, 3, 50].map((days) => days * DAY_MS);
    const counts = [key, foreign].flatMap(({ id }) =>
      all.map((ageMs) => counted(id, { accepted: 1 }, NOW_MS - ageMs)),
    );
    await world.store.recordUsage([batch("one", 1, { counts })], NOW_MS);
    const kept = { ...NEVER, minutesMs: DAY_MS, hoursMs: 2 * DAY_MS, daysMs: 3 * DAY_MS };
    await world.store.sweep(NOW_MS, NEVER);
    const twice = (ages: readonly number[]) => ages.flatMap((age) => [age, age]);
    assert.deepEqual(await ages(world, "usage_minute"), twice(all));
    await world.store.sweep(NOW_MS, kept);
    assert.deepEqual(await ages(world, "usage_minute"), twice(all.slice(0, 1)));
    assert.deepEqual(await ages(world, "usage_hour"), twice(all.slice(0, 2)));
    assert.deepEqual(await ages(world, "usage_day"), twice(all.slice(0, 3)));
    // The sums of environments go with what they are sums of.
    const sums = await world.db
      .selectFrom("usage_hour")
      .select("at")
      .where("key", "=", 0)
      .execute();
    assert.equal(sums.length, 4);
    await world.store.sweep(NOW_MS + MINUTE_MS, kept);
    assert.deepEqual(await ages(world, "usage_minute"), []);
  },

  "a sweep of very many buckets drops them all, and only them": async (world) => {
    const key = await world.stored("production");
    const young = counted(key.id, { accepted: 1 }, NOW_MS);
    await world.store.recordUsage([batch("one", 1, { counts: [young] })], NOW_MS);
    const many = sql`with recursive n (n) as (select 1 union all select n + 1 from n where n < 12000)`;
    await sql`insert into usage_minute (environment, at, key, accepted, revoked, expired, wrong_type,
        wrong_environment) ${many}
      select environment, n * 60000, key, 1, 0, 0, 0, 0 from usage_minute, n where key <> 0`.execute(
      world.db,
    );
    await world.store.sweep(NOW_MS, KEPT);
    assert.deepEqual(await ages(world, "usage_minute"), [0]);
  },

  "a sweep drops callers that do not come any more, and processes that are long gone": async (
    world,
  ) => {
    const { acme, store } = world;
    const key = await world.stored("production");
    const at = (ageMs: number, userAgent: string) =>
      caller({ keyId: key.id, userAgent, firstMs: 1, lastMs: NOW_MS - ageMs });
    const callers = [at(KEPT.hoursMs, "stays"), at(KEPT.hoursMs + 1, "goes")];
    await store.recordUsage([batch("recent", 1, { callers })], NOW_MS - 30 * DAY_MS);
    await store.recordUsage([batch("gone", 1)], NOW_MS - 30 * DAY_MS - 1);
    await store.sweep(NOW_MS, KEPT);
    const { callers: left } = await acme.listCallers(key.id, 10, 0);
    assert.deepEqual(
      left.map(({ userAgent }) => userAgent),
      ["stays"],
    );
    const sources = await world.db.selectFrom("usage_source").select("id").execute();
    assert.deepEqual(sources, [{ id: "recent" }]);
  },

  "a sweep drops refusals by their age, of accounts and of none": async (world) => {
    const key = await world.stored("production");
    const refusals = [key.id, null].flatMap((keyId) =>
      [0, 1].map((over) =>
        refusal({
          requestId: `req_${keyId === null ? "none" : "mine"}_${over}`,
          keyId,
          atMs: NOW_MS - KEPT.refusalsMs - over,
        }),
      ),
    );
    await world.store.recordUsage([batch("one", 1, { refusals })], NOW_MS);
    await world.store.sweep(NOW_MS, KEPT);
    const left = await world.db
      .selectFrom("refusal")
      .select("request_id")
      .orderBy("request_id")
      .execute();
    assert.deepEqual(left, [{ request_id: "req_mine_0" }, { request_id: "req_none_0" }]);
  },

  "of too many refusals the newest are kept": async (world) => {
    const refusals = Array.from({ length: 10 }, (_, index) =>
      refusal({ requestId: `req_${index}`, atMs: NOW_MS + ((index * 3) % 5) }),
    );
    await world.store.recordUsage([batch("one", 1, { refusals })], NOW_MS);
    const left = async () =>
      (await world.db.selectFrom("refusal").select("request_id").execute())
        .map(({ request_id }) => request_id)
        .sort();
    await sweepRefusals(world.db, { locksRows: false }, 0, 10);
    assert.equal((await left()).length, 10);
    await sweepRefusals(world.db, { locksRows: false }, 0, 3);
    // By time 3 and 8 are the newest (+4), then 1 and 6 (+3), of which the greater id.
    assert.deepEqual(await left(), ["req_3", "req_6", "req_8"]);
  },

  "nodes that sweep while others count lose nothing": async (world) => {
    const { store } = world;
    const keys = await Promise.all(Array.from({ length: 10 }, () => world.stored("production")));
    const counts = keys.flatMap(({ id }) => [
      counted(id, { accepted: 1 }, NOW_MS),
      counted(id, { accepted: 1 }, NOW_MS - 2 * DAY_MS),
    ]);
    const callers = keys.map(({ id }) => caller({ keyId: id, firstMs: NOW_MS, lastMs: NOW_MS }));
    await Promise.all([
      ...Array.from({ length: 12 }, (_, index) =>
        store.recordUsage([batch(`source ${index}`, 1, { counts, callers })], NOW_MS),
      ),
      ...Array.from({ length: 6 }, () => store.sweep(NOW_MS, KEPT)),
    ]);
    await store.sweep(NOW_MS, KEPT);
    const minutes = await world.db
      .selectFrom("usage_minute")
      .selectAll()
      .where("key", "!=", 0)
      .execute();
    assert.deepEqual(
      minutes.map(({ at, accepted }) => [at, accepted]),
      Array(10).fill([NOW_MS, 12]),
    );
    assert.equal((await ages(world, "usage_hour")).length, 20);
    for (const { id } of keys)
      assert.equal((await world.acme.listCallers(id, 1, 0)).callers[0]?.count, 12);
  },
};
