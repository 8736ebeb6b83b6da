import { type Change, type Lookup, RATE_ALLOWANCE } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../../ambient.ts";
import type { LeaseStore } from "../../store/store.ts";

/** Changes kept in the log; a node further behind drops everything and joins anew. */
export const CHANGES_KEPT = 10_000;

/** First pause after a failed renewal; doubles up to a third of the lease. */
const RETRY_FIRST_MS = 20;

export interface NodeOptions {
  readonly leases: LeaseStore;
  readonly lookup: Lookup;
  readonly ambient: Ambient;
  readonly logger: Logger;
  /** Length of this node's leases; its row says so and never changes. */
  readonly leaseMs: number;
  /** For people; need not be unique. */
  readonly label: string;
  /** Called after each renewal that went well: the time for looking after others. */
  onRenewed?(): void;
}

/** This process among those that verify: see {@link createNode}. */
export interface Node {
  /** Joins, and renews from then on. Resolves when the first lease runs. */
  start(): Promise<void>;
  /** Resolves when a renewal that began after the call has been made; rejects when it failed. */
  renew(): Promise<void>;
  /** The highest change applied here, or 0 before the first join. */
  readonly appliedSeq: number;
  /** Renewals that went well, since the start. */
  readonly renewals: number;
  /** Drops the lease for good and releases the row. */
  stop(): Promise<void>;
}

interface Membership {
  readonly id: string;
  renewals: number;
}

/**
 * The node's half of design §6: joins under a fresh id, and every third of a lease reads all changes after the last
 * one applied, applies them in order, and writes its row; when that has committed, its lease runs from before the read.
 *
 * A node whose row is gone, or that is behind the changes still kept, drops what it holds and joins anew.
 */
export function createNode(options: NodeOptions): Node {
  const { leases, lookup, ambient, logger, leaseMs } = options;
  const leaseHeldMs = leaseMs * (1 - RATE_ALLOWANCE);
  let member: Membership | null = null;
  let applied: { seq: number; changeId: string | null } = { seq: 0, changeId: null };
  let renewed = 0;
  let stopped = false;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let cancelTimer = (): void => {};

  async function join(): Promise<void> {
    const asked = lookup.clock.read();
    const id = ambient.randomId("node");
    const joined = await leases.joinNode({ id, leaseMs, label: options.label });
    if (stopped) return leases.releaseNode(id);
    lookup.forget(); // what was loaded before the join's commit returned is never kept
    applied = joined;
    member = { id, renewals: 0 };
    lookup.grant(asked, leaseHeldMs);
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
    applied = { seq: change.seq, changeId: change.id };
  }

  async function renewOnce(): Promise<void> {
    if (stopped) return;
    const me = member;
    if (me === null) return join();
    const asked = lookup.clock.read();
    const read = await leases.readChanges(applied.seq, applied.changeId);
    if (stopped) return;
    if (read.outcome === "gap") {
      leave("behind the changes kept, or the database was restored: joining anew");
      return join();
    }
    for (const change of read.changes) apply(change);
    if (applied.seq < read.seq) throw new Error(`the change log ends before seq ${read.seq}`);
    me.renewals += 1;
    const held = await leases.renewNode(me.id, me.renewals, applied.seq, 0);
    if (stopped) return;
    if (!held) {
      leave("the node's row is gone: joining anew");
      return join();
    }
    lookup.grant(asked, leaseHeldMs);
  }

  /** One renewal at a time; those who ask during one share the next, which begins after they asked. */
  function renew(): Promise<void> {
    if (running === null) {
      running = renewOnce().finally(() => {
        running = null;
      });
      return running.then(() => {
        renewed += 1;
        options.onRenewed?.();
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

  function schedule(ms: number, retryMs: number): void {
    if (stopped) return;
    cancelTimer = ambient.after(ms, () => {
      renew().then(
        () => schedule(leaseMs / 3, RETRY_FIRST_MS),
        (error) => {
          logger.error({ err: error }, "renewal failed");
          schedule(retryMs, Math.min(retryMs * 2, leaseMs / 3));
        },
      );
    });
  }

  return {
    async start() {
      await renew();
      schedule(leaseMs / 3, RETRY_FIRST_MS);
    },
    renew,
    get appliedSeq() {
      return applied.seq;
    },
    get renewals() {
      return renewed;
    },
    async stop() {
      stopped = true;
      cancelTimer();
      lookup.drop();
      await running?.catch(() => {});
      if (member !== null) await leases.releaseNode(member.id);
    },
  };
}
