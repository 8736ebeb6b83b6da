import { type Caller, createReports, type Tally, type UsageBatch } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../../ambient.ts";
import type { SourcedBatch, Store } from "../../store/store.ts";

export interface CollectorOptions {
  readonly store: Pick<Store, "recordUsage">;
  readonly ambient: Ambient;
  readonly logger: Logger;
  readonly tally: Pick<Tally, "drain">;
  /** Whether it is kept who sent requests. */
  readonly callersKept: boolean;
  /** Called, and not waited for, when something was stored. */
  onStored?(): void;
}

/** Stores what this process and the verifiers below it have counted: see {@link createCollector}. */
export interface Collector {
  start(): void;
  /**
   * Takes a batch of a verifier below. Resolves when it is stored; rejects when that is not certain, and it is to be
   * sent again. Without `hurry` it waits for this process's own next report, to share its statement.
   */
  take(source: string, batch: UsageBatch, hurry: boolean): Promise<void>;
  /** Stores what is left. */
  stop(): Promise<void>;
  /** Verifications of this process whose count was given up. */
  readonly lost: number;
}

/** Counts in one statement, roughly: SQLite writes them while everybody waits. */
const STATEMENT_COUNTS = 1_000;

const MINUTE_MS = 60_000;

/** Batches that wait to be stored, and what is in them, some 100 MB; who comes then is to try again. */
const QUEUED_MAX = { batches: 10_000, entries: 400_000 };

interface Queued {
  readonly batch: SourcedBatch;
  resolve(): void;
  reject(cause: unknown): void;
}

/**
 * Collects batches and stores them once a second, this process's and those from below in one statement where they fit,
 * and at once where a source has more. A batch that may or may not be stored is offered again: the store notices.
 */
export function createCollector(options: CollectorOptions): Collector {
  const { store, ambient, logger, tally, callersKept } = options;
  const ownSource = ambient.randomId("src");
  let queue: Queued[] = [];
  let entriesQueued = 0;
  let writing: Promise<void> | null = null;
  let reports: ReturnType<typeof createReports> | null = null;

  function enqueue(source: string, batch: UsageBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      const entries = entriesOf(batch);
      if (queue.length >= QUEUED_MAX.batches || entriesQueued + entries > QUEUED_MAX.entries)
        return reject(new Error("too many batches wait"));
      entriesQueued += entries;
      queue.push({ batch: { source, ...fitToStore(batch) }, resolve, reject });
    });
  }

  /** What is known of the future is wrong, and what is not to be kept goes. */
  function fitToStore(batch: UsageBatch): UsageBatch {
    const nowMs = ambient.nowMs();
    const past = (atMs: number): number => Math.min(atMs, nowMs);
    const who = (caller: Caller): Caller =>
      callersKept ? caller : { address: null, userAgent: null };
    return {
      number: batch.number,
      counts: batch.counts.map((count) => ({
        ...count,
        minuteMs: Math.min(count.minuteMs, nowMs - (nowMs % MINUTE_MS)),
        lastAcceptedMs: past(count.lastAcceptedMs),
      })),
      callers: callersKept
        ? batch.callers.map((use) => ({
            ...use,
            firstMs: past(use.firstMs),
            lastMs: past(use.lastMs),
          }))
        : [],
      refusals: batch.refusals.map((note) => ({ ...note, ...who(note), atMs: past(note.atMs) })),
    };
  }

  /** Stores all that waits, one statement after the other. */
  function write(): Promise<void> {
    writing ??= writeAll().finally(() => {
      writing = null;
    });
    return writing;
  }

  async function writeAll(): Promise<void> {
    while (queue.length > 0) {
      const taken = takeStatement();
      try {
        await store.recordUsage(
          taken.map(({ batch }) => batch),
          ambient.nowMs(),
        );
        for (const { resolve } of taken) resolve();
        options.onStored?.();
      } catch (err) {
        logger.error({ err, batches: taken.length }, "usage could not be stored yet");
        // Nothing of a source may overtake what it sent before.
        for (const { reject } of [...taken, ...queue]) reject(err);
        queue = [];
        entriesQueued = 0;
      }
      await new Promise<void>((resolve) => ambient.soon(resolve)); // everybody else first
    }
  }

  function takeStatement(): Queued[] {
    let counts = 0;
    let length = 0;
    for (const { batch } of queue) {
      counts += batch.counts.length;
      if (length > 0 && counts > STATEMENT_COUNTS) break;
      length += 1;
    }
    const taken = queue.splice(0, length);
    for (const { batch } of taken) entriesQueued -= entriesOf(batch);
    return taken;
  }

  function startReports(): ReturnType<typeof createReports> {
    const own = createReports({
      drain() {
        // At each of our reports, so also when we have nothing to tell: others wait for it.
        ambient.soon(() => void write());
        return tally.drain();
      },
      send(batch) {
        enqueue(ownSource, batch).then(
          () => own.stored(batch.number),
          () => own.unstored(batch.number),
        );
        void write();
        return true;
      },
      after: ambient.after,
    });
    return own;
  }

  return {
    start() {
      reports = startReports();
    },
    take(source, batch, hurry) {
      const stored = enqueue(source, batch);
      if (hurry) void write();
      return stored;
    },
    async stop() {
      await reports?.close();
      await write();
    },
    get lost() {
      return reports?.lost ?? 0;
    },
  };
}

function entriesOf({ counts, callers, refusals }: UsageBatch): number {
  return counts.length + callers.length + refusals.length;
}
