import { type Change, type Lookup, RATE_ALLOWANCE } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../../ambient.ts";
import type { LeaseStore, NodeRow } from "../../store/store.ts";
import { type Below, type BelowOptions, createBelow } from "./below.ts";

/** Changes kept in the log; a node further behind drops everything and joins anew. */
export const CHANGES_KEPT = 10_000;

/** How often the change clock is read, where a third of the lease is longer: nobody may have told of a change. */
const CHECK_MS = 250;

/** First pause after a failed renewal; doubles up to the last, or a third of a lease where that is shorter. */
const RETRY_FIRST_MS = 20;
const RETRY_LAST_MS = 1_000;

/**
 * How long a renewal waits for what it passed down to be acknowledged, so that one write of the row says it: they mostly
 * come within a millisecond or two, and a second write would cost a commit. The lease counts from before all that.
 */
const ACKNOWLEDGED_WITHIN_MS = 5;

/** How long a clean stop waits for the verifiers below to release; their sub-leases may last longer than anybody waits. */
const RELEASE_MAX_MS = 2_000;

export interface NodeOptions {
  readonly leases: LeaseStore;
  readonly lookup: Lookup;
  readonly ambient: Ambient;
  readonly logger: Logger;
  /** Length of this node's leases; its row says so and never changes. */
  readonly leaseMs: number;
  /** For people; need not be unique. */
  readonly label: string;
  /** Stores what verifiers below have counted. */
  readonly report: BelowOptions["report"];
  /** Called after each renewal that went well: the time for looking after others. */
  onRenewed?(): void;
}

/** What a {@link Node} did since it was made. */
export interface NodeCounts {
  /** Renewals that went well, a join among them, and those that did not. */
  renewals: number;
  renewalsFailed: number;
  joins: number;
}

/** This process among those that verify: see {@link createNode}. */
export interface Node {
  /** Joins, and renews from then on. Resolves when the first lease runs. */
  start(): Promise<void>;
  /**
   * Resolves when everything committed before the call has been applied, and the row says so; rejects when that failed.
   * The lease is renewed with it when that is due.
   */
  renew(): Promise<void>;
  /**
   * The same, but at most until the change `seq`, which was committed before the call, has been applied: one that was
   * under way may have brought it.
   */
  catchUp(seq: number): Promise<void>;
  /** What this node's row may say from now on, whether it is written yet or not; `null` between two lives. */
  readonly self: Pick<NodeRow, "id" | "appliedSeq" | "below"> | null;
  /** Calls `listener` whenever this node, with everything below it, may have acknowledged more. */
  onAcknowledged(listener: () => void): void;
  /** The highest change applied here, or 0 before the first join. */
  readonly appliedSeq: number;
  /** The highest seq of the store that this node knows of. */
  readonly headSeq: number;
  readonly counts: Readonly<NodeCounts>;
  readonly below: Pick<Below, "open" | "size" | "curtailed">;
  /**
   * Asks everything below to release, and waits for it a little. `false`: something below may still be believed.
   * The first part of {@link Node.stop}, for whoever has something to finish in between.
   */
  dismissBelow(): Promise<boolean>;
  /** Drops the lease for good, and releases the row unless something below may still be believed. */
  stop(): Promise<void>;
}

interface Membership {
  readonly id: string;
  renewals: number;
}

/**
 * The node's half of design §6: joins under a fresh id, and every third of a lease, or when there is news, reads all
 * changes after the last one applied, applies them in order, here and below, and writes its row. Where a third has
 * passed, that renews the lease, which runs from before the read once it has committed.
 *
 * The row says what everything below has acknowledged as well; that may lag, and holds a renewal up for a moment at most.
 *
 * A node whose row is gone, or that is behind the changes still kept, drops what it holds and joins anew. The row that
 * it leaves is nobody's, and protects what was granted under it until it is reaped.
 */
export function createNode(options: NodeOptions): Node {
  const { leases, lookup, ambient, logger, leaseMs } = options;
  const leaseHeldMs = leaseMs * (1 - RATE_ALLOWANCE);
  const renewEveryMs = leaseMs / 3;
  const checkMs = Math.min(renewEveryMs, CHECK_MS);
  const counts: NodeCounts = { renewals: 0, renewalsFailed: 0, joins: 0 };
  const below = createBelow({
    ...options,
    onAcknowledged() {
      announce();
      if (acknowledged === null) {
        if (below.acknowledgedSeq > writtenSeq) renewInBackground();
      } else if (below.acknowledgedSeq >= applied.seq) acknowledged();
    },
  });
  let member: Membership | null = null;
  let applied: { seq: number; changeId: string | null } = { seq: 0, changeId: null };
  let headSeq = 0;
  /** The seq that the row says. */
  let writtenSeq = 0;
  let renewedAtMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  /** Ends the wait of whoever has passed changes down. */
  let acknowledged: (() => void) | null = null;
  let announce = (): void => {};
  let dismissed: Promise<boolean> | null = null;
  let cancelTimer = (): void => {};

  async function join(): Promise<void> {
    const beganMs = ambient.monoMs();
    const asked = lookup.clock.read();
    const id = ambient.randomId("node");
    const joined = await leases.joinNode({ id, leaseMs, label: options.label });
    if (stopped) return leases.releaseNode(id);
    lookup.forget(); // what was loaded before the join's commit returned is never kept
    below.restart(joined.seq);
    applied = joined;
    headSeq = joined.seq;
    writtenSeq = joined.seq;
    member = { id, renewals: 0 };
    counts.joins += 1;
    announce();
    lookup.grant(asked, leaseHeldMs);
    renewed(beganMs);
    logger.info({ node: id, seq: joined.seq }, "joined");
  }

  function leave(why: string): void {
    logger.warn({ node: member?.id, seq: applied.seq }, why);
    member = null;
    lookup.drop();
    lookup.forget();
  }

  function apply(change: Change): void {
    if (change.seq <= applied.seq) return;
    lookup.apply(change);
    below.apply(change);
    applied = { seq: change.seq, changeId: change.id };
  }

  async function renewOnce(): Promise<void> {
    if (stopped) return;
    const me = member;
    if (me === null) return join();
    const beganMs = ambient.monoMs();
    const due = untilDueMs() <= 0;
    const asked = lookup.clock.read();
    const read = await leases.readChanges(applied.seq, applied.changeId);
    if (stopped) return;
    if (read.outcome === "gap") {
      leave("behind the changes kept, or the database was restored: joining anew");
      return join();
    }
    for (const change of read.changes) apply(change);
    announce();
    headSeq = Math.max(headSeq, read.seq);
    if (applied.seq < read.seq) throw new Error(`the change log ends before seq ${read.seq}`);
    if (below.acknowledgedSeq < applied.seq) await acknowledgements();
    if (stopped) return;
    const seq = below.acknowledgedSeq;
    if (!due && seq === writtenSeq) return; // the row says it
    if (!(await writeRow(me, seq, due))) {
      leave("the node's row is gone: joining anew");
      return join();
    }
    if (stopped) return;
    writtenSeq = seq;
    if (due) {
      lookup.grant(asked, leaseHeldMs);
      renewed(beganMs);
      below.renewed();
    }
    if (below.acknowledgedSeq > seq) renewInBackground();
  }

  /** Between two renewals only what was acknowledged, which grants nothing and so need not wait for the disk. */
  function writeRow(me: Membership, seq: number, renews: boolean): Promise<boolean> {
    if (!renews) return leases.acknowledge(me.id, seq, below.size);
    me.renewals += 1;
    return leases.renewNode(me.id, me.renewals, seq, below.size);
  }

  function renewed(beganMs: number): void {
    renewedAtMs = beganMs;
    counts.renewals += 1;
    options.onRenewed?.();
  }

  /** Resolves when everything below has acknowledged what was applied, or after a moment. */
  function acknowledgements(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ambient.after(ACKNOWLEDGED_WITHIN_MS, end);
      function end(): void {
        cancel();
        acknowledged = null;
        resolve();
      }
      acknowledged = end;
    });
  }

  /** One renewal at a time; those who ask during one share the next, which begins after they asked. */
  function renew(): Promise<void> {
    if (running === null) {
      running = renewOnce().finally(() => {
        running = null;
      });
      return running.catch((error: unknown) => {
        counts.renewalsFailed += 1;
        throw error;
      });
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return renew();
      });
    return next;
  }

  async function catchUp(seq: number): Promise<void> {
    // It may have read before the commit; one that another waiter began after it did not.
    if (applied.seq < seq) await running?.catch(() => {});
    if (applied.seq < seq) await (running ?? renew());
  }

  function renewInBackground(): void {
    renew().catch((error: unknown) => logger.error({ err: error }, "renewal failed"));
  }

  function untilDueMs(): number {
    return renewedAtMs + renewEveryMs - ambient.monoMs();
  }

  /** Renews when it is time or there is news, of which nothing else need have told. */
  async function check(): Promise<void> {
    if (member === null || untilDueMs() <= 0) return renew();
    if (running !== null) return; // which brings the news
    headSeq = Math.max(headSeq, await leases.readClock());
    if (headSeq > applied.seq) await renew();
  }

  function checkIn(ms: number, retryMs: number): void {
    if (stopped) return;
    cancelTimer = ambient.after(ms, () => {
      check().then(
        () => checkIn(Math.max(1, Math.min(checkMs, untilDueMs())), RETRY_FIRST_MS),
        (error) => {
          logger.error({ err: error }, "renewal failed");
          checkIn(retryMs, Math.min(retryMs * 2, RETRY_LAST_MS, renewEveryMs));
        },
      );
    });
  }

  function dismissBelow(): Promise<boolean> {
    dismissed ??= new Promise((resolve) => {
      const cancel = ambient.after(RELEASE_MAX_MS, () => resolve(false));
      void below.leave().then(() => {
        cancel();
        resolve(true);
      });
    });
    return dismissed;
  }

  return {
    async start() {
      await renew();
      checkIn(checkMs, RETRY_FIRST_MS);
    },
    renew,
    catchUp,
    get self() {
      if (member === null) return null;
      return { id: member.id, appliedSeq: below.acknowledgedSeq, below: below.size };
    },
    onAcknowledged(listener) {
      announce = listener;
    },
    get appliedSeq() {
      return applied.seq;
    },
    get headSeq() {
      return headSeq;
    },
    counts,
    below,
    dismissBelow,
    async stop() {
      stopped = true;
      cancelTimer();
      lookup.drop();
      await running?.catch(() => {});
      // What was granted below outlives this process; its row says so until it has lapsed.
      if ((await dismissBelow()) && member !== null) await leases.releaseNode(member.id);
    },
  };
}
