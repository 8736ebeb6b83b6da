import {
  createLookup,
  createTally,
  createVerifier,
  type Loaded,
  type Tally,
  type Verify,
} from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import type { Store } from "../store/store.ts";
import { createOverlaps } from "./overlaps.ts";
import { type Barrier, createBarrier, type Receipt } from "./revocation/barrier.ts";
import { CHANGES_KEPT, createNode, type Node } from "./revocation/node.ts";
import { createReaper } from "./revocation/reaper.ts";
import { createCollector } from "./usage/collect.ts";

export interface VerificationOptions {
  readonly store: Store;
  readonly ambient: Ambient;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** This node's name for people. */
  readonly label: string;
  /** Whether it is kept who sent requests; it is unless this says no. */
  readonly callersKept?: boolean;
  /** Called for each revocation whose end this process saw. */
  onRevocation?(receipt: Receipt): void;
}

/** How this process is doing, as of now; counts are since its start. */
export interface VerificationStatus {
  /** 0 without a lease. */
  readonly leaseRemainingMs: number;
  readonly renewals: number;
  readonly renewalsFailed: number;
  /** One, and another for each time that everything held had to be dropped. */
  readonly joins: number;
  readonly appliedSeq: number;
  /** The highest seq of the store that this process knows of. */
  readonly headSeq: number;
  readonly keysHeld: number;
  readonly unknownHeld: number;
  /** Verifications answered out of what is held, and those that had to ask. */
  readonly hits: number;
  readonly misses: number;
  readonly queriesAnswered: number;
  readonly queriesFailed: number;
  /** Verifiers in other processes that hold a sub-lease of this one. */
  readonly below: number;
  /** Verdicts of this process. */
  readonly verdicts: Tally["totals"];
  /** Verdicts that are in no count, for the store was away for too long. */
  readonly verdictsLost: number;
}

/** Everything that decides about keys in this process: the verifier, its lease, and the barrier of revocations. */
export interface Verification {
  readonly verify: Verify;
  readonly barrier: Barrier;
  /** Where verifiers of other processes come in. */
  readonly below: Node["below"];
  status(): VerificationStatus;
  /** Whether a verification could be decided now, by a lease or by the store. */
  ready(): Promise<boolean>;
  /** Asks the verifiers below to release, and waits for it a little; before {@link Verification.stop}. */
  dismissBelow(): Promise<unknown>;
  /** Resolves when the first lease runs. */
  start(): Promise<void>;
  /** Stops believing what is held, stores what was counted and releases the node's row. */
  stop(): Promise<void>;
}

/** Others are looked after no more often than so many times a lease: less than the time between two renewals. */
const LOOK_EVERY = 1 / 4;

/** How often a load that answered from the past is repeated before it fails. */
const STALE_TRIES = 3;

/** What a verification is put together from; the simulator plants its flaws here. */
const PARTS = { createLookup, createNode, createBarrier, createReaper };

/** Puts the SDK's verifier on the store, under this process's own node. */
export function createVerification(
  options: VerificationOptions,
  parts: typeof PARTS = PARTS,
): Verification {
  const { store, ambient, logger, leaseMs } = options;
  const { leases } = store;
  const lookup = parts.createLookup({
    clocks: { monoMs: ambient.monoMs, wallMs: ambient.nowMs },
    load,
    soon: ambient.soon,
    after: ambient.after,
  });
  const tally = createTally();
  const { verify } = createVerifier({ lookup, tally, requestId: () => ambient.randomId("req") });
  const onStored = (): void => overlaps.look();
  const collector = createCollector({ callersKept: true, ...options, tally, onStored });
  const node = parts.createNode({
    ...options,
    leases,
    lookup,
    report: collector.take,
    onRenewed: lookAfterOthers,
  });
  const reaper = parts.createReaper({ leases, node, ambient, logger });
  const barrier = parts.createBarrier({ ...options, leases, node, reaper });
  const overlaps = createOverlaps({ store, barrier, ambient, logger });
  let lookedMs = Number.NEGATIVE_INFINITY;

  /** An answer older than what this node has applied is of a deposed primary or a stale snapshot: it is not used. */
  async function load(digests: readonly string[]): Promise<Loaded[]> {
    for (let tries = 0; tries < STALE_TRIES; tries++) {
      const appliedBefore = node.appliedSeq;
      const { seq, keys } = await store.loadKeys(digests);
      if (seq < appliedBefore) continue;
      const cacheable = seq >= node.appliedSeq; // changes applied meanwhile may be about these keys
      return keys.map((key) => ({ key, cacheable }));
    }
    throw new Error("the store answers from the past");
  }

  /** About three times a lease, however often this node renews. */
  function lookAfterOthers(): void {
    if (ambient.monoMs() - lookedMs < leaseMs * LOOK_EVERY) return;
    lookedMs = ambient.monoMs();
    overlaps.look(); // of nodes that stored a use and crashed
    const work = async (): Promise<void> => {
      await reaper.observe();
      await barrier.completePending();
      await leases.trimChanges(CHANGES_KEPT);
    };
    work().catch((error: unknown) => logger.error({ err: error }, "looking after others failed"));
  }

  return {
    verify,
    barrier,
    below: node.below,
    status: () => ({
      ...node.counts,
      ...lookup.counts,
      leaseRemainingMs: lookup.leaseRemainingMs,
      appliedSeq: node.appliedSeq,
      headSeq: node.headSeq,
      keysHeld: lookup.size,
      unknownHeld: lookup.unknownSize,
      below: node.below.size,
      verdicts: tally.totals,
      verdictsLost: collector.lost,
    }),
    dismissBelow: node.dismissBelow,
    async ready() {
      if (lookup.leaseRemainingMs > 0) return true;
      return store.ping().then(
        () => true,
        () => false,
      );
    },
    async start() {
      await node.start();
      collector.start();
    },
    async stop() {
      const ended = overlaps.stop();
      try {
        await node.stop();
      } finally {
        await collector.stop(); // also where the row is left to lapse
        await ended;
      }
    },
  };
}
