import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import type { Store } from "../store/store.ts";
import type { Barrier } from "./revocation/barrier.ts";
import { bySystem } from "./system.ts";

export interface OverlapsOptions {
  readonly store: Pick<Store, "startOverlaps">;
  readonly barrier: Pick<Barrier, "complete">;
  readonly ambient: Ambient;
  readonly logger: Logger;
}

/** Starts what waits for the first use of a successor: see {@link createOverlaps}. */
export interface Overlaps {
  /** Looks for what is to be started, now or right after the look that is under way. Never throws. */
  look(): void;
  /** Looks no more, and resolves when nothing is under way. */
  stop(): Promise<void>;
}

/**
 * Starts the overlap of a rotated key once a first use of its successor is stored, whichever node stored it: what tells is
 * the state of the store, so that no crash loses one. Nobody waits for it; its barriers are completed in the background,
 * and what of that fails is left to the scan of pending revocations.
 */
export function createOverlaps({ store, barrier, ambient, logger }: OverlapsOptions): Overlaps {
  let looking: Promise<void> | null = null;
  let isAsked = false;
  let stopped = false;

  async function lookUntilDone(): Promise<void> {
    while (isAsked && !stopped) {
      isAsked = false;
      try {
        const seqs = await store.startOverlaps(bySystem(ambient), () => ambient.sortableId("evt"));
        for (const seq of seqs) barrier.complete(seq).catch(() => undefined);
      } catch (err) {
        logger.warn({ err }, "overlaps could not be started yet");
      }
    }
    looking = null;
  }

  return {
    look() {
      isAsked = true;
      if (!stopped) looking ??= lookUntilDone();
    },
    async stop() {
      stopped = true;
      await looking;
    },
  };
}
