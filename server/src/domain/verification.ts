import { createLookup, createVerifier, type Loaded, type Verify } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import type { Store } from "../store/store.ts";
import { type Barrier, createBarrier } from "./revocation/barrier.ts";
import { CHANGES_KEPT, createNode } from "./revocation/node.ts";
import { createReaper } from "./revocation/reaper.ts";

export interface VerificationOptions {
  readonly store: Store;
  readonly ambient: Ambient;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** This node's name for people. */
  readonly label: string;
}

/** Everything that decides about keys in this process: the verifier, its lease, and the barrier of revocations. */
export interface Verification {
  readonly verify: Verify;
  readonly barrier: Barrier;
  /** Whether a verification could be decided now, by a lease or by the store. */
  ready(): Promise<boolean>;
  /** Resolves when the first lease runs. */
  start(): Promise<void>;
  /** Stops believing what is held, reports the last uses and releases the node's row. */
  stop(): Promise<void>;
}

/** How often uses are written: "last used" is at most this much behind. */
const USES_EVERY_MS = 1_000;

/** How often the change log is cut to what is kept. */
const TRIM_EVERY_RENEWALS = 100;

/** How often a load that answered from the past is repeated before it fails. */
const STALE_TRIES = 3;

/** Puts the SDK's verifier on the store, under this process's own node. */
export function createVerification(options: VerificationOptions): Verification {
  const { store, ambient, logger } = options;
  const lookup = createLookup({
    clocks: { monoMs: ambient.monoMs, wallMs: ambient.nowMs },
    load,
    soon: ambient.soon,
    after: ambient.after,
  });
  const verifier = createVerifier({ lookup, requestId: () => ambient.randomId("req") });
  const node = createNode({ ...options, leases: store.leases, lookup, onRenewed: lookAfterOthers });
  const barrier = createBarrier({ leases: store.leases, node, ambient, logger });
  const reaper = createReaper(store.leases, ambient);
  const uses = createUses(options, () => verifier.drainUses());

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

  function lookAfterOthers(): void {
    const work = async (): Promise<void> => {
      await reaper.observe();
      await barrier.completePending();
      if (node.renewals % TRIM_EVERY_RENEWALS === 0) await store.leases.trimChanges(CHANGES_KEPT);
    };
    work().catch((error: unknown) => logger.error({ err: error }, "looking after others failed"));
  }

  return {
    verify: verifier.verify,
    barrier,
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
