import { expect, test } from "vitest";
import { createReports } from "./reports.ts";
import type { DrainedCount } from "./tally.ts";
import type { CallerUse, Outcome, RefusalNote, UsageBatch } from "./usage.ts";

const MINUTE_MS = 60_000;
const NONE = { accepted: 0, revoked: 0, expired: 0, type: 0, environment: 0 };

/** Reports to a node that the test plays, in a world whose time is a variable. */
function world() {
  let nowMs = 0;
  let timers: { atMs: number; task: () => void }[] = [];
  let counted: DrainedCount[] = [];
  let refusals: RefusalNote[] = [];
  const sent: { batch: UsageBatch; hurry: boolean }[] = [];
  const node = { isThere: true };
  const reports = createReports({
    drain() {
      const drained = { counts: counted, refusals };
      counted = [];
      refusals = [];
      return drained;
    },
    send(batch, hurry) {
      if (node.isThere) sent.push({ batch: structuredClone(batch), hurry });
      return node.isThere;
    },
    after(ms, task) {
      const timer = { atMs: nowMs + ms, task };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
  });
  const pass = (ms: number): void => {
    const endMs = nowMs + ms;
    for (;;) {
      const [due] = timers.filter((each) => each.atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (due === undefined) break;
      timers = timers.filter((each) => each !== due);
      nowMs = due.atMs;
      due.task();
    }
    nowMs = endMs;
  };
  /** Some verdicts of a key. */
  const count = (keyId: string, times = 1, minute = 0, outcome: Outcome = "accepted"): void => {
    const minuteMs = minute * MINUTE_MS;
    const lastAcceptedMs = outcome === "accepted" ? minuteMs + times : 0;
    const counts = { ...NONE, [outcome]: times };
    counted.push({ count: { keyId, minuteMs, counts, lastAcceptedMs }, callers: [] });
  };
  const call = (keyId: string, address: string, atMs: number): void => {
    const uses: CallerUse[] = [
      { keyId, address, userAgent: null, firstMs: atMs, lastMs: atMs, count: 1 },
    ];
    const each = { keyId, minuteMs: 0, counts: { ...NONE, accepted: 1 }, lastAcceptedMs: atMs };
    counted.push({ count: each, callers: uses });
  };
  const refuse = (requestId: string): void => {
    const nobody = { keyId: null, address: null, userAgent: null, environment: null };
    refusals.push({ requestId, atMs: 1, reason: "unknown", types: [], ...nobody });
  };
  const total = (): number =>
    sent.flatMap(({ batch }) => batch.counts).reduce((sum, each) => sum + each.counts.accepted, 0);
  return { reports, sent, node, pass, count, call, refuse, total, timers: () => timers.length };
}

test("what was counted is reported every second, and nothing is when nothing was", () => {
  const { sent, pass, count, reports } = world();
  pass(5_000);
  expect(sent).toEqual([]);
  count("key_1", 3);
  pass(1_000);
  const counts = [
    { keyId: "key_1", minuteMs: 0, counts: { ...NONE, accepted: 3 }, lastAcceptedMs: 3 },
  ];
  expect(sent).toEqual([{ batch: { number: 1, counts, callers: [], refusals: [] }, hurry: false }]);
  reports.stored(1);
  pass(60_000);
  expect(sent).toHaveLength(1);
});

test("what is counted while a batch is under way is in the next one, and in no other", () => {
  const { sent, pass, count, reports } = world();
  count("key_1", 1);
  pass(1_000);
  count("key_1", 2);
  pass(1_000);
  expect(sent).toHaveLength(1); // one batch at a time
  reports.stored(1);
  expect(sent[1]?.batch).toMatchObject({ number: 2, counts: [{ counts: { accepted: 2 } }] });
  reports.stored(2);
  pass(10_000);
  expect(sent).toHaveLength(2);
});

test("a batch that is not confirmed is sent again as it was, whatever was counted since", () => {
  const { sent, pass, count, reports } = world();
  count("key_1", 1);
  pass(1_000);
  count("key_1", 10);
  pass(6_000);
  expect(sent).toHaveLength(2);
  expect(sent[1]?.batch).toEqual(sent[0]?.batch);
  reports.unstored(1);
  pass(1_000);
  expect(sent[2]?.batch).toEqual(sent[0]?.batch);
  reports.stored(1);
  expect(sent[3]?.batch).toMatchObject({ number: 2, counts: [{ counts: { accepted: 10 } }] });
});

test("a confirmation that comes twice, or of a batch of long ago, confirms nothing else", () => {
  const { sent, pass, count, reports } = world();
  count("key_1");
  pass(1_000);
  reports.stored(1);
  count("key_2");
  pass(1_000);
  reports.stored(1);
  reports.unstored(1);
  pass(6_000);
  expect(sent.map(({ batch }) => batch.number)).toEqual([1, 2, 2]);
});

test("a new session is sent at once what the last one did not confirm, and then the rest", () => {
  const { sent, pass, count, reports, node, total } = world();
  count("key_1");
  pass(1_000);
  node.isThere = false;
  count("key_1", 5);
  pass(10_000);
  expect(sent).toHaveLength(1);
  node.isThere = true;
  reports.resend();
  expect(sent[1]).toEqual({ batch: sent[0]?.batch, hurry: true });
  reports.stored(1);
  expect(sent[2]?.batch.number).toBe(2);
  expect(total() - 1).toBe(6);
});

test("of very many keys each is in one batch, and all but the last are in a hurry", () => {
  const { sent, count, pass, reports } = world();
  for (let at = 0; at < 2_500; at++) count(`key_${at}`);
  pass(1_000);
  reports.stored(1);
  reports.stored(2);
  expect(sent.map(({ batch, hurry }) => [batch.counts.length, hurry])).toEqual([
    [1_000, true],
    [1_000, true],
    [500, false],
  ]);
  expect(new Set(sent.flatMap(({ batch }) => batch.counts.map(({ keyId }) => keyId))).size).toBe(
    2_500,
  );
});

test("what cannot be sent is added up by key and minute", () => {
  const { sent, count, pass, reports, node } = world();
  count("key_1", 1, 0);
  pass(1_000);
  node.isThere = false;
  for (let second = 0; second < 10; second++) {
    count("key_1", 2, 0);
    count("key_1", 1, 1, "expired");
    pass(1_000);
  }
  node.isThere = true;
  reports.stored(1);
  expect(sent[1]?.batch.counts).toEqual([
    { keyId: "key_1", minuteMs: 0, counts: { ...NONE, accepted: 20 }, lastAcceptedMs: 2 },
    { keyId: "key_1", minuteMs: MINUTE_MS, counts: { ...NONE, expired: 10 }, lastAcceptedMs: 0 },
  ]);
});

test("what is too much by minutes is added up by hours", () => {
  const { sent, count, pass, reports, node, total } = world();
  node.isThere = false;
  for (let minute = 2; minute < 100; minute++)
    for (let key = 0; key < 2_000; key++) count(`key_${key}`, 1, minute);
  pass(1_000);
  count("key_late", 1, 100);
  pass(1_000); // the batches of the last drain are made when they are needed
  node.isThere = true;
  reports.resend();
  for (let number = 1; number < 20; number++) reports.stored(number);
  expect(total()).toBe(98 * 2_000 + 1);
  expect(sent[1]?.batch.counts.every(({ minuteMs }) => minuteMs % (60 * MINUTE_MS) === 0)).toBe(
    true,
  );
  expect(sent.length).toBeLessThan(15);
  expect(reports.lost).toBe(0);
});

test("what is kept for later is bounded, and what was given up is told", () => {
  const { sent, count, refuse, pass, reports, node, total } = world();
  node.isThere = false;
  for (let key = 0; key < 150_000; key++) count(`key_${key}`, 2);
  for (let at = 0; at < 5_000; at++) refuse(`req_${at}`);
  pass(1_000);
  pass(1_000);
  expect(reports.lost).toBe(2 * 49_000); // the first batch had its number by then
  node.isThere = true;
  reports.resend();
  for (let number = 1; number < 200; number++) reports.stored(number);
  expect(total()).toBe(2 * 101_000);
  const kept = sent.flatMap(({ batch }) => batch.refusals.map(({ requestId }) => requestId));
  expect(kept).toHaveLength(1_000);
  expect(kept.at(-1)).toBe("req_4999");
});

test("callers of a key are added up, with when they were first and last seen", () => {
  const { sent, call, count, pass, reports } = world();
  count("key_0");
  pass(1_000); // while this batch is under way
  for (const [address, atMs] of [
    ["192.0.2.1", 10],
    ["192.0.2.2", 20],
    ["192.0.2.1", 30],
  ] as const) {
    call("key_1", address, atMs);
    pass(1_000);
  }
  reports.stored(1);
  expect(sent[1]?.batch.callers).toEqual([
    { keyId: "key_1", address: "192.0.2.2", userAgent: null, firstMs: 20, lastMs: 20, count: 1 },
    { keyId: "key_1", address: "192.0.2.1", userAgent: null, firstMs: 10, lastMs: 30, count: 2 },
  ]);
});

test("closing reports what is left in a hurry, batch after batch, and waits for each", async () => {
  const { sent, count, reports, timers, total } = world();
  for (let at = 0; at < 2_500; at++) count(`key_${at}`);
  let closed = false;
  const closing = reports.close().then(() => {
    closed = true;
  });
  reports.stored(1);
  reports.stored(2);
  await Promise.resolve();
  expect([sent.length, closed]).toEqual([3, false]);
  reports.stored(3);
  await closing;
  expect(total()).toBe(2_500);
  expect(sent.every(({ hurry }) => hurry)).toBe(true);
  expect(timers()).toBe(0);
});

test("closing sends again what could not be stored, and gives up when nothing is for two seconds", async () => {
  const { sent, count, reports, pass, timers } = world();
  for (let at = 0; at < 2_500; at++) count(`key_${at}`);
  const closing = reports.close();
  reports.unstored(1);
  expect(sent).toHaveLength(1);
  pass(100);
  expect(sent.map(({ batch }) => batch.number)).toEqual([1, 1]);
  pass(1_800);
  reports.stored(1);
  pass(1_800);
  reports.stored(2);
  reports.unstored(3);
  pass(1_900);
  expect(sent.map(({ batch }) => batch.number)).toEqual([1, 1, 2, 3, 3]);
  reports.unstored(3);
  pass(100);
  await closing;
  reports.unstored(3); // news that come too late
  expect(timers()).toBe(0);
});

test("closing waits two seconds at most, and not at all when there is nothing to tell or nobody", async () => {
  const hung = world();
  hung.count("key_1");
  const closing = hung.reports.close();
  hung.pass(2_000);
  await closing;
  await world().reports.close();
  const alone = world();
  alone.node.isThere = false;
  alone.count("key_1");
  await alone.reports.close();
  expect([hung.timers(), alone.timers()]).toEqual([0, 0]);
});
