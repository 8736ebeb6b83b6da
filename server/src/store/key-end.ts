/** The last millisecond whose ISO 8601 form has a year of four digits: no key is said to end later. */
export const LAST_END_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** How long the keys of an account may live: so long after they were made, or after this was set where that is later. */
export interface KeyMaxAge {
  readonly maxAgeMs: number;
  readonly sinceMs: number;
}

/**
 * The end that a key is to have: one that somebody named, `null` for never, or the usual one, which gives way to the
 * maximum age.
 */
export type EndAsk = { readonly named: number | null } | { readonly usual: number | null };

/** The latest end of a key that was made at `createdAtMs`; `null`: there is no maximum age. */
export function latestEnd(maxAge: KeyMaxAge | null, createdAtMs: number): number | null {
  return maxAge === null ? null : Math.max(createdAtMs, maxAge.sinceMs) + maxAge.maxAgeMs;
}

/**
 * When a key is to end, and `null` for never. The one rule of the maximum age; whatever writes an end applies it in the
 * transaction that writes.
 *
 * @param latestMs See {@link latestEnd}.
 */
export function endWithin(ask: EndAsk, latestMs: number | null): number | null | "too_late" {
  if ("usual" in ask) return soonest(ask.usual, latestMs);
  return isSooner(latestMs, ask.named) ? "too_late" : ask.named;
}

/**
 * When a key ends that was rotated: after the overlap, once that has started, and never after its own end.
 *
 * @param ownEndMs When it would end had it not been rotated.
 * @param fromMs When the overlap started; `null`: it waits.
 */
export function endInOverlap(
  ownEndMs: number | null,
  fromMs: number | null,
  lengthMs: number,
): number | null {
  return fromMs === null ? ownEndMs : soonest(ownEndMs, fromMs + lengthMs);
}

/** Whether the end `ms` comes before the end `thanMs`; `null` is never. */
export function isSooner(ms: number | null, thanMs: number | null): boolean {
  return ms !== null && (thanMs === null || ms < thanMs);
}

/** The first of two ends; `null` is never. */
export function soonest(ms: number | null, otherMs: number | null): number | null {
  return isSooner(ms, otherMs) ? ms : otherMs;
}
