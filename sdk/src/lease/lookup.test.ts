import { expect, test } from "vitest";
import { Failure } from "../failure.ts";
import type { KeyRecord } from "../judge.ts";
import { createLookup, type Loaded, type LookupBounds } from "./lookup.ts";

const key = (id: string, environment = "env_1", account = "acc_1"): KeyRecord => ({
  id,
  type: "secret",
  metadata: {},
  account: { id: account, slug: "acme", externalId: null },
  environment: { id: environment, slug: "production" },
  revokedAtMs: null,
  expiresAtMs: null,
});

/** A verifier's look-up over an upstream that answers when told to, in a world whose time is a variable. */
function world(bounds: Partial<LookupBounds> = {}) {
  const time = { monoMs: 1000, wallMs: 1_800_000_000_000 };
  const keys = new Map<string, KeyRecord>([
    ["d1", key("key_1")],
    ["d2", key("key_2", "env_2")],
  ]);
  const queries: {
    digests: readonly string[];
    answer: (cacheable?: boolean) => Promise<void>;
    fail: () => Promise<void>;
  }[] = [];
  const timers: { atMs: number; task: () => void }[] = [];
  let soon: (() => void)[] = [];
  const lookup = createLookup({
    clocks: { monoMs: () => time.monoMs, wallMs: () => time.wallMs },
    load: (digests) =>
      new Promise<Loaded[]>((resolve, reject) => {
        const snapshot = digests.map((digest) => keys.get(digest) ?? null);
        queries.push({
          digests,
          answer: async (cacheable = true) => {
            resolve(snapshot.map((record) => ({ key: record, cacheable })));
            await settled();
          },
          fail: async () => {
            reject(new Error("the store is gone"));
            await settled();
          },
        });
      }),
    soon: (task) => soon.push(task),
    after: (ms, task) => {
      const timer = { atMs: time.monoMs + ms, task };
      timers.push(timer);
      return () => {
        timers.splice(timers.indexOf(timer), 1);
      };
    },
    bounds,
  });
  const endTick = (): void => {
    const tasks = soon;
    soon = [];
    for (const task of tasks) task();
  };
  const pass = (ms: number): void => {
    time.monoMs += ms;
    time.wallMs += ms;
    for (const timer of timers.filter((each) => each.atMs <= time.monoMs)) timer.task();
  };
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  const lease = (ms = 10_000): void => lookup.grant(lookup.clock.read(), ms);
  /** Loads a digest and answers at once. */
  const warm = async (digest: string) => {
    const loaded = lookup.load(digest);
    endTick();
    await queries.at(-1)?.answer();
    return loaded;
  };
  return { time, keys, queries, lookup, endTick, pass, lease, warm, settled };
}

test("a loaded key is held while the lease runs, and not a moment longer", async () => {
  const { lookup, lease, warm, pass } = world();
  lease(10_000);
  expect(lookup.find("d1")).toBeUndefined();
  await warm("d1");
  pass(9_999);
  expect(lookup.find("d1")?.key.id).toBe("key_1");
  pass(1);
  expect(lookup.find("d1")).toBeUndefined();
});

test("what is held is believed again when the lease is renewed in the same session", async () => {
  const { lookup, lease, warm, pass } = world();
  lease(1_000);
  await warm("d1");
  pass(5_000);
  lease(1_000);
  expect(lookup.find("d1")?.key.id).toBe("key_1");
});

test("without a lease every request asks upstream and nothing is held", async () => {
  const { lookup, lease, warm, queries } = world();
  expect((await warm("d1"))?.key.id).toBe("key_1");
  expect((await warm("d1"))?.key.id).toBe("key_1");
  expect(queries).toHaveLength(2);
  lease();
  expect(lookup.find("d1")).toBeUndefined();
});

test("a load begun without a lease is not held although a lease runs when it lands", async () => {
  const { lookup, lease, endTick, queries } = world();
  const loaded = lookup.load("d1");
  endTick();
  lease();
  await queries[0]?.answer();
  expect((await loaded)?.key.id).toBe("key_1");
  expect(lookup.find("d1")).toBeUndefined();
});

test("a key revoked while its load is in flight is not remembered, and nobody joins that load", async () => {
  const { lookup, lease, endTick, queries, keys } = world();
  lease();
  const before = lookup.load("d1");
  endTick();
  keys.delete("d1");
  lookup.apply({ kind: "key", subject: "d1" }); // the revocation overtakes the answer
  const after = lookup.load("d1");
  endTick();
  expect(queries).toHaveLength(2);
  await queries[0]?.answer();
  expect((await before)?.key.id).toBe("key_1"); // it asked before the revocation was applied
  expect(lookup.find("d1")).toBeUndefined();
  await queries[1]?.answer();
  expect(await after).toBeNull();
  expect(lookup.find("d1")).toBeNull();
});

test.each(["environment", "account"] as const)(
  "a change of the %s drops its keys and taints every load in flight",
  async (kind) => {
    const { lookup, lease, warm, endTick, queries } = world();
    lease();
    await warm("d1");
    await warm("d2");
    const flying = lookup.load("d3");
    endTick();
    lookup.apply({ kind, subject: kind === "environment" ? "env_2" : "acc_1" });
    expect(lookup.find("d1")?.key.id).toBe(kind === "environment" ? "key_1" : undefined);
    expect(lookup.find("d2")).toBeUndefined();
    await queries.at(-1)?.answer();
    expect(await flying).toBeNull();
    expect(lookup.find("d3")).toBeUndefined(); // not even that it is unknown
  },
);

test("a load that was in flight when the lease lapsed is not held, even under the next lease", async () => {
  const { lookup, lease, endTick, queries, pass } = world();
  lease(1_000);
  const loaded = lookup.load("d1");
  endTick();
  pass(1_500);
  lease(1_000);
  await queries[0]?.answer();
  expect((await loaded)?.key.id).toBe("key_1");
  expect(lookup.find("d1")).toBeUndefined();
});

test("a load that was in flight when a session began is not held", async () => {
  const { lookup, lease, endTick, queries } = world();
  lease();
  void lookup.load("d1");
  endTick();
  lookup.forget();
  await queries[0]?.answer();
  expect(lookup.find("d1")).toBeUndefined();
});

test("an answer that is not cacheable serves those who waited and nobody else", async () => {
  const { lookup, lease, endTick, queries } = world();
  lease();
  const loaded = lookup.load("d1");
  endTick();
  await queries[0]?.answer(false);
  expect((await loaded)?.key.id).toBe("key_1");
  expect(lookup.find("d1")).toBeUndefined();
});

test("under a lease, requests for one digest share a load; different digests of one tick share a query", async () => {
  const { lookup, lease, endTick, queries } = world();
  lease();
  const loads = [lookup.load("d1"), lookup.load("d1"), lookup.load("d2")];
  endTick();
  loads.push(lookup.load("d1")); // joins although the query is on its way
  endTick();
  expect(queries.map((query) => query.digests)).toEqual([["d1", "d2"]]);
  await queries[0]?.answer();
  expect((await Promise.all(loads)).map((held) => held?.key.id)).toEqual([
    "key_1",
    "key_1",
    "key_2",
    "key_1",
  ]);
});

test("without a lease a request joins only a query that is not yet sent", async () => {
  const { lookup, endTick, queries } = world();
  const first = lookup.load("d1");
  const second = lookup.load("d1");
  endTick();
  const third = lookup.load("d1");
  endTick();
  expect(queries.map((query) => query.digests)).toEqual([["d1"], ["d1"]]);
  await queries[0]?.answer();
  await queries[1]?.answer();
  expect(
    (await Promise.all([first, second, third])).every((held) => held?.key.id === "key_1"),
  ).toBe(true);
});

test("a query is cut into batches of the bound", () => {
  const { lookup, lease, endTick, queries } = world({ batchMax: 2 });
  lease();
  for (const digest of ["a", "b", "c", "d", "e"]) lookup.load(digest).catch(() => {});
  endTick();
  expect(queries.map((query) => query.digests)).toEqual([["a", "b"], ["c", "d"], ["e"]]);
});

test("a flood of made-up digests pushes out no key", async () => {
  const { lookup, lease, warm } = world({ keysMax: 10, unknownMax: 4 });
  lease();
  await warm("d1");
  for (let i = 0; i < 100; i++) await warm(`made-up-${i}`);
  expect(lookup.find("d1")?.key.id).toBe("key_1");
  expect(lookup.find("made-up-99")).toBeNull();
  expect(lookup.find("made-up-0")).toBeUndefined();
});

test("never more keys are held than the bound, and the ones in use stay", async () => {
  const { lookup, lease, warm, keys } = world({ keysMax: 10 });
  lease();
  await warm("d1");
  for (let i = 0; i < 100; i++) {
    keys.set(`many-${i}`, key(`key_many_${i}`));
    await warm(`many-${i}`);
    expect(lookup.find("d1")?.key.id).toBe("key_1");
    expect(lookup.size).toBeLessThanOrEqual(10);
  }
});

test("upstream's failure and its silence are failures, never answers, and the next request asks again", async () => {
  const { lookup, lease, endTick, queries, pass, warm } = world();
  lease();
  const failing = expect(lookup.load("d1")).rejects.toMatchObject({
    code: "verification_unavailable",
  });
  endTick();
  await queries[0]?.fail();
  await failing;
  const silent = expect(lookup.load("d1")).rejects.toBeInstanceOf(Failure);
  endTick();
  pass(2_000);
  await silent;
  await queries[1]?.answer(); // too late: it serves nobody and is not held
  expect(lookup.find("d1")).toBeUndefined();
  expect((await warm("d1"))?.key.id).toBe("key_1");
});

test("past the bound of loads a miss fails at once", async () => {
  const { lookup, lease } = world({ loadsMax: 2 });
  lease();
  lookup.load("a").catch(() => {});
  lookup.load("b").catch(() => {});
  await expect(lookup.load("c")).rejects.toMatchObject({ code: "verification_unavailable" });
});

test("after a drop nothing is believed until the next grant", async () => {
  const { lookup, lease, warm } = world();
  lease();
  await warm("d1");
  lookup.drop();
  expect(lookup.find("d1")).toBeUndefined();
  expect(lookup.leaseRemainingMs).toBe(0);
});

test("a shorter grant never ends a longer one", () => {
  const { lookup, lease } = world();
  lease(10_000);
  lease(1_000);
  expect(lookup.leaseRemainingMs).toBe(10_000);
});

test("a slow upstream is asked in larger batches, not in more queries, and each miss is answered or fails in time", async () => {
  const { lookup, queries, endTick, pass } = world({ queriesMax: 2, loadTimeoutMs: 100 });
  const loads = ["a", "b", "c", "d"].map((digest) => {
    const load = lookup.load(digest);
    load.catch(() => {});
    endTick();
    return load;
  });
  expect(queries.map(({ digests }) => digests)).toEqual([["a"], ["b"]]);
  pass(60);
  await queries[0]?.answer();
  endTick();
  expect(queries[2]?.digests).toEqual(["c", "d"]);
  expect(await loads[0]).toBeNull();
  pass(40); // counted from the ask, though it was sent later
  for (const load of loads.slice(1))
    await expect(load).rejects.toMatchObject({ code: "verification_unavailable" });
  void lookup.load("e");
  endTick();
  expect(queries[3]?.digests).toEqual(["e"]);
});
