import assert from "node:assert/strict";
import { Failure, judge, type KeyRecord } from "@latchkey/sdk/core";
import fc from "fast-check";
import { test } from "vitest";
import { ambientOf } from "../../src/ambient.ts";
import { draftAccount, setKeyMaxAge, updateAccount } from "../../src/domain/accounts.ts";
import { editKey, issueKey, type KeyDeps, revokeKey } from "../../src/domain/keys.ts";
import { rotateKey } from "../../src/domain/rotation.ts";
import { tokenMaker } from "../../src/domain/tokens.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import type { Origin } from "../../src/store/store.ts";
import { batch, counted } from "../store/usage.ts";
import { createModel, type Deed, type Expected } from "./model.ts";

const START_MS = 1_767_225_600_123;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const ASK = { types: ["secret"] } as const;

/** The real store and domain on a clock of their own, with what they left behind. */
async function openHouse(nowMs: () => number) {
  const random = seeded();
  const ambient = ambientOf({ nowMs, monoMs: () => 0, randomBytes: random });
  const { store, db } = await openSqlite(":memory:", { randomId: () => ambient.randomId("x") });
  const waitedFor = new Set<number>();
  const deps: KeyDeps & { store: typeof store } = {
    store,
    ambient,
    makeToken: tokenMaker(random, null),
    barrier: {
      publish: async () => {},
      async complete(seq) {
        waitedFor.add(seq);
        const receipt = { effectiveAtMs: nowMs(), tookMs: 1, acknowledged: 1, lapsed: 0 };
        return store.leases.recordEffective(seq, receipt);
      },
    },
  };
  const origin = (): Origin => ({
    actor: { type: "person", id: "per_ada", name: "Ada" },
    atMs: nowMs(),
    requestId: null,
    address: null,
    userAgent: null,
    eventId: ambient.sortableId("evt"),
  });
  const draft = { name: "Acme", slug: "acme", externalId: null, owner: null };
  const { record } = draftAccount(deps, draft);
  await store.createAccount(
    { ...record, environments: record.environments.map((one) => ({ ...one, keys: [] })) },
    origin(),
    null,
  );
  const account = store.account(record.id);
  const ids: string[] = [];
  const digests: string[] = [];
  let batches = 0;

  /** Remembers a key that was made, in the order of the model. */
  async function remember(id: string): Promise<number> {
    const row = await db
      .selectFrom("api_key")
      .select("digest")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    ids.push(id);
    digests.push(Buffer.from(row.digest).toString("base64url"));
    return 0;
  }

  const endAt = (livesMs: number | null): number | null =>
    livesMs === null ? null : nowMs() + livesMs;

  async function perform(deed: Deed): Promise<unknown> {
    const id = "key" in deed ? (ids[deed.key % ids.length] ?? "") : "";
    switch (deed.do) {
      case "issue": {
        const draft = { type: "secret", description: "", metadata: {} } as const;
        const asked = { ...draft, expiresAtMs: endAt(deed.livesMs) };
        const { key } = await issueKey(deps, account, "production", asked, origin(), null);
        return remember(key.id);
      }
      case "rotate": {
        const { overlapMs, starts, livesMs } = deed;
        const end = livesMs === undefined ? {} : { expiresAtMs: endAt(livesMs) };
        const ask = { overlapMs, starts, ...end };
        const { successor } = await rotateKey(deps, account, id, ask, origin(), null);
        return remember(successor.id);
      }
      case "end":
        return editKey(deps, account, id, { expiresAtMs: endAt(deed.livesMs) }, origin());
      case "overlap":
        return editKey(deps, account, id, { overlapMs: deed.overlapMs }, origin());
      case "revoke":
        return revokeKey(deps, account, id, { reason: null, wait: true }, origin(), null);
      case "use": {
        const counts = [counted(id, { accepted: 1 })];
        return store.recordUsage([batch("src_1", ++batches, { counts })], nowMs());
      }
      case "start overlaps": {
        const { eventId: _, ...by } = origin();
        const seqs = await store.startOverlaps(by, () => ambient.sortableId("evt"));
        return Promise.all(seqs.map((seq) => deps.barrier.complete(seq)));
      }
      case "suspend":
        return updateAccount(deps, "acme", { suspended: deed.suspended }, origin());
      case "maximum age":
        return setKeyMaxAge(deps, account, deed.maxAgeMs, origin());
      case "wait":
        return undefined;
    }
  }

  return {
    waitedFor,
    accountId: record.id,
    digests,
    close: () => store.close(),
    /** @returns The code of the failure, or `null`. */
    do: (deed: Deed): Promise<string | null> =>
      perform(deed).then(
        () => null,
        (error: unknown) => {
          if (error instanceof Failure) return error.code;
          throw error;
        },
      ),
    async traces() {
      const events = await db.selectFrom("audit_event").select("id").execute();
      const changes = await db.selectFrom("change").select(["seq", "subject"]).execute();
      const loaded = await store.loadKeys(digests);
      const records = loaded.keys.map((key): KeyRecord => {
        assert(key !== null, "a key is never lost");
        return key;
      });
      return { events: events.length, changes, records };
    },
    links: () =>
      db
        .selectFrom("api_key")
        .select(["id", "rotated_from", "rotated_to"])
        .orderBy("number")
        .execute(),
  };
}

type House = Awaited<ReturnType<typeof openHouse>>;
type Model = ReturnType<typeof createModel>;
type Traces = Awaited<ReturnType<House["traces"]>>;

/** Bytes that are the same at each run: nothing here depends on chance but the deeds. */
function seeded(): (count: number) => Uint8Array {
  let state = 1;
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
}

/** Holds verdicts of now and of every moment at which one is to change to the model's. */
function checkVerdicts(model: Model, { records }: Traces): void {
  const moments = [model.nowMs, ...model.ends().flatMap((ms) => [ms - 1, ms])];
  for (const atMs of moments)
    assert.deepEqual(
      records.map((record) => judge(record, ASK, atMs).ok),
      model.accepted(atMs),
      `at ${atMs - START_MS}`,
    );
}

/** Whatever differs is told to verifiers, and is waited for where it refuses what was accepted. */
function checkNews(house: House, before: Traces, after: Traces): void {
  const news = after.changes.slice(before.changes.length);
  for (const [index, was] of before.records.entries()) {
    const is = after.records[index];
    if (was.revokedAtMs === is?.revokedAtMs && was.expiresAtMs === is?.expiresAtMs) continue;
    const told = news.find(({ subject }) =>
      [house.digests[index], house.accountId].includes(subject),
    );
    assert(told !== undefined, "verifiers do not hear of it");
    const endBefore = was.expiresAtMs ?? Number.POSITIVE_INFINITY;
    const isSooner = (is?.expiresAtMs ?? Number.POSITIVE_INFINITY) < endBefore;
    if (isSooner || (was.revokedAtMs === null && is?.revokedAtMs !== null))
      assert(house.waitedFor.has(told.seq), "nobody waited until verifiers had heard of it");
  }
}

/** What has ended stays as it is; no key that lives may outlive the maximum age. */
function checkEnds(
  model: Model,
  endedBefore: readonly boolean[],
  before: Traces,
  after: Traces,
): void {
  const ended = model.ended();
  const latest = model.latest();
  for (const [index, record] of after.records.entries()) {
    const endMs = record.expiresAtMs ?? Number.POSITIVE_INFINITY;
    assert(endMs <= (latest[index] ?? 0), "a key may outlive the maximum age");
    if (endedBefore[index] !== true) continue;
    assert(ended[index]);
    assert.equal(endMs, before.records[index]?.expiresAtMs ?? Number.POSITIVE_INFINITY);
  }
}

/** A successor has one predecessor, and each names the other unless the successor had ended and another was made. */
async function checkLinks(house: House, model: Model): Promise<void> {
  const rows = await house.links();
  const ended = model.ended();
  const byId = new Map(rows.map((row, index) => [row.id, { ...row, index }]));
  for (const row of byId.values()) {
    if (row.rotated_to !== null) assert.equal(byId.get(row.rotated_to)?.rotated_from, row.id);
    if (row.rotated_from !== null && byId.get(row.rotated_from)?.rotated_to !== row.id)
      assert(ended[row.index], "a living successor was forgotten");
  }
}

async function live(deeds: readonly Deed[]): Promise<void> {
  const model = createModel(START_MS);
  const house = await openHouse(() => model.nowMs);
  try {
    for (const deed of [{ do: "issue", livesMs: null } as const, ...deeds]) {
      if (deed.do === "use" && model.accepted(model.nowMs)[model.pick(deed.key)] !== true) continue;
      const endedBefore = model.ended();
      const before = await house.traces();
      const code = await house.do(deed);
      const expected: Expected = model.do(deed);
      const after = await house.traces();
      assert.equal(code, typeof expected === "string" ? expected : null);
      const events = typeof expected === "string" ? 0 : expected;
      assert.equal(after.events - before.events, events, "audit events");
      if (typeof expected === "string") assert.deepEqual(after, before);
      checkVerdicts(model, after);
      checkNews(house, before, after);
      checkEnds(model, endedBefore, before, after);
      await checkLinks(house, model);
    }
  } finally {
    await house.close();
  }
}

const lengthMs = fc.constantFrom(SECOND_MS, HOUR_MS, DAY_MS, 10 * DAY_MS, 40 * DAY_MS);
const livesMs = fc.option(fc.oneof(lengthMs, fc.constantFrom(0, 1, -DAY_MS)));
const key = fc.nat(3);

const deed: fc.Arbitrary<Deed> = fc
  .oneof(
    { weight: 1, arbitrary: fc.record({ do: fc.constant("issue" as const), livesMs }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("rotate" as const),
        key,
        overlapMs: fc.oneof(lengthMs, fc.constant(0)),
        starts: fc.constantFrom("now" as const, "first_use" as const),
        livesMs: fc.option(livesMs, { nil: undefined, freq: 2 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("end" as const), key, livesMs }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("overlap" as const), key, overlapMs: lengthMs }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("revoke" as const), key }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("use" as const), key }) },
    { weight: 3, arbitrary: fc.constant({ do: "start overlaps" as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("suspend" as const), suspended: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("maximum age" as const),
        maxAgeMs: fc.option(fc.constantFrom(DAY_MS, 20 * DAY_MS, 60 * DAY_MS)),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        ms: fc.oneof(lengthMs, fc.constantFrom(1, 999)),
      }),
    },
  )
  .map((made) =>
    // Refused at the edge, so that nobody can ask for it.
    made.do === "rotate" && made.overlapMs === 0 ? { ...made, starts: "now" } : made,
  );

test("whatever happens to keys, their verdicts, news, audit events and links are as documented", async () => {
  const deeds = fc.array(deed, { minLength: 10, maxLength: 40 });
  await fc.assert(fc.asyncProperty(deeds, live), { numRuns: 200 });
}, 60_000);
