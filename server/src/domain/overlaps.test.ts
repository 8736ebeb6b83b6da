import { Failure } from "@latchkey/sdk/core";
import { pino } from "pino";
import { expect, test } from "vitest";
import { playTime } from "../../test/played-time.ts";
import type { Origin } from "../store/store.ts";
import { createOverlaps } from "./overlaps.ts";

/** A store whose looks the test ends, one after the other. */
function world() {
  const looks: {
    readonly by: Omit<Origin, "eventId">;
    readonly end: (seqs: readonly number[]) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const waitedFor: number[] = [];
  const log: string[] = [];
  const overlaps = createOverlaps({
    store: {
      startOverlaps: (by) =>
        new Promise((end, fail) => {
          looks.push({ by, end, fail });
        }),
    },
    barrier: {
      complete(seq) {
        waitedFor.push(seq);
        return Promise.reject(new Failure("service_unavailable", "unproved"));
      },
    },
    ambient: playTime(1_000).ambient,
    logger: pino({ level: "info" }, { write: (line: string) => void log.push(line) }),
  });
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { overlaps, looks, waitedFor, log, settled };
}

test("one look is under way at a time, and whoever asks during it gets another after it", async () => {
  const { overlaps, looks, settled } = world();
  for (let time = 0; time < 3; time++) overlaps.look();
  expect(looks).toHaveLength(1);
  looks[0]?.end([]);
  await settled();
  expect(looks, "it was asked after it had begun to look").toHaveLength(2);
  looks[1]?.end([]);
  await settled();
  expect(looks).toHaveLength(2);
  overlaps.look();
  expect(looks).toHaveLength(3);
});

test("what was started is waited for in the background, by Latchkey itself", async () => {
  const { overlaps, looks, waitedFor, log, settled } = world();
  overlaps.look();
  expect(looks[0]?.by).toEqual({
    actor: { type: "system", id: "latchkey", name: "Latchkey" },
    atMs: 1_000,
    requestId: null,
    address: null,
    userAgent: null,
  });
  looks[0]?.end([7, 8]);
  await settled();
  expect(waitedFor).toEqual([7, 8]);
  expect(log).toEqual([]); // the scan of pending revocations goes on with what could not be proved
});

test("a look that fails is said, and the next one looks again", async () => {
  const { overlaps, looks, log, settled } = world();
  overlaps.look();
  looks[0]?.fail(new Error("the database is away"));
  await settled();
  expect(log.join()).toContain("overlaps could not be started yet");
  overlaps.look();
  expect(looks).toHaveLength(2);
});

test("stopped, it looks no more, and has ended what was under way", async () => {
  const { overlaps, looks, settled } = world();
  overlaps.look();
  overlaps.look();
  let isStopped = false;
  const stopped = overlaps.stop().then(() => {
    isStopped = true;
  });
  await settled();
  expect(isStopped).toBe(false);
  looks[0]?.end([]);
  await stopped;
  overlaps.look();
  await settled();
  expect(looks).toHaveLength(1);
});
