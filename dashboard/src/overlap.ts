import type { ApiKeyJson } from "@latchkey/sdk/client";
import { stateOf } from "./key-state.ts";
import { formatRelative } from "./times.ts";

/**
 * How a key that was rotated, and is accepted still, will end. `running`: at `end`. `waiting`: some time after the first
 * use of its successor, and in any case at `end` where it has one of its own. Times are ISO 8601.
 */
export type Overlap = { state: "running"; end: string } | { state: "waiting"; end: string | null };

/** The overlap that a key is in; `null` for one that was never rotated, and for one that has ended. */
export function overlapOf(key: ApiKeyJson, nowMs: number): Overlap | null {
  const { overlap, expires_at: end } = key;
  if (overlap === null || stateOf(key, nowMs) !== "active") return null;
  if (overlap.started_at === null || end === null) return { state: "waiting", end };
  return { state: "running", end };
}

/** How long it still is: "Ends in 3 hours", "Waits for the first use of the new key". */
export function timeLeft(overlap: Overlap, nowMs: number): string {
  if (overlap.state === "running") return `Ends ${formatRelative(overlap.end, nowMs)}`;
  const latest =
    overlap.end === null ? "" : `; ends ${formatRelative(overlap.end, nowMs)} at the latest`;
  return `Waits for the first use of the new key${latest}`;
}

/**
 * Whether a key can be replaced. One that was rotated can be again only if its successor has ended, for then it has none.
 *
 * @param successor As far as it is known; `undefined` counts as one that lives.
 */
export function isRotatable(
  key: ApiKeyJson,
  nowMs: number,
  successor?: ApiKeyJson | undefined,
): boolean {
  if (stateOf(key, nowMs) !== "active") return false;
  return key.rotated_to === null || isWithoutSuccessor(key, nowMs, successor);
}

/** Whether a key was rotated in vain: what was to follow it has ended before it. */
export const isWithoutSuccessor = (
  key: ApiKeyJson,
  nowMs: number,
  successor: ApiKeyJson | undefined,
): boolean => successor?.id === key.rotated_to && stateOf(successor, nowMs) !== "active";
