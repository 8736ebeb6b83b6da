import {
  createLookup,
  createVerifier,
  type KeyUse,
  type Loaded,
  type Verify,
} from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import type { Store } from "../store/store.ts";
import { type Barrier, createBarrier, type Receipt } from "./revocation/barrier.ts";
import { CHANGES_KEPT, createNode, type Node } from "./revocation/node.ts";
import { createReaper } from "./revocation/reaper.ts";

export interface VerificationOptions {
  readonly store: Store;
  readonly ambient: Ambient;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** This node's name for people. */
  readonly label: string;
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
  /** Stops believing what is held, reports the last uses and releases the node's row. */
  stop(): Promise<void>;
}

/** How often uses are written: "last used" is at most this much behind. */
const USES_EVERY_MS = 1_000;

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
  const verifier = createVerifier({ lookup, requestId: () => ambient.randomId("req") });
  const node = parts.createNode({
    ...options,
    leases,
    lookup,
    report: recordUses,
    onRenewed: lookAfterOthers,
  });
  const reaper = parts.createReaper({ leases, node, ambient, logger });
  const barrier = parts.createBarrier({ ...options, leases, node, reaper });
  const uses = createUses(options, () => verifier.drainUses());
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

  /** Uses as verifiers below tell them. None was later than now: a clock that is ahead there must not stay on record. */
  function recordUses(uses: readonly KeyUse[]): Promise<void> {
    const nowMs = ambient.nowMs();
    return store.recordLastUsed(
      uses.map(({ keyId, atMs }) => ({ keyId, atMs: Math.min(atMs, nowMs) })),
    );
  }

  /** About three times a lease, however often this node renews. */
  function lookAfterOthers(): void {
    if (ambient.monoMs() - lookedMs < leaseMs * LOOK_EVERY) return;
    lookedMs = ambient.monoMs();
    const work = async (): Promise<void> => {
      await reaper.observe();
      await barrier.completePending();
      await leases.trimChanges(CHANGES_KEPT);
    };
    work().catch((error: unknown) => logger.error({ err: error }, "looking after others failed"));
  }

  return {
    verify: verifier.verify,
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
      uses.start();
    },
    async stop() {
      await node.stop();
      await uses.stop();
    },
  };
}

/** Writes when keys were last used, in the background. A write that fails is repeated with the next. */
function createUses(
  { store, ambient, logger }: VerificationOptions,
  drain: () => { keyId: string; atMs: number }[],
) {
  const unwritten = new Map<string, number>();
  let stopped = false;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    for (const { keyId, atMs } of drain()) unwritten.set(keyId, atMs);
    if (unwritten.size === 0) return;
    const batch = [...unwritten].map(([keyId, atMs]) => ({ keyId, atMs }));
    unwritten.clear();
    try {
      await store.recordLastUsed(batch);
    } catch (error) {
      logger.error({ err: error, keys: batch.length }, "uses could not be written yet");
      for (const { keyId, atMs } of batch) if (!unwritten.has(keyId)) unwritten.set(keyId, atMs);
    }
  }

  function schedule(): void {
    if (stopped) return;
    ambient.after(USES_EVERY_MS, () => {
      writing = write().finally(schedule);
    });
  }

  return {
    start: schedule,
    async stop() {
      stopped = true;
      await writing;
      await write();
    },
  };
}
