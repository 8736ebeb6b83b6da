import { Failure, RATE_ALLOWANCE } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../../ambient.ts";
import type { LeaseStore, Revocation } from "../../store/store.ts";
import type { Node } from "./node.ts";

/** What the rest of the domain asks of the lease protocol: to let changes be known. */
export interface Barrier {
  /** Resolves when this node has applied every change committed so far; used after a change that nobody must wait for. */
  publish(): Promise<void>;
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

export interface BarrierOptions {
  readonly leases: LeaseStore;
  readonly node: Pick<Node, "renew">;
  readonly ambient: Ambient;
  readonly logger: Logger;
}

/** Pause between two readings of the nodes' rows. */
const POLL_MS = 5;

/** How long a barrier goes on without having read the rows once before it answers 503. */
const UNREAD_MAX_MS = 2_000;

/**
 * The barrier of design §6: waits until every node has acknowledged a change, or until every lease granted before its
 * commit has lapsed. It counts from after the commit, on the monotonic clock alone, and stops late by the allowance.
 */
export function createBarrier({ leases, node, ambient, logger }: BarrierOptions): Barrier {
  /** Seqs that this process already waits for. */
  const underWay = new Set<number>();

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      ambient.after(ms, resolve);
    });

  async function wait(
    seq: number,
  ): Promise<{ tookMs: number; acknowledged: number; lapsed: number }> {
    const committedMs = ambient.monoMs();
    const elapsedMs = (): number => ambient.monoMs() - committedMs;
    const renewed = node.renew().catch((error: unknown) => {
      logger.error({ err: error, seq }, "renewal for a revocation failed");
    });
    await Promise.race([renewed, pause(POLL_MS)]);
    let longestLeaseMs: number | null = null;
    let seen = { acknowledged: 0, lapsed: 0 };
    for (;;) {
      const rows = await leases.readNodes().catch((cause: unknown) => {
        if (longestLeaseMs === null && elapsedMs() > UNREAD_MAX_MS)
          throw new Failure(
            "service_unavailable",
            "The revocation is recorded, but could not be confirmed everywhere yet. Repeat the call.",
            { cause, retryAfterSeconds: 1 },
          );
        return null;
      });
      if (rows !== null) {
        const late = rows.nodes.filter((row) => row.appliedSeq < seq);
        const below = rows.nodes.reduce((sum, row) => sum + row.below, 0);
        seen = { acknowledged: rows.nodes.length - late.length + below, lapsed: late.length };
        for (const row of rows.nodes) longestLeaseMs = Math.max(longestLeaseMs ?? 0, row.leaseMs);
        if (late.length === 0) break;
      }
      const lapsedMs = longestLeaseMs === null ? null : longestLeaseMs * (1 + RATE_ALLOWANCE);
      if (lapsedMs !== null && elapsedMs() >= lapsedMs) break;
      await pause(lapsedMs === null ? POLL_MS : Math.min(POLL_MS, lapsedMs - elapsedMs()));
    }
    return { ...seen, tookMs: Math.max(0, Math.round(elapsedMs())) };
  }

  async function complete(seq: number): Promise<Revocation> {
    underWay.add(seq);
    const waited = await wait(seq).finally(() => underWay.delete(seq));
    const receipt = { ...waited, effectiveAtMs: ambient.nowMs() };
    // Recording delays nobody: the wait is over, and another node's scan repeats it if this write is lost.
    leases.recordEffective(seq, receipt).catch((error: unknown) => {
      logger.error({ err: error, seq }, "the end of a revocation could not be recorded");
    });
    return { seq, ...receipt };
  }

  return {
    async publish() {
      await node.renew().catch((error: unknown) => {
        logger.error({ err: error }, "renewal after a change failed");
      });
    },
    complete,
    async completePending() {
      for (const { seq } of await leases.pendingRevocations()) {
        if (underWay.has(seq)) continue;
        complete(seq).catch((error: unknown) => {
          logger.error({ err: error, seq }, "revocation still pending");
        });
      }
    },
  };
}
