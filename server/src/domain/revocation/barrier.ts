import { Failure, RATE_ALLOWANCE } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../../ambient.ts";
import type { LeaseStore, NodeRow, Revocation } from "../../store/store.ts";
import type { Node } from "./node.ts";
import type { Reaper } from "./reaper.ts";

/** What the rest of the domain asks of the lease protocol: to let changes be known. */
export interface Barrier {
  /**
   * Resolves when this node has applied every change committed so far, or at least `seq` where that is all that is
   * known to be new; used after a change that nobody must wait for.
   */
  publish(seq?: number | null): Promise<void>;
  /**
   * Resolves when no verification that starts from now on, anywhere, accepts what the change `seq` revoked, with the
   * receipt. Called after the commit; calling it again for the same seq is harmless.
   *
   * @throws Failure `service_unavailable` when the rows of the nodes could not be read once since the commit.
   */
  complete(seq: number): Promise<Revocation>;
  /** Completes what another process committed and did not see through. */
  completePending(): Promise<void>;
}

/** How a revocation ended: nodes, and verifiers below them, that confirmed it, and that had to be outlived. */
export interface Receipt {
  readonly tookMs: number;
  readonly acknowledged: number;
  readonly lapsed: number;
}

export interface BarrierOptions {
  readonly leases: Pick<LeaseStore, "pendingRevocations" | "recordEffective">;
  readonly node: Pick<Node, "renew" | "catchUp" | "self" | "onAcknowledged">;
  readonly reaper: Reaper;
  readonly ambient: Ambient;
  readonly logger: Logger;
  /** Called for each barrier that this process saw end. */
  onRevocation?(receipt: Receipt): void;
}

/**
 * Pause between two readings of the nodes' rows while somebody waits: an eighth of how long it took so far, within
 * these bounds. Most revocations take a few milliseconds; one that waits for a dead node need not be read in so often.
 */
const PAUSE_MIN_MS = 1;
const PAUSE_MAX_MS = 50;
const PAUSE_PART = 1 / 8;

/** The same where nobody waits, and whoever revoked is most likely still at it. */
const UNHURRIED_PAUSE_MS = 200;

/** How long a barrier goes on without having read the rows once before it answers 503. */
const UNREAD_MAX_MS = 2_000;

/** One barrier. All that wait in a process share the readings. */
interface Waiting {
  readonly seq: number;
  /** Monotonic, from after the commit returned. */
  readonly committedMs: number;
  readonly hurried: boolean;
  /** As last read after the commit; `null` before the first reading. */
  nodes: readonly NodeRow[] | null;
  /** Of any row read after the commit; a row's never changes. */
  longestLeaseMs: number;
  /** Nodes that confirmed, as of the last reading, and the verifiers below them. */
  acknowledged: number;
  /** The same of nodes that did not, by id; also of those whose row was deleted meanwhile, for it had to be outlived. */
  readonly late: Map<string, number>;
  cancelLapse(): void;
  settle(outcome: Receipt | Failure): void;
}

/**
 * The barrier of design §6: waits until every node has acknowledged a change, or until every lease granted before its
 * commit has lapsed. It counts from after the commit, on the monotonic clock alone, and stops late by the allowance.
 *
 * The others tell by their rows, this process's own node directly: the rows are read while it renews.
 */
export function createBarrier(options: BarrierOptions): Barrier {
  const { leases, node, reaper, ambient, logger } = options;
  const waiting = new Set<Waiting>();
  /** Seqs, one for each call, of barriers whose end is not recorded yet. */
  const underWay = new Set<{ readonly seq: number }>();
  /** Rows that a barrier has outlived, with its seq: read on, until the reaper has seen the dead ones for a whole lease. */
  const outlived = new Map<string, number>();
  let reading = false;
  let dueMs = Number.POSITIVE_INFINITY;
  let cancelReading = (): void => {};

  const elapsedMs = (wait: Waiting): number => ambient.monoMs() - wait.committedMs;

  /** Reads the rows in `ms`, or sooner if that was agreed before. */
  function readIn(ms: number): void {
    const atMs = ambient.monoMs() + ms;
    if (reading || atMs >= dueMs) return; // after a reading it is decided when the next one is due
    cancelReading();
    dueMs = atMs;
    cancelReading = ambient.after(ms, read);
  }

  async function read(): Promise<void> {
    if (reading) return;
    cancelReading();
    dueMs = Number.POSITIVE_INFINITY;
    reading = true;
    const asked = new Set(waiting); // who comes during the reading may have committed after it began
    try {
      const { seq, nodes } = await reaper.observe();
      forgetGone(nodes);
      for (const wait of asked) {
        if (!waiting.has(wait)) continue; // outlived during the reading
        // A reading that does not know of the commit yet is of a stale snapshot: not used.
        if (seq >= wait.seq) judge(wait, nodes);
        else unread(wait, new Error("the store answers from the past"));
      }
    } catch (cause) {
      for (const wait of asked) if (waiting.has(wait)) unread(wait, cause);
    }
    reading = false;
    if (waiting.size === 0) {
      if (outlived.size > 0) readIn(PAUSE_MAX_MS);
      return;
    }
    if ([...waiting].some((wait) => !asked.has(wait))) void read();
    else readIn(Math.min(...[...waiting].map(pauseOf)));
  }

  /** A row that is gone, or that speaks again, delays nobody any more. */
  function forgetGone(nodes: readonly NodeRow[]): void {
    for (const [id, seq] of outlived) {
      const row = nodes.find((each) => each.id === id);
      if (row === undefined || row.appliedSeq >= seq) outlived.delete(id);
    }
  }

  function judge(wait: Waiting, nodes: readonly NodeRow[]): void {
    const { self } = node;
    wait.nodes = nodes;
    wait.acknowledged = 0;
    let late = false;
    for (const row of nodes) {
      // What this process may acknowledge it has acknowledged: its row is written for the others.
      const { appliedSeq, below } = row.id === self?.id ? self : row;
      const verifiers = 1 + below;
      wait.longestLeaseMs = Math.max(wait.longestLeaseMs, row.leaseMs);
      if (appliedSeq < wait.seq) {
        late = true;
        wait.late.set(row.id, verifiers);
      } else {
        wait.late.delete(row.id);
        wait.acknowledged += verifiers;
      }
    }
    if (late) awaitLapse(wait);
    else end(wait);
  }

  /** Ends the wait when every lease granted before the commit has lapsed, whether the store can be read then or not. */
  function awaitLapse(wait: Waiting): void {
    const leftMs = wait.longestLeaseMs * (1 + RATE_ALLOWANCE) - elapsedMs(wait);
    wait.cancelLapse();
    if (leftMs > 0) {
      wait.cancelLapse = ambient.after(leftMs, () => awaitLapse(wait));
      return;
    }
    for (const id of wait.late.keys()) outlived.set(id, wait.seq);
    end(wait);
    readIn(PAUSE_MAX_MS);
  }

  function unread(wait: Waiting, cause: unknown): void {
    if (wait.nodes !== null || elapsedMs(wait) <= UNREAD_MAX_MS) return;
    waiting.delete(wait);
    wait.settle(
      new Failure(
        "service_unavailable",
        "The revocation is recorded, but could not be confirmed everywhere yet. Repeat the call.",
        { cause, retryAfterSeconds: 1 },
      ),
    );
  }

  function pauseOf(wait: Waiting): number {
    if (!wait.hurried) return UNHURRIED_PAUSE_MS;
    return Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, elapsedMs(wait) * PAUSE_PART));
  }

  function end(wait: Waiting): void {
    waiting.delete(wait);
    wait.cancelLapse();
    wait.settle({
      tookMs: Math.max(0, Math.round(elapsedMs(wait))),
      acknowledged: wait.acknowledged,
      lapsed: [...wait.late.values()].reduce((sum, verifiers) => sum + verifiers, 0),
    });
  }

  function wait(seq: number, hurried: boolean): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const mine: Waiting = {
        seq,
        committedMs: ambient.monoMs(),
        hurried,
        nodes: null,
        longestLeaseMs: 0,
        acknowledged: 0,
        late: new Map(),
        cancelLapse: () => {},
        settle: (outcome) => (outcome instanceof Failure ? reject(outcome) : resolve(outcome)),
      };
      waiting.add(mine);
      void read();
      node.catchUp(seq).catch((error: unknown) => {
        logger.error({ err: error, seq }, "renewal for a revocation failed");
      });
    });
  }

  async function complete(seq: number, hurried: boolean): Promise<Revocation> {
    const call = { seq };
    underWay.add(call);
    try {
      const receipt = await wait(seq, hurried);
      options.onRevocation?.(receipt);
      const ended = { ...receipt, effectiveAtMs: ambient.nowMs() };
      // Recording delays nobody: the wait is over, and another node's scan repeats it if this write is lost.
      record(call, ended);
      return { seq, ...ended };
    } catch (error) {
      underWay.delete(call);
      throw error;
    }
  }

  function record(
    call: { readonly seq: number },
    ended: Receipt & { effectiveAtMs: number },
  ): void {
    // Later than the answer, for SQLite writes at once, and everybody waits for its disk.
    ambient.soon(() => {
      leases
        .recordEffective(call.seq, ended)
        .catch((error: unknown) => {
          logger.error({ err: error, seq: call.seq }, "a revocation's end could not be recorded");
        })
        .finally(() => underWay.delete(call));
    });
  }

  function seqsUnderWay(): Set<number> {
    return new Set([...underWay].map(({ seq }) => seq));
  }

  node.onAcknowledged(() => {
    for (const wait of waiting) if (wait.nodes !== null) judge(wait, wait.nodes);
  });

  return {
    async publish(seq = null) {
      await (seq === null ? node.renew() : node.catchUp(seq)).catch((error: unknown) => {
        logger.error({ err: error }, "renewal after a change failed");
      });
    },
    complete: (seq) => complete(seq, true),
    async completePending() {
      const before = seqsUnderWay(); // what is recorded during the reading may be in it still
      const pending = await leases.pendingRevocations();
      const now = seqsUnderWay();
      for (const { seq } of pending) {
        if (before.has(seq) || now.has(seq)) continue;
        complete(seq, false).catch((error: unknown) => {
          logger.error({ err: error, seq }, "revocation still pending");
        });
      }
    },
  };
}
