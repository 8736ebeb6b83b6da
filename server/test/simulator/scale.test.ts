import { expect, test } from "vitest";
import { playScale, type ScaleOptions, type ScaleOutcome } from "./scale.ts";

const HERE = { name: "here", storeRttMs: 1.5, nodes: 2 };
const AFAR = { name: "afar", storeRttMs: 90, nodes: 2 };

const CALM: ScaleOptions = {
  seed: 1,
  leaseMs: 10_000,
  places: [HERE],
  verifiers: 20,
  verifierRttMs: 1,
  notify: true,
  revocations: 20,
};

const times = ({ revoked }: ScaleOutcome): number[] => revoked.map(({ answeredMs }) => answeredMs);
const slowest = (outcome: ScaleOutcome): number => Math.max(...times(outcome));

test("where nothing goes wrong everybody confirms, nobody is waited out, and nobody accepts late", async () => {
  const { revoked, violations } = await playScale({ ...CALM, places: [HERE, AFAR] });
  expect(violations).toEqual([]);
  expect(revoked).toHaveLength(CALM.revocations);
  for (const each of revoked) {
    expect(each).toMatchObject({ acknowledged: 24, lapsed: 0 });
    expect(each.ackedMs).toBeGreaterThan(0);
    expect(each.ackedMs).toBeLessThan(each.answeredMs);
  }
});

test("a revocation takes some round trips of the farthest node, however many verifiers there are", async () => {
  const few = await playScale({ ...CALM, places: [HERE, AFAR] });
  const many = await playScale({ ...CALM, places: [HERE, AFAR], verifiers: 400 });
  for (const outcome of [few, many]) {
    // The far node reads the change and writes its row: a round trip each.
    expect(Math.min(...times(outcome))).toBeGreaterThan(2 * AFAR.storeRttMs);
    expect(slowest(outcome)).toBeLessThan(10 * AFAR.storeRttMs);
  }
  expect(slowest(many)).toBeLessThan(1.5 * slowest(few));
});

test("a lone node answers two round trips after it was asked: the commit, and what it then reads all at once", async () => {
  const alone = { ...CALM, places: [{ ...AFAR, nodes: 1 }], verifiers: 0 };
  expect(slowest(await playScale(alone))).toBeLessThan(3 * AFAR.storeRttMs);
});

test("a revocation that is announced makes each node read the changes once and write its row once", async () => {
  const { busy, busyMs } = await playScale({ ...CALM, verifiers: 0 });
  const dueAnyway = Math.ceil(busyMs / (CALM.leaseMs / 3));
  expect(busy).toHaveLength(2);
  for (const { statements } of busy) {
    const { readChanges, acknowledge = 0, renewNode = 0 } = statements;
    for (const rows of [readChanges, acknowledge + renewNode]) {
      expect(rows).toBeGreaterThanOrEqual(CALM.revocations);
      expect(rows).toBeLessThanOrEqual(CALM.revocations + dueAnyway);
    }
    expect(renewNode).toBeLessThanOrEqual(dueAnyway); // the rest need not be durable
  }
});

test("without news of changes a revocation takes no longer than the next reading of the clock", async () => {
  const heard = await playScale(CALM);
  const unheard = await playScale({ ...CALM, notify: false });
  expect(slowest(heard)).toBeLessThan(50);
  expect(slowest(unheard)).toBeGreaterThan(50);
  expect(slowest(unheard)).toBeLessThan(250 + 50 + slowest(heard));
});

test("the same seed gives the same times, another one others", async () => {
  const first = await playScale(CALM);
  expect((await playScale(CALM)).revoked).toEqual(first.revoked);
  expect((await playScale({ ...CALM, seed: 2 })).revoked).not.toEqual(first.revoked);
});
