import type { Drained, DrainedCount } from "./tally.ts";
import {
  BATCH_BOUNDS,
  type CallerUse,
  type KeyCount,
  OUTCOMES,
  type RefusalNote,
  type UsageBatch,
} from "./usage.ts";

export interface Reports {
  /** A batch is stored. */
  stored(number: number): void;
  /** Nobody knows whether a batch is stored: the next report sends it again, as it is. */
  unstored(number: number): void;
  /** A session began: what the last one did not confirm is sent again, at once. */
  resend(): void;
  /** Reports once more, and waits until all is stored, or for a little while nothing more is. */
  close(): Promise<void>;
  /** Verifications whose count was given up, for they could be stored nowhere for too long. */
  readonly lost: number;
}

/** How often what was counted is reported: a process that is killed loses no more than that. */
const REPORT_EVERY_MS = 1_000;

/** A batch that nobody has confirmed within so many reports is sent again. */
const REPORTS_UNTIL_RESENT = 5;

/** What is kept until it can be stored. Past it counts lose their minute and then go, as the oldest of the rest do. */
const UNSTORED_MAX = { counts: 100_000, callers: 10_000, refusals: 1_000 };

/** How long a close waits for the next batch of what is left to be stored. */
const CLOSE_MAX_MS = 2_000;

/** How soon a close sends again what could not be stored, for no report comes any more. */
const CLOSE_RETRY_MS = 100;

const HOUR_MS = 3_600_000;

/**
 * Reports what was counted, in numbered batches, one under way at a time and each the same until it is stored: whoever
 * stores it twice notices by its number. What cannot be sent waits, and is added up meanwhile.
 */
export function createReports(options: {
  drain(): Drained;
  /**
   * Sends a batch. `hurry`: more is waiting, or the process ends. `false`: there is nobody to send to.
   * {@link Reports.stored} is not called before this returns.
   */
  send(batch: UsageBatch, hurry: boolean): boolean;
  after(ms: number, task: () => void): () => void;
}): Reports {
  const { drain, send, after } = options;
  const unstored = createUnstored();
  let underWay: UsageBatch | null = null;
  let isSent = false;
  let reportsWaited = 0;
  let batches = 0;
  let closing = false;
  /** Tells a close that waits of a batch that was stored; `null`: none waits. */
  let progress: (() => void) | null = null;

  function sendNext(): void {
    if (underWay === null) {
      if (unstored.isEmpty()) return;
      batches += 1;
      underWay = { number: batches, ...unstored.take() };
      isSent = false;
    }
    if (isSent) return;
    isSent = send(underWay, closing || !unstored.isEmpty());
    reportsWaited = 0;
  }

  function report(): void {
    unstored.add(drain());
    reportsWaited += 1;
    if (reportsWaited > REPORTS_UNTIL_RESENT) isSent = false;
    sendNext();
  }

  function schedule(): () => void {
    return after(REPORT_EVERY_MS, () => {
      report();
      cancel = schedule();
    });
  }

  let cancel = schedule();
  return {
    stored(number) {
      if (underWay?.number !== number) return;
      underWay = null;
      sendNext();
      progress?.();
    },
    unstored(number) {
      if (underWay?.number !== number) return;
      isSent = false;
      if (progress !== null) cancel = after(CLOSE_RETRY_MS, sendNext);
    },
    resend() {
      isSent = false;
      report();
    },
    async close() {
      cancel();
      closing = true;
      isSent = false; // what waits for its turn is to be stored now
      report();
      if (underWay === null || !isSent) return; // nothing to tell, or nobody
      await new Promise<void>((resolve) => {
        let giveUp = after(CLOSE_MAX_MS, resolve);
        progress = () => {
          giveUp();
          if (underWay === null) resolve();
          else giveUp = after(CLOSE_MAX_MS, resolve);
        };
      });
      progress = null;
      cancel();
    },
    get lost() {
      return unstored.lost;
    },
  };
}

/** What is in no batch yet, added up. */
function createUnstored() {
  let counts = new Map<string, KeyCount>();
  const callers = new Map<string, CallerUse>();
  let refusals: RefusalNote[] = [];
  let lost = 0;
  /** Of the last drain, what was not needed yet: a hundred thousand are not made at one time. */
  let coming: Iterator<DrainedCount> = [].values();

  function fill(upTo: number): void {
    while (counts.size < upTo) {
      const next = coming.next();
      if (next.done) return;
      addCount(next.value.count);
      for (const use of next.value.callers) addCaller(use);
    }
  }

  function addCount(count: KeyCount): void {
    const name = `${count.keyId} ${count.minuteMs}`;
    const known = counts.get(name);
    counts.set(name, known === undefined ? count : sumOf(known, count));
  }

  function addCaller(use: CallerUse): void {
    const name = `${use.keyId} ${use.address} ${use.userAgent}`;
    const known = callers.get(name);
    callers.delete(name); // to the end: the newest are the last to go
    if (known === undefined) callers.set(name, use);
    else {
      const { firstMs, count } = known;
      callers.set(name, { ...use, firstMs, count: count + use.count });
    }
  }

  /** Minutes become hours, of which there are fewer; what is still too much is given up. */
  function bound(): void {
    if (counts.size > UNSTORED_MAX.counts) {
      const minutes = counts;
      counts = new Map();
      for (const count of minutes.values())
        addCount({ ...count, minuteMs: count.minuteMs - (count.minuteMs % HOUR_MS) });
    }
    for (const [name, { counts: each }] of counts) {
      if (counts.size <= UNSTORED_MAX.counts) break;
      counts.delete(name);
      for (const outcome of OUTCOMES) lost += each[outcome];
    }
    for (const name of callers.keys()) {
      if (callers.size <= UNSTORED_MAX.callers) break;
      callers.delete(name);
    }
    refusals = refusals.slice(-UNSTORED_MAX.refusals);
  }

  return {
    add(drained: Drained): void {
      fill(Number.POSITIVE_INFINITY);
      coming = drained.counts[Symbol.iterator]();
      refusals = refusals.concat(drained.refusals);
      bound();
    },
    isEmpty(): boolean {
      fill(1);
      return counts.size + callers.size + refusals.length === 0;
    },
    /** The oldest, as many as fit into a batch. */
    take(): Omit<UsageBatch, "number"> {
      fill(BATCH_BOUNDS.countsMax);
      const taken = refusals.slice(0, BATCH_BOUNDS.refusalsMax);
      refusals = refusals.slice(taken.length);
      return {
        counts: takeFirst(counts, BATCH_BOUNDS.countsMax),
        callers: takeFirst(callers, BATCH_BOUNDS.callersMax),
        refusals: taken,
      };
    },
    get lost(): number {
      return lost;
    },
  };
}

function sumOf(a: KeyCount, b: KeyCount): KeyCount {
  const counts = { ...a.counts };
  for (const outcome of OUTCOMES) counts[outcome] += b.counts[outcome];
  return { ...a, counts, lastAcceptedMs: Math.max(a.lastAcceptedMs, b.lastAcceptedMs) };
}

function takeFirst<Value>(from: Map<string, Value>, max: number): Value[] {
  const taken: Value[] = [];
  for (const [name, value] of from) {
    if (taken.length === max) break;
    taken.push(value);
    from.delete(name);
  }
  return taken;
}
