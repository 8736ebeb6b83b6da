import { callBack } from "./call-back.ts";
import type { Lookup } from "./lease/lookup.ts";

/**
 * How a verifier is doing: `connected` to a node; `disconnected`, and deciding by what it holds while its lease lasts;
 * `lapsed`: it can decide nothing until a node answers; `closed` for good.
 */
export type VerifierState = "connected" | "disconnected" | "lapsed" | "closed";

export interface States {
  now(): VerifierState;
  /** Looks whether the state has changed, and tells. */
  update(): void;
  /** Calls back at each change. Returns its end. */
  listen(listener: (state: VerifierState) => void): () => void;
}

/** Tells of a verifier's states. A timer tells that a lease has lapsed; what is decided reads the clocks instead. */
export function createStates(of: {
  readonly lookup: Pick<Lookup, "leaseRemainingMs">;
  after(ms: number, task: () => void): () => void;
  connected(): boolean;
  closed(): boolean;
}): States {
  const listeners = new Set<(state: VerifierState) => void>();
  let told: VerifierState = "lapsed";
  let cancel = (): void => {};

  function now(): VerifierState {
    if (of.closed()) return "closed";
    if (of.lookup.leaseRemainingMs <= 0) return "lapsed";
    return of.connected() ? "connected" : "disconnected";
  }

  function update(): void {
    const state = now();
    cancel();
    const leftMs = of.lookup.leaseRemainingMs;
    if (leftMs > 0 && state !== "closed") cancel = of.after(leftMs + 1, update);
    if (state === told) return;
    told = state;
    for (const listener of listeners) callBack(() => listener(state));
  }

  return {
    now,
    update,
    listen(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
