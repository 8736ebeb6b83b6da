import { counted } from "./counts.ts";
import { formatAgo } from "./times.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** From when on a key counts as unused, in days. */
export const QUIET_DAYS = 30;

/** What is known of a key's use; times are ISO 8601. */
export interface KeyUse {
  /** When it was last accepted; `null`: never. */
  lastUsedAt: string | null;
  /** Different callers of the last 24 hours; 0 also where callers are not kept. */
  callersLastDay: number;
  /** Where the latest accepted request came from, if that is known. */
  latestAddress: string | null;
}

/** `in_use`: within 24 hours; `recent`: within 30 days; `quiet`: not for 30 days; `never`. */
export interface LastUse {
  state: "in_use" | "recent" | "quiet" | "never";
  sentence: string;
}

/**
 * Says in one sentence whether somebody would notice that a key is gone. The one place of the rule: used within the last
 * 24 hours it is in use; not for 30 days, nobody uses it; in between it only says when that was.
 */
export function lastUseOf(
  { lastUsedAt, callersLastDay, latestAddress }: KeyUse,
  nowMs: number,
): LastUse {
  if (lastUsedAt === null) return { state: "never", sentence: "This key has never been used." };
  const ageMs = nowMs - Date.parse(lastUsedAt);
  const from = latestAddress === null ? "" : ` from ${latestAddress}`;
  const ago = formatAgo(lastUsedAt, nowMs);
  if (ageMs <= dayMs) {
    const callers =
      callersLastDay === 0 ? "" : `${counted(callersLastDay, "caller")} in the last 24 h, `;
    return { state: "in_use", sentence: `In use: ${callers}latest ${ago}${from}.` };
  }
  if (ageMs >= QUIET_DAYS * dayMs)
    return { state: "quiet", sentence: `Nobody has used this key for ${QUIET_DAYS} days.` };
  return { state: "recent", sentence: `Last used ${ago}${from}.` };
}

/** A badge of the keys table for keys that nobody seems to need; `null` for all others and for young ones. */
export function idleness(
  { createdAt, lastUsedAt }: { createdAt: string; lastUsedAt: string | null },
  nowMs: number,
): "Never used" | "Unused for 90 days" | null {
  const days = (iso: string): number => (nowMs - Date.parse(iso)) / dayMs;
  if (lastUsedAt !== null) return days(lastUsedAt) > 90 ? "Unused for 90 days" : null;
  return days(createdAt) > 7 ? "Never used" : null;
}

/** Whether a key was accepted within the last 24 hours. */
export const isInUse = (lastUsedAt: string | null, nowMs: number): boolean =>
  lastUsedAt !== null && nowMs - Date.parse(lastUsedAt) <= dayMs;
