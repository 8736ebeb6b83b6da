import assert from "node:assert/strict";
import type { Outcome } from "@latchkey/sdk/core";
import fc from "fast-check";
import type { AccountStore, UsageAsk, UsageRow } from "../../src/store/store.ts";
import { batch, caller, counted, MINUTE_MS, NOTHING } from "./usage.ts";
import { type Check, START_MS, type World } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const ASK: UsageAsk = {
  fromMs: MINUTE_MS - DAY_MS,
  toMs: MINUTE_MS + DAY_MS,
  granularity: "minute",
  environment: null,
  keyIds: null,
  by: { key: false, environment: false },
  top: null,
};

const ONE = { accepted: 1 };

const BY_KEY = { key: true, environment: false } as const;

async function read(account: AccountStore, ask: Partial<UsageAsk>): Promise<readonly UsageRow[]> {
  const usage = await account.readUsage({ ...ASK, ...ask });
  assert(usage.outcome === "usage");
  return usage.rows;
}

/** A bucket as it is read. */
function row(counts: Partial<Record<Outcome, number>>, given: Partial<UsageRow> = {}): UsageRow {
  return {
    atMs: MINUTE_MS,
    keyId: null,
    environment: null,
    ...given,
    counts: { ...NOTHING, ...counts },
  };
}

/** Records one batch of counts. */
async function record(world: World, ...counts: readonly ReturnType<typeof counted>[]) {
  await world.store.recordUsage([batch(world.id("source"), 1, { counts })], START_MS);
}

export const usageReadingPromises: Readonly<Record<string, Check>> = {
  "usage is read as it is asked for: by key, by environment, by both, by neither": async (
    world,
  ) => {
    const { acme } = world;
    const [a, b] = [await world.stored("production"), await world.stored("production")];
    const c = await world.stored("development");
    await record(
      world,
      counted(a.id, { accepted: 1, revoked: 10 }),
      counted(b.id, { accepted: 2, type: 20 }),
      counted(c.id, { expired: 3, environment: 30 }),
    );
    const sum = { accepted: 3, revoked: 10, expired: 3, type: 20, environment: 30 };
    assert.deepEqual(await read(acme, {}), [row(sum)]);
    assert.deepEqual(await read(acme, { environment: "development" }), [
      row({ expired: 3, environment: 30 }),
    ]);
    const production = { accepted: 3, revoked: 10, type: 20 };
    assert.deepEqual(sorted(await read(acme, { by: { key: false, environment: true } })), [
      row({ expired: 3, environment: 30 }, { environment: "development" }),
      row(production, { environment: "production" }),
    ]);
    for (const top of [null, 3, 1_000]) {
      assert.deepEqual(sorted(await read(acme, { by: BY_KEY, top })), [
        row({ accepted: 1, revoked: 10 }, { keyId: a.id }),
        row({ accepted: 2, type: 20 }, { keyId: b.id }),
        row({ expired: 3, environment: 30 }, { keyId: c.id }),
      ]);
      assert.deepEqual(sorted(await read(acme, { by: { key: true, environment: true }, top })), [
        row({ accepted: 1, revoked: 10 }, { keyId: a.id, environment: "production" }),
        row({ accepted: 2, type: 20 }, { keyId: b.id, environment: "production" }),
        row({ expired: 3, environment: 30 }, { keyId: c.id, environment: "development" }),
      ]);
    }
    assert.deepEqual(await read(acme, { keyIds: [a.id, c.id, "key_nobody"] }), [
      row({ accepted: 1, revoked: 10, expired: 3, environment: 30 }),
    ]);
    assert.deepEqual(await read(acme, { keyIds: [a.id, c.id], environment: "production" }), [
      row({ accepted: 1, revoked: 10 }),
    ]);
    assert.deepEqual(await read(acme, { keyIds: [] }), []);
  },

  "the keys that are not among the top ones are together in one row a bucket": async (world) => {
    const { acme } = world;
    const keys = await Promise.all(Array.from({ length: 6 }, () => world.stored("production")));
    const [a, b, c, d, e] = keys.map(({ id }) => id);
    assert(a && b && c && d && e);
    const later = MINUTE_MS + 60_000;
    await record(
      world,
      counted(a, { accepted: 1 }),
      counted(b, { accepted: 50 }),
      counted(c, { revoked: 70 }),
      counted(d, { accepted: 5 }),
      counted(e, { expired: 2 }),
      counted(a, { accepted: 100 }, later),
      counted(b, { accepted: 3 }, later),
    );
    const expected = [
      row({ accepted: 1 }, { keyId: a }),
      row({ revoked: 70 }, { keyId: c }),
      row({ accepted: 55, expired: 2 }),
      row({ accepted: 100 }, { keyId: a, atMs: later }),
      row({ accepted: 3 }, { atMs: later }),
    ];
    const keyIds = keys.map(({ id }) => id);
    for (const ask of [{}, { environment: "production" }, { keyIds }])
      assert.deepEqual(
        sorted(await read(acme, { ...ask, by: BY_KEY, top: 2 })),
        sorted(expected),
        JSON.stringify(ask),
      );
    const both = await read(acme, { by: { key: true, environment: true }, top: 2 });
    assert.deepEqual(
      sorted(both),
      sorted(expected.map((each) => ({ ...each, environment: "production" }))),
    );
  },

  "top keys, sums and all keys agree with a plain count, in any span": async (world) => {
    const { acme } = world;
    const keys = await Promise.all(
      Array.from({ length: 8 }, (_, at) => world.stored(at % 3 ? "production" : "development")),
    );
    const all: ReturnType<typeof counted>[] = [];
    for (let at = 0; at < 600; at++) {
      const { id = "" } = keys[(at * 5 + (at >> 4)) % 8] ?? {};
      const minuteMs = MINUTE_MS + ((at * 7919) % (3 * 1_440)) * 60_000;
      all.push(counted(id, { accepted: at % 11, revoked: at % 3 }, minuteMs));
    }
    await record(world, ...all);
    const lengths = { minute: 60_000, hour: HOUR_MS, day: DAY_MS };
    const granularity = fc.constantFrom("minute", "hour", "day" as const);
    const minutes = fc.integer({ min: 0, max: 3 * 1_440 });
    await fc.assert(
      fc.asyncProperty(granularity, minutes, minutes, async (granularity, one, another) => {
        const length = lengths[granularity];
        const align = (minute: number) =>
          Math.floor((MINUTE_MS + minute * 60_000) / length) * length;
        const fromMs = align(Math.min(one, another));
        const toMs = align(Math.max(one, another)) + length;
        const used = new Map<string, number>();
        for (const { keyId, minuteMs, counts } of all)
          if (minuteMs >= fromMs && minuteMs < toMs) {
            const more = counts.accepted + counts.revoked;
            if (more > 0) used.set(keyId, (used.get(keyId) ?? 0) + more);
          }
        const ask = { granularity, fromMs, toMs };
        const totals = (rows: readonly UsageRow[]) => {
          const sums = new Map<string | null, number>();
          for (const { atMs, keyId, counts } of rows) {
            assert.equal(atMs % length, 0);
            assert(atMs >= fromMs && atMs < toMs);
            const more = Object.values(counts).reduce((sum, count) => sum + count, 0);
            sums.set(keyId, (sums.get(keyId) ?? 0) + more);
          }
          return sums;
        };
        const sum = [...used.values()].reduce((left, right) => left + right, 0);
        assert.equal(totals(await read(acme, ask)).get(null) ?? 0, sum);
        assert.deepEqual(totals(await read(acme, { ...ask, by: BY_KEY })), used);
        const top = totals(await read(acme, { ...ask, by: BY_KEY, top: 3 }));
        const rest = top.get(null) ?? 0;
        top.delete(null);
        const most = [...used.values()].sort((left, right) => right - left).slice(0, 3);
        assert.deepEqual(
          [...top.values()].sort((left, right) => right - left),
          most,
        );
        for (const [keyId, count] of top) assert.equal(count, used.get(keyId ?? ""));
        assert.equal(rest, sum - most.reduce((left, right) => left + right, 0));
      }),
      { numRuns: 60 },
    );
  },

  "what is much is read piece by piece, whole, and others have their turn in between": async (
    world,
  ) => {
    const keyIds: string[] = [];
    for (let key = 0; key < 40; key++)
      keyIds.push((await world.stored(key % 4 === 0 ? "development" : "production")).id);
    const minutes = Array.from({ length: 120 }, (_, at) => MINUTE_MS + at * 60_000);
    for (const id of keyIds) await record(world, ...minutes.map((at) => counted(id, ONE, at)));
    for (const ask of [{ top: null }, { top: 40 }, { keyIds }]) {
      let turns = 0;
      const turn = () => {
        turns += 1;
        next = setImmediate(turn);
      };
      let next = setImmediate(turn);
      const rows = await read(world.acme, { by: BY_KEY, ...ask });
      clearImmediate(next);
      assert.equal(rows.length, minutes.length * keyIds.length);
      assert(turns >= 3, `${turns} turns`);
      assert.deepEqual(
        rows.map(({ atMs }) => atMs),
        rows.map(({ atMs }) => atMs).sort(),
      );
      for (const id of keyIds)
        assert.deepEqual(
          rows.filter(({ keyId }) => keyId === id),
          minutes.map((atMs) => row(ONE, { atMs, keyId: id })),
        );
    }
  },

  "a span has its first bucket and not the one at its end": async (world) => {
    const key = await world.stored("production");
    const at = (minutes: number) => MINUTE_MS + minutes * 60_000;
    await record(world, ...[-1, 0, 1, 2].map((m) => counted(key.id, { accepted: m + 2 }, at(m))));
    const span = { fromMs: at(0), toMs: at(2) };
    const expected = [row({ accepted: 2 }, { atMs: at(0) }), row({ accepted: 3 }, { atMs: at(1) })];
    assert.deepEqual(await read(world.acme, span), expected);
    assert.deepEqual(
      await read(world.acme, { ...span, by: BY_KEY, top: 1 }),
      expected.map((each) => ({ ...each, keyId: key.id })),
    );
    assert.deepEqual(await read(world.acme, { fromMs: at(3), toMs: at(9) }), []);
  },

  "usage of an unknown or deleted environment is absent, and its keys are nowhere": async (
    world,
  ) => {
    const { acme, origin } = world;
    const [gone, stays] = [await world.stored("production"), await world.stored("development")];
    await record(world, counted(gone.id, { accepted: 1 }), counted(stays.id, { accepted: 2 }));
    assert.deepEqual(await acme.readUsage({ ...ASK, environment: "nowhere" }), {
      outcome: "absent",
    });
    await acme.deleteEnvironment("production", origin());
    assert.deepEqual(await acme.readUsage({ ...ASK, environment: "production" }), {
      outcome: "absent",
    });
    assert.deepEqual(await read(acme, {}), [row({ accepted: 2 })]);
    assert.deepEqual(await read(acme, { keyIds: [gone.id] }), []);
    assert.deepEqual(await acme.sumUsage(gone.id, 0), NOTHING);
    for (const top of [null, 5])
      assert.deepEqual(await read(acme, { by: BY_KEY, top }), [
        row({ accepted: 2 }, { keyId: stays.id }),
      ]);
  },

  "of two accounts each reads its own alone": async (world) => {
    const mine = await world.stored("production");
    const theirs = world.newKey();
    await world.other.createKey("production", theirs, world.origin(), null);
    await record(world, counted(mine.id, { accepted: 1 }), counted(theirs.id, { accepted: 90 }));
    for (const top of [null, 1]) {
      assert.deepEqual(await read(world.acme, { by: BY_KEY, top }), [
        row({ accepted: 1 }, { keyId: mine.id }),
      ]);
      assert.deepEqual(await read(world.other, { by: BY_KEY, top }), [
        row({ accepted: 90 }, { keyId: theirs.id }),
      ]);
    }
    assert.deepEqual(await read(world.acme, { environment: "production" }), [row({ accepted: 1 })]);
    assert.deepEqual(await world.acme.sumUsage(theirs.id, 0), NOTHING);
  },

  "the sum of a key is of the hours since then": async (world) => {
    const [key, another] = [await world.stored("production"), await world.stored("production")];
    const hourMs = MINUTE_MS - (MINUTE_MS % HOUR_MS);
    await record(
      world,
      ...[0, 1, 2, 30].map((hours) =>
        counted(key.id, { accepted: 10 ** hours % 9_999, revoked: 1 }, hourMs - hours * HOUR_MS),
      ),
      counted(another.id, { accepted: 500 }, hourMs),
    );
    const sum = (sinceMs: number) => world.acme.sumUsage(key.id, sinceMs);
    assert.deepEqual(await sum(hourMs - HOUR_MS), { ...NOTHING, accepted: 11, revoked: 2 });
    assert.deepEqual(await sum(hourMs - HOUR_MS + 1), { ...NOTHING, accepted: 11, revoked: 2 });
    assert.deepEqual(await sum(hourMs + HOUR_MS), NOTHING);
    assert.equal((await sum(hourMs - 40 * HOUR_MS)).revoked, 4);
    // From the beginning of time is no more than what there is.
    assert.equal((await sum(0)).revoked, 4);
    assert.deepEqual(await world.acme.sumUsage("key_nobody", 0), NOTHING);
  },

  "the callers of a key are met again, and listed newest first": async (world) => {
    const { acme, store } = world;
    const key = await world.stored("production");
    const told = (number: number, ...callers: readonly ReturnType<typeof caller>[]) =>
      store.recordUsage([batch("one", number, { callers })], START_MS);
    const at = (firstMs: number, lastMs: number) => ({ firstMs, lastMs });
    await told(
      1,
      caller({ keyId: key.id, ...at(10, 20), count: 3 }),
      caller({ keyId: key.id, userAgent: null, ...at(5, 6) }),
      caller({ keyId: key.id, address: null, userAgent: null, ...at(7, 8) }),
    );
    await told(2, caller({ keyId: key.id, ...at(2, 15), count: 4 }));
    await told(3, caller({ keyId: key.id, userAgent: null, ...at(30, 40), count: 2 }));
    const { callers, since } = await acme.listCallers(key.id, 10, 20);
    assert.deepEqual(callers, [
      { address: "203.0.113.7", userAgent: null, ...at(5, 40), count: 3 },
      { address: "203.0.113.7", userAgent: "curl/8.5.0", ...at(2, 20), count: 7 },
      { address: null, userAgent: null, ...at(7, 8), count: 1 },
    ]);
    assert.equal(since, 2);
    assert.deepEqual((await acme.listCallers(key.id, 1, 0)).callers, callers.slice(0, 1));
    assert.deepEqual(await acme.listCallers("key_nobody", 10, 0), { callers: [], since: 0 });
  },

  "the newest fifty callers of a key are kept, and another key's are left alone": async (world) => {
    const { acme, db, store } = world;
    const [key, quiet] = [await world.stored("production"), await world.stored("production")];
    await store.recordUsage(
      [batch("one", 1, { callers: [caller({ keyId: quiet.id, lastMs: 1, firstMs: 1 })] })],
      START_MS,
    );
    for (let number = 2; number <= 4; number++) {
      const callers = Array.from({ length: 40 }, (_, index) => {
        const atMs = START_MS + number * 1_000 + index;
        const address = `192.0.2.${index}`;
        return caller({
          keyId: key.id,
          address,
          userAgent: `${number}`,
          firstMs: atMs,
          lastMs: atMs,
        });
      });
      await store.recordUsage([batch("one", number, { callers })], START_MS);
    }
    const { callers } = await acme.listCallers(key.id, 100, 0);
    assert.equal(callers.length, 50);
    assert.deepEqual(
      callers.map(({ userAgent }) => userAgent),
      [...Array(40).fill("4"), ...Array(10).fill("3")],
    );
    assert.equal((await acme.listCallers(quiet.id, 100, 0)).callers.length, 1);
    const rows = await db.selectFrom("key_caller").select("key").execute();
    assert.equal(rows.length, 51);
  },
};

/** In an order that no promise is made of: by time, key and environment. */
function sorted(rows: readonly UsageRow[]): readonly UsageRow[] {
  const text = ({ atMs, keyId, environment }: UsageRow) => `${atMs} ${keyId} ${environment}`;
  return rows.toSorted((left, right) => (text(left) < text(right) ? -1 : 1));
}
