import type { ApiKeyJson } from "@latchkey/sdk/client";
import { overlapOf } from "./overlap.ts";

/** A rotation that is under way, by the ids of its keys. */
export interface Rotation {
  oldId: string;
  newId: string;
}

/** A page of keys whose pairs stand together. */
export interface PairedKeys {
  /** In the order to show them: an old key right under its successor, the others as they were. */
  rows: readonly ApiKeyJson[];
  /** Ids of the old keys that stand right under their successor. */
  old: ReadonlySet<string>;
  /** Ids of the successors that have their old key right under them. */
  successors: ReadonlySet<string>;
  /** Every rotation of an old key of this page, wherever the successor is. */
  rotations: readonly Rotation[];
}

/** Brings each old key that is accepted still to its successor, as far as both are among these. */
export function pairUp(keys: readonly ApiKeyJson[], nowMs: number): PairedKeys {
  const here = new Set(keys.map(({ id }) => id));
  const rotations: Rotation[] = [];
  const oldOf = new Map<string, ApiKeyJson>();
  for (const key of keys) {
    if (key.rotated_to === null || overlapOf(key, nowMs) === null) continue;
    rotations.push({ oldId: key.id, newId: key.rotated_to });
    if (here.has(key.rotated_to)) oldOf.set(key.rotated_to, key);
  }
  const old = new Set([...oldOf.values()].map(({ id }) => id));
  const rows: ApiKeyJson[] = [];
  for (const key of keys)
    if (!old.has(key.id))
      // A successor may be rotated before its own predecessor has ended: then there are three in a row.
      for (let next: ApiKeyJson | undefined = key; next !== undefined; next = oldOf.get(next.id))
        rows.push(next);
  return { rows, old, successors: new Set(oldOf.keys()), rotations };
}

const overlapMsMax = 30 * 24 * 60 * 60 * 1000;

/** Whether the old key of a successor may be accepted still, as far as the successor's own record tells. */
export const mayHaveOldKey = (key: ApiKeyJson, nowMs: number): boolean =>
  key.rotated_from !== null && nowMs - Date.parse(key.created_at) <= overlapMsMax;
