import { pino } from "pino";
import { expect, test } from "vitest";
import { playTime } from "../../../test/played-time.ts";
import type { NodeRow } from "../../store/store.ts";
import { createBarrier } from "./barrier.ts";

const LEASE_MS = 2_000;
const ALLOWED_MS = LEASE_MS * 1.01;

const row = (id: string, appliedSeq: number): NodeRow => ({
  id,
  leaseMs: LEASE_MS,
  renewals: 1,
  appliedSeq,
  below: 0,
  label: id,
});

/** A barrier whose rows the test plays, in a world whose time is a variable. */
function world() {
  const { ambient, nowMs, pass } = playTime();
  let rows: NodeRow[] = [];
  const read: number[] = [];
  const barrier = createBarrier({
    leases: {
      pendingRevocations: async () => [],
      recordEffective: async (seq, ended) => ({ seq, ...ended }),
    },
    node: {
      renew: async () => {},
      catchUp: async () => {},
      self: { id: "mine", appliedSeq: 1, below: 0 },
      onAcknowledged() {},
    },
    reaper: {
      async observe() {
        read.push(nowMs());
        return { seq: 1, nodes: rows };
      },
    },
    ambient,
    logger: pino({ level: "silent" }),
  });
  return {
    barrier,
    read,
    pass,
    rowsAre(...next: NodeRow[]): void {
      rows = next;
    },
    readSince: (ms: number): number => read.filter((atMs) => atMs > ms).length,
  };
}

test("a node that acknowledges ends the wait, and nothing is read afterwards", async () => {
  const { barrier, pass, rowsAre, readSince } = world();
  rowsAre(row("mine", 0), row("other", 0));
  const done = barrier.complete(1);
  await pass(100);
  rowsAre(row("mine", 0), row("other", 1));
  await pass(100);
  expect(await done).toMatchObject({ acknowledged: 2, lapsed: 0 });
  await pass(60_000);
  expect(readSince(200)).toBe(0);
});

test.each<[string, NodeRow[]]>([
  ["gone", [row("mine", 1)]],
  ["speaking again", [row("mine", 1), row("dead", 1)]],
])(
  "the row of a node that was outlived is read on until it is %s, and no longer",
  async (_, end) => {
    const { barrier, pass, rowsAre, readSince } = world();
    rowsAre(row("mine", 1), row("dead", 0));
    const done = barrier.complete(1);
    await pass(ALLOWED_MS + 1);
    expect(await done).toMatchObject({ acknowledged: 1, lapsed: 1 });
    // The reaper may have seen it later than the barrier counts from.
    await pass(500);
    expect(readSince(ALLOWED_MS + 1)).toBeGreaterThan(5);
    rowsAre(...end);
    await pass(100);
    await pass(60_000);
    expect(readSince(ALLOWED_MS + 601)).toBe(0);
  },
);
