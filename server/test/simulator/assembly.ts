import { type Clocks, createLookup, type Lookup } from "@latchkey/sdk/core";
import type { Ambient } from "../../src/ambient.ts";
import { type Barrier, createBarrier } from "../../src/domain/revocation/barrier.ts";
import { createNode, type Node } from "../../src/domain/revocation/node.ts";
import { createReaper } from "../../src/domain/revocation/reaper.ts";
import {
  createVerification,
  type Verification,
  type VerificationOptions,
} from "../../src/domain/verification.ts";
import type { LeaseStore, Store } from "../../src/store/store.ts";
import type { Flaw } from "./world.ts";

/** The seams at which a flaw can be planted in one process. Absent: as in the product. */
export interface Planted {
  readonly clocks?: (clocks: Clocks) => Clocks;
  readonly lookup?: (lookup: Lookup) => Lookup;
  /** The store that the node renews by. */
  readonly nodeLeases?: (leases: LeaseStore) => LeaseStore;
  /** What the barrier asks of the store, its readings of the rows among it. */
  readonly barrierLeases?: (leases: BarrierLeases) => BarrierLeases;
  readonly barrierAmbient?: (ambient: Ambient) => Ambient;
  readonly barrier?: (barrier: Barrier) => Barrier;
  readonly node?: (node: Node) => Node;
  readonly reaperLeases?: (leases: LeaseStore) => LeaseStore;
  readonly reaperAmbient?: (ambient: Ambient) => Ambient;
}

/** A flaw of every server process. */
export const planted = (plant: Plant): Flaw => ({ assemble: assembleWith(plant) });

export type BarrierLeases = Pick<
  LeaseStore,
  "pendingRevocations" | "recordEffective" | "readNodes"
>;

/** Makes the planted parts of one process; they may share what they remember. */
export type Plant = (ambient: Ambient, store: Store) => Planted;

const same = <T>(part: T): T => part;

/** The product's own verification, with a flaw planted between its parts. */
export function assembleWith(plant: Plant): (options: VerificationOptions) => Verification {
  return (options) => {
    const planted = plant(options.ambient, options.store);
    const { clocks = same, lookup = same, barrier = same, node = same } = planted;
    const { nodeLeases = same, barrierLeases = same, reaperLeases = same } = planted;
    const { barrierAmbient = same, reaperAmbient = same } = planted;
    return createVerification(options, {
      createLookup: (part) => lookup(createLookup({ ...part, clocks: clocks(part.clocks) })),
      createNode: (part) => node(createNode({ ...part, leases: nodeLeases(part.leases) })),
      createBarrier: (part) => {
        const { reaper, ambient } = part;
        const leases = barrierLeases({ ...part.leases, readNodes: reaper.observe });
        const its = { leases, reaper: { observe: leases.readNodes } };
        return barrier(createBarrier({ ...part, ...its, ambient: barrierAmbient(ambient) }));
      },
      createReaper: (part) => {
        const { leases, ambient } = part;
        const its = { leases: reaperLeases(leases), ambient: reaperAmbient(ambient) };
        return createReaper({ ...part, ...its });
      },
    });
  };
}
