import { createTally, type HeldKey, type KeyCount, type UsageBatch } from "@latchkey/sdk/core";
import { pino } from "pino";
import { expect, test } from "vitest";
import { playTime } from "../../../test/played-time.ts";
import type { SourcedBatch } from "../../store/store.ts";
import { createCollector } from "./collect.ts";

const NOON_MS = Date.UTC(2026, 0, 2, 12);
const MINUTE_MS = 60_000;
const NONE = { accepted: 0, revoked: 0, expired: 0, type: 0, environment: 0 };

const held = (id: string): HeldKey => ({
  key: {
    id,
    type: "secret",
    metadata: {},
    account: { id: "acc_1", slug: "acme", externalId: null },
    environment: { id: "env_1", slug: "production" },
    revokedAtMs: null,
    expiresAtMs: null,
  },
  tally: null,
});

/** A collector on a store that the test plays, in a world whose time is a variable. */
function world({ callersKept = true } = {}) {
  const { ambient, pass } = playTime(NOON_MS);
  const statements: (readonly SourcedBatch[])[] = [];
  const store = { answer: (): Promise<void> => Promise.resolve() };
  const tally = createTally();
  const collector = createCollector({
    store: {
      recordUsage(batches) {
        statements.push(batches);
        return store.answer();
      },
    },
    ambient,
    logger: pino({ level: "silent" }),
    tally,
    callersKept,
  });
  /** Lets everything happen that needs no time. */
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const sources = () =>
    statements.map((batches) =>
      batches.map(({ source, number }) => `${source.slice(0, 5)} ${number}`),
    );
  return { collector, tally, store, statements, sources, pass, settled };
}

const count = (keyId: string, fields: Partial<KeyCount> = {}): KeyCount => ({
  keyId,
  minuteMs: NOON_MS,
  counts: { ...NONE, accepted: 1 },
  lastAcceptedMs: NOON_MS,
  ...fields,
});

const batch = (number: number, counts: readonly KeyCount[] = [count("key_1")]): UsageBatch => ({
  number,
  counts,
  callers: [],
  refusals: [],
});

test("what is counted here and below is stored in one statement a second", async () => {
  const { collector, tally, sources, statements, pass } = world();
  collector.start();
  await pass(500);
  const stored: number[] = [];
  for (const number of [1, 2])
    void collector.take(`src_${number}`, batch(number), false).then(() => stored.push(number));
  tally.accepted(held("key_own"), NOON_MS + 400, undefined);
  await pass(400);
  expect([sources(), stored]).toEqual([[], []]);
  await pass(100);
  expect(sources()).toEqual([["src_1 1", "src_2 2", "src_0 1"]]);
  expect(stored).toEqual([1, 2]);
  expect(statements[0]?.[2]?.counts).toMatchObject([{ keyId: "key_own", counts: { accepted: 1 } }]);
  await pass(10_000);
  expect(statements).toHaveLength(1); // nothing new, nothing stored
});

test("those below are stored once a second though nothing is counted here", async () => {
  const { collector, sources, pass } = world();
  collector.start();
  void collector.take("src_1", batch(1), false);
  await pass(1_000);
  expect(sources()).toEqual([["src_1 1"]]);
});

test("who has more to tell does not wait", async () => {
  const { collector, sources, settled } = world();
  collector.start();
  void collector.take("src_1", batch(1), false);
  await collector.take("src_2", batch(1), true);
  await settled();
  expect(sources()).toEqual([["src_1 1", "src_2 1"]]);
});

test("very many counts are stored a thousand at a time, one statement after the other", async () => {
  const { collector, statements, store, settled } = world();
  let free = (): void => {};
  store.answer = () => new Promise((resolve) => (free = resolve));
  const thousand = Array.from({ length: 1_000 }, (_, at) => count(`key_${at}`));
  const taken = [1, 2, 3].map((number) => collector.take("src_1", batch(number, thousand), true));
  for (let at = 1; at <= 3; at++) {
    await settled();
    expect(statements).toHaveLength(at);
    free();
  }
  await Promise.all(taken);
});

test("what is not certain to be stored is said to be, and nothing of a source overtakes it", async () => {
  const { collector, tally, store, sources, statements, pass, settled } = world();
  collector.start();
  store.answer = () => Promise.reject(new Error("away"));
  const thousand = Array.from({ length: 1_000 }, (_, at) => count(`key_${at}`));
  const outcomes = [1, 2].map((number) =>
    collector.take("src_1", batch(number, thousand), true).then(
      () => "stored",
      () => "again",
    ),
  );
  expect(await Promise.all(outcomes)).toEqual(["again", "again"]);
  expect(statements).toHaveLength(1);

  tally.accepted(held("key_own"), NOON_MS, undefined);
  await pass(1_000);
  tally.accepted(held("key_own"), NOON_MS, undefined);
  await pass(1_000);
  store.answer = () => Promise.resolve();
  await pass(1_000);
  await settled();
  expect(sources().slice(1)).toEqual([["src_0 1"], ["src_0 1"], ["src_0 1"], ["src_0 2"]]);
  expect(statements[2]).toEqual(statements[1]);
  expect(statements[3]).toEqual(statements[1]);
  expect(statements[4]?.[0]?.counts).toMatchObject([{ counts: { accepted: 1 } }]);
});

test("a stop stores all that is left, of this process and of those below", async () => {
  const { collector, tally, sources, statements } = world();
  collector.start();
  void collector.take("src_1", batch(4), false);
  for (let key = 0; key < 1_500; key++) tally.accepted(held(`key_${key}`), NOON_MS, undefined);
  await collector.stop();
  expect(sources().flat()).toEqual(["src_1 4", "src_0 1", "src_0 2"]);
  expect(statements.flat().flatMap(({ counts }) => counts)).toHaveLength(1_501);
});

test("a stop stores what is left though the store fails once", async () => {
  const { collector, tally, store, statements, pass, settled } = world();
  collector.start();
  tally.accepted(held("key_1"), NOON_MS, undefined);
  store.answer = () => {
    store.answer = () => Promise.resolve();
    return Promise.reject(new Error("away"));
  };
  const stopped = collector.stop();
  await settled();
  expect(statements).toHaveLength(1);
  await pass(200);
  await stopped;
  expect(statements).toHaveLength(2);
  expect(statements[1]).toEqual(statements[0]);
});

test("a verifier whose clock is ahead tells nothing of the future", async () => {
  const { collector, statements } = world();
  const farMs = NOON_MS + 100 * MINUTE_MS;
  await collector.take(
    "src_1",
    {
      number: 1,
      counts: [count("key_1", { minuteMs: farMs, lastAcceptedMs: farMs + 5 })],
      callers: [
        { keyId: "key_1", address: null, userAgent: "a", firstMs: farMs, lastMs: farMs, count: 1 },
      ],
      refusals: [
        {
          requestId: "req_1",
          atMs: farMs,
          reason: "revoked",
          keyId: "key_1",
          types: ["secret"],
          environment: null,
          address: null,
          userAgent: null,
        },
      ],
    },
    true,
  );
  expect(statements[0]?.[0]).toMatchObject({
    counts: [{ minuteMs: NOON_MS, lastAcceptedMs: NOON_MS }],
    callers: [{ firstMs: NOON_MS, lastMs: NOON_MS }],
    refusals: [{ atMs: NOON_MS }],
  });
});

test("where callers are not kept, nobody's address or User-Agent reaches the store", async () => {
  const { collector, tally, statements } = world({ callersKept: false });
  const who = { address: "192.0.2.1", userAgent: "curl" };
  tally.accepted(held("key_1"), NOON_MS, who);
  const note = { requestId: "req_1", atMs: NOON_MS, reason: "revoked" as const, keyId: "key_1" };
  const below = {
    ...batch(1),
    callers: [{ keyId: "key_1", ...who, firstMs: 1, lastMs: 1, count: 1 }],
    refusals: [{ ...note, types: ["secret" as const], environment: null, ...who }],
  };
  collector.start();
  void collector.take("src_1", below, false);
  await collector.stop();
  expect(statements.flat()).toHaveLength(2);
  expect(JSON.stringify(statements)).not.toMatch(/192\.0\.2\.1|curl/);
  expect(statements.flat()[0]?.refusals).toMatchObject([{ requestId: "req_1", address: null }]);
});

test.each([
  ["batches", 12_000, [count("key_1")], 10_000],
  ["counts", 500, Array.from({ length: 1_000 }, (_, at) => count(`key_${at}`)), 400],
] as const)("who floods with %s is told to try again, until some are stored", async (...given) => {
  const [, sent, counts, queued] = given;
  const { collector, store, settled } = world();
  let answer = (): void => {};
  store.answer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  let refused = 0;
  const send = (number: number): void => {
    collector.take("src_1", batch(number, counts), true).catch(() => {
      refused += 1;
    });
  };
  for (let number = 1; number <= sent; number++) send(number);
  await settled();
  expect(refused).toBe(sent - queued - 1); // one is being stored
  answer();
  await settled();
  refused = 0;
  send(sent + 1);
  await settled();
  expect(refused).toBe(0);
});
