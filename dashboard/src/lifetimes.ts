import type { ApiKeyJson } from "@latchkey/sdk/client";
import { counted } from "./counts.ts";
import { midSentence } from "./sentences.ts";
import { formatMoment } from "./times.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** A maximum age in words, to say why something is not offered. */
export const maximumWords = (days: number): string =>
  `Keys of this account live at most ${counted(days, "day")}.`;

/**
 * When the successor of a key will end, in words: it lives as long as the old one was made for, and no longer than the
 * account's maximum age allows.
 *
 * @param maximumDays Of the account; `null`: none, or not known.
 */
export function successorEnd(key: ApiKeyJson, maximumDays: number | null, nowMs: number): string {
  const maximumMs = maximumDays === null ? Number.POSITIVE_INFINITY : maximumDays * dayMs;
  // The end that a key in overlap has is not the one it was made for, which only the server knows.
  if (key.overlap !== null) return "The new key lives as long as this one was made for.";
  const ownMs =
    key.expires_at === null
      ? Number.POSITIVE_INFINITY
      : Date.parse(key.expires_at) - Date.parse(key.created_at);
  const lifeMs = Math.min(ownMs, maximumMs);
  if (lifeMs === Number.POSITIVE_INFINITY)
    return "The new key does not expire, as this one does not.";
  const end = formatMoment(new Date(nowMs + lifeMs).toISOString());
  if (maximumMs < ownMs && maximumDays !== null)
    return `The new key expires on ${end}: ${midSentence(maximumWords(maximumDays))}`;
  return `The new key expires on ${end}: it lives as long as this one was made for.`;
}
