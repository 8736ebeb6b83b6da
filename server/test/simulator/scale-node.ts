import { createVerification, type Verification } from "../../src/domain/verification.ts";
import type { Weather } from "./link.ts";
import type { Random } from "./random.ts";
import { countStatements, createTally, type Tally } from "./scale-tally.ts";
import { createServerProcess, type ServerProcess, type Surroundings } from "./server-process.ts";

/** Where some nodes stand. */
export interface Place {
  readonly name: string;
  /** Round trip to the database, ms. */
  readonly storeRttMs: number;
  readonly nodes: number;
}

export interface ScaleNode {
  readonly place: Place;
  readonly process: ServerProcess;
  readonly tally: Tally;
}

/** A message takes at least this part of half a round trip; the rest of its mean is chance. */
const STEADY = 0.9;

/** A network of one round trip on which nothing is lost. */
export function calm(rttMs: number): Weather {
  const delayMinMs = (rttMs / 2) * STEADY;
  const delayMeanMs = (rttMs / 2) * (1 - STEADY);
  const faultless = { loss: 0, late: 0, slow: 0, slowLoads: 0, storeDown: false, held: null };
  return { delayMinMs, delayMeanMs, ...faultless };
}

function oneWayMs(random: Random, { delayMinMs, delayMeanMs }: Weather): number {
  return delayMinMs + random.exponential(delayMeanMs);
}

/**
 * Makes a node whose work is counted.
 *
 * @param listeners Told, with `notify`, when a change is committed by any node.
 */
export function createScaleNode(
  name: string,
  place: Place,
  { leaseMs, notify }: { readonly leaseMs: number; readonly notify: boolean },
  shared: Surroundings,
  listeners: ((seq: number) => void)[],
): ScaleNode {
  const { timeline, random, ran } = shared;
  const weather = calm(place.storeRttMs);
  const tally = createTally();
  let verification: Verification | null = null;
  const process = createServerProcess(name, leaseMs, {
    ...shared,
    weather,
    assemble(options) {
      const leases = countStatements(options.store.leases, tally);
      verification = createVerification({ ...options, store: { ...options.store, leases } });
      return verification;
    },
    // As in Postgres: one statement that writes all.
    revokeStatement:
      ({ client, memory }) =>
      (subject, by) =>
        client.call("revoke", () => {
          const done = memory.revoke(subject, by);
          for (const hear of listeners) hear(done.revocation.seq);
          return done;
        }),
  });
  if (notify)
    listeners.push((seq) => {
      timeline.after(oneWayMs(random, weather), () => {
        ran();
        void verification?.barrier.publish(seq);
      });
    });
  return { place, process, tally };
}
