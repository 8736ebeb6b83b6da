import type { UsageJson } from "@latchkey/sdk/client";
import type { Rotation } from "./key-pairs.ts";

/** Accepted verifications of both keys of a pair in the same span of time. */
export interface Split {
  old: number;
  next: number;
}

/** Reads the splits of some rotations off one answer, by the id of the old key. */
export function splitsOf(
  { entries }: Pick<UsageJson, "entries">,
  rotations: readonly Rotation[],
): ReadonlyMap<string, Split> {
  const accepted = new Map<string | null | undefined, number>();
  for (const { api_key_id: id, outcome, count } of entries)
    if (outcome === "accepted") accepted.set(id, (accepted.get(id) ?? 0) + count);
  return new Map(
    rotations.map(({ oldId, newId }) => [
      oldId,
      { old: accepted.get(oldId) ?? 0, next: accepted.get(newId) ?? 0 },
    ]),
  );
}

/** The old key's part in whole percent; `null` when there was no traffic. */
export function oldPercent({ old, next }: Split): number | null {
  return old + next === 0 ? null : Math.round((old / (old + next)) * 100);
}

/**
 * The split in words: "12% old · 88% new in the last hour". Only nothing is 0%: who watches an old key go quiet must not
 * miss its last callers.
 */
export function splitWords(split: Split): string {
  const percent = oldPercent(split);
  if (percent === null) return "Neither was used in the last hour";
  if (percent === 0 && split.old > 0) return "Under 1% old · over 99% new in the last hour";
  if (percent === 100 && split.next > 0) return "Over 99% old · under 1% new in the last hour";
  return `${percent}% old · ${100 - percent}% new in the last hour`;
}
