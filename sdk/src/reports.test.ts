import { expect, test } from "vitest";
import { createReports } from "./reports.ts";
import type { KeyUse } from "./verifier.ts";

/** Reports to a node that the test plays, in a world whose time is a variable. */
function world() {
  let nowMs = 0;
  let timers: { atMs: number; task: () => void }[] = [];
  let used: KeyUse[] = [];
  const sent: { batch: number; uses: readonly KeyUse[] }[] = [];
  const node = { isThere: true };
  const reports = createReports({
    drain: () => {
      const drained = used;
      used = [];
      return drained;
    },
    send(batch, uses) {
      if (node.isThere) sent.push({ batch, uses });
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
  const use = (keyId: string, atMs: number): void => void used.push({ keyId, atMs });
  return { reports, sent, node, pass, use, timers: () => timers.length };
}

test("uses are reported every second, and nothing is when nothing was used", () => {
  const { sent, pass, use, reports } = world();
  pass(5_000);
  expect(sent).toEqual([]);
  use("key_1", 1);
  pass(1_000);
  expect(sent).toEqual([{ batch: 1, uses: [{ keyId: "key_1", atMs: 1 }] }]);
  reports.stored(1);
  pass(60_000);
  expect(sent).toHaveLength(1);
});

test("a use that is newer than the batch under way is not taken for stored with it", () => {
  const { sent, pass, use, reports } = world();
  use("key_1", 1);
  pass(1_000);
  use("key_1", 2);
  pass(1_000);
  expect(sent).toHaveLength(1); // one batch at a time
  reports.stored(1);
  expect(sent[1]).toEqual({ batch: 2, uses: [{ keyId: "key_1", atMs: 2 }] });
});

test("a batch that could not be stored is sent again, with what was used since, and is bounded", () => {
  const { sent, pass, use } = world();
  use("key_1", 1);
  pass(1_000);
  for (let at = 0; at < 150_000; at++) use(`more_${at}`, at);
  use("key_1", 2);
  pass(6_000);
  expect(sent).toHaveLength(2);
  expect(sent[1]?.uses).toHaveLength(1_000);
  pass(60_000);
  expect(sent.length).toBeLessThan(15);
});

test("a late confirmation of a batch that was sent again confirms nothing else", () => {
  const { sent, pass, use, reports } = world();
  use("key_1", 1);
  pass(1_000);
  use("key_2", 2);
  pass(6_000);
  expect(sent).toHaveLength(2);
  reports.stored(1);
  pass(6_000);
  expect(sent[2]?.uses).toEqual(sent[1]?.uses);
});

test("a new session is told at once what the last one did not confirm", () => {
  const { sent, pass, use, reports, node } = world();
  use("key_1", 1);
  pass(1_000);
  node.isThere = false;
  use("key_2", 2);
  pass(10_000);
  node.isThere = true;
  reports.resend();
  expect(sent[1]?.uses).toEqual([
    { keyId: "key_1", atMs: 1 },
    { keyId: "key_2", atMs: 2 },
  ]);
});

test("closing reports what is left, batch after batch, and waits for each", async () => {
  const { sent, use, reports, timers } = world();
  for (let at = 0; at < 2_500; at++) use(`key_${at}`, at);
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
  expect(sent.flatMap(({ uses }) => uses)).toHaveLength(2_500);
  expect(timers()).toBe(0);
});

test("closing waits two seconds at most, and not at all when there is nothing to tell or nobody", async () => {
  const hung = world();
  hung.use("key_1", 1);
  const closing = hung.reports.close();
  hung.pass(2_000);
  await closing;
  await world().reports.close();
  const alone = world();
  alone.node.isThere = false;
  alone.use("key_1", 1);
  await alone.reports.close();
  expect([hung.timers(), alone.timers()]).toEqual([0, 0]);
});
