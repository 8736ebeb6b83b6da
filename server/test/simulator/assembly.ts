import {
  type Clocks,
  createLookup,
  createVerifier,
  type Loaded,
  type Lookup,
} from "@latchkey/sdk/core";
import type { Ambient } from "../../src/ambient.ts";
import { type Barrier, createBarrier } from "../../src/domain/revocation/barrier.ts";
import { CHANGES_KEPT, createNode } from "../../src/domain/revocation/node.ts";
import { createReaper } from "../../src/domain/revocation/reaper.ts";
import type { Verification, VerificationOptions } from "../../src/domain/verification.ts";
import type { LeaseStore, Store } from "../../src/store/store.ts";

/** The seams at which a flaw can be planted in one process. Absent: as in the product. */
export interface Planted {
  readonly clocks?: (clocks: Clocks) => Clocks;
  readonly lookup?: (lookup: Lookup) => Lookup;
  /** The store that the node renews by. */
  readonly nodeLeases?: (leases: LeaseStore) => LeaseStore;
  readonly barrierLeases?: (leases: LeaseStore) => LeaseStore;
  readonly barrierAmbient?: (ambient: Ambient) => Ambient;
  readonly barrier?: (barrier: Barrier) => Barrier;
  readonly reaperLeases?: (leases: LeaseStore) => LeaseStore;
  readonly reaperAmbient?: (ambient: Ambient) => Ambient;
}

/** Makes the planted parts of one process; they may share what they remember. */
export type Plant = (ambient: Ambient, store: Store) => Planted;

const same = <T>(part: T): T => part;

/**
 * `createVerification` taken apart, so that a flaw fits between the product's parts. Without one it must do exactly
 * what the product's does: the simulator's tests compare their traces.
 */
export function assembleWith(plant: Plant): (options: VerificationOptions) => Verification {
  return (options) => {
    const { store, ambient, logger } = options;
    const planted = plant(ambient, store);
    const clocks = { monoMs: ambient.monoMs, wallMs: ambient.nowMs };
    const lookup = (planted.lookup ?? same)(
      createLookup({
        clocks: (planted.clocks ?? same)(clocks),
        load,
        soon: ambient.soon,
        after: ambient.after,
      }),
    );
    const verifier = createVerifier({ lookup, requestId: () => ambient.randomId("req") });
    const node = createNode({
      ...options,
      leases: (planted.nodeLeases ?? same)(store.leases),
      lookup,
      onRenewed: lookAfterOthers,
    });
    const barrier = (planted.barrier ?? same)(
      createBarrier({
        leases: (planted.barrierLeases ?? same)(store.leases),
        node,
        ambient: (planted.barrierAmbient ?? same)(ambient),
        logger,
      }),
    );
    const reaper = createReaper(
      (planted.reaperLeases ?? same)(store.leases),
      (planted.reaperAmbient ?? same)(ambient),
    );

    async function load(digests: readonly string[]): Promise<Loaded[]> {
      for (let tries = 0; tries < 3; tries++) {
        const appliedBefore = node.appliedSeq;
        const { seq, keys } = await store.loadKeys(digests);
        if (seq < appliedBefore) continue;
        const cacheable = seq >= node.appliedSeq;
        return keys.map((key) => ({ key, cacheable }));
      }
      throw new Error("the store answers from the past");
    }

    function lookAfterOthers(): void {
      const work = async (): Promise<void> => {
        await reaper.observe();
        await barrier.completePending();
        if (node.renewals % 100 === 0) await store.leases.trimChanges(CHANGES_KEPT);
      };
      work().catch((error: unknown) => logger.error({ err: error }, "looking after others failed"));
    }

    const unwritten = new Map<string, number>();
    let stopped = false;
    let writing: Promise<void> = Promise.resolve();

    async function writeUses(): Promise<void> {
      for (const { keyId, atMs } of verifier.drainUses()) unwritten.set(keyId, atMs);
      if (unwritten.size === 0) return;
      const batch = [...unwritten].map(([keyId, atMs]) => ({ keyId, atMs }));
      unwritten.clear();
      await store.recordLastUsed(batch).catch((error: unknown) => {
        logger.error({ err: error, keys: batch.length }, "uses could not be written yet");
        for (const { keyId, atMs } of batch) if (!unwritten.has(keyId)) unwritten.set(keyId, atMs);
      });
    }

    function scheduleUses(): void {
      if (stopped) return;
      ambient.after(1_000, () => {
        writing = writeUses().finally(scheduleUses);
      });
    }

    return {
      verify: verifier.verify,
      barrier,
      ready: async () => lookup.leaseRemainingMs > 0,
      async start() {
        await node.start();
        scheduleUses();
      },
      async stop() {
        await node.stop();
        stopped = true;
        await writing;
        await writeUses();
      },
    };
  };
}
