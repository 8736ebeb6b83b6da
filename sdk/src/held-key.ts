import type { KeyRecord } from "./judge.ts";
import type { Caller, Outcome } from "./usage.ts";

/** A key that a verifier holds. `tally` counts its verdicts that are not drained yet; `null`: there are none. */
export interface HeldKey {
  readonly key: KeyRecord;
  tally: KeyTally | null;
}

/** Verdicts of one key since the last drain, in one minute. Times are ms of that minute, which fit into small integers. */
export interface KeyTally extends Record<Outcome, number> {
  readonly held: HeldKey;
  /** A tally whose turn is over is counted into no more. */
  readonly turn: number;
  readonly minuteMs: number;
  /** Of the last accepted one. */
  lastAt: number;
  /** The caller that came last, most likely the next one too. */
  caller: CallerTally | null;
  callers: CallerTally[] | null;
  refusalsKept: number;
}

/** A caller as the request told, not yet fit to be kept. */
export interface CallerTally extends Caller {
  readonly firstAt: number;
  lastAt: number;
  count: number;
}
