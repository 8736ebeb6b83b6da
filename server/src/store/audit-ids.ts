/** Hex digits of a UUIDv7 that are its time (RFC 9562, section 5.7). */
const TIME_DIGITS = 12;

const PREFIX = "evt_";

/**
 * How far the time of an event may lie from that of its id: a deed that waited for a lock makes the ids of its further
 * events when it had it.
 */
const APART_MS = 60 * 60_000;

/** Every event at or after `ms` has a greater id. */
export const idBefore = (ms: number): string => PREFIX + timeDigits(Math.max(0, ms - APART_MS));

/** Every event at or before `ms` has a smaller id. */
export const idAfter = (ms: number): string => PREFIX + timeDigits(ms + APART_MS);

/** The id as it would have been made at another time: what is told again stands where it happened. */
export function idAsOf(id: string, ms: number): string {
  return PREFIX + timeDigits(ms) + id.slice(PREFIX.length + TIME_DIGITS);
}

function timeDigits(ms: number): string {
  return ms.toString(16).padStart(TIME_DIGITS, "0");
}
