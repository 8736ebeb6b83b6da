import { OUTCOMES, type Outcome } from "@latchkey/sdk/core";
import type { UsageAsk, UsageRow } from "./store.ts";
import { ALL_KEYS } from "./usage-tables.ts";

export type Counts = Readonly<Record<Outcome, number>>;

/** A row of usage as it is stored: key and environment are numbers. */
export interface Bucket {
  readonly atMs: number;
  readonly environment: number;
  readonly key: number;
  readonly counts: Counts;
}

/** What the numbers of buckets stand for: ids of those keys that get rows of their own, slugs of environments. */
export interface Names {
  readonly keys: ReadonlyMap<number, string>;
  readonly environments: ReadonlyMap<number, string>;
}

export const NOTHING: Counts = { accepted: 0, revoked: 0, expired: 0, type: 0, environment: 0 };

/** Adds counts up; `sign` -1 takes the right ones away. */
export function plus(left: Counts, right: Counts, sign: 1 | -1 = 1): Counts {
  return {
    accepted: left.accepted + sign * right.accepted,
    revoked: left.revoked + sign * right.revoked,
    expired: left.expired + sign * right.expired,
    type: left.type + sign * right.type,
    environment: left.environment + sign * right.environment,
  };
}

/** Verifications, however they ended. */
export function total(counts: Counts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}

/**
 * Groups buckets as they were asked for, oldest first. Keys without a name are together in a row without a key. Where an
 * environment's sum is among the buckets, what its named keys have of it is theirs alone.
 */
export function groupBuckets(
  buckets: readonly Bucket[],
  names: Names,
  by: UsageAsk["by"],
): readonly UsageRow[] {
  const summed = new Set(buckets.filter(({ key }) => key === ALL_KEYS).map(placeOf));
  const rows = new Map<string, UsageRow>();
  const add = (bucket: Bucket, keyId: string | null, sign: 1 | -1): void => {
    const slug = names.environments.get(bucket.environment) ?? null;
    const environment = by.environment ? slug : null;
    const place = `${bucket.atMs} ${environment} ${keyId}`;
    const counts = plus(rows.get(place)?.counts ?? NOTHING, bucket.counts, sign);
    rows.set(place, { atMs: bucket.atMs, keyId, environment, counts });
  };
  for (const bucket of buckets) {
    const keyId = (by.key ? names.keys.get(bucket.key) : null) ?? null;
    add(bucket, keyId, 1);
    if (keyId !== null && summed.has(placeOf(bucket))) add(bucket, null, -1);
  }
  return [...rows.values()]
    .filter(({ counts }) => total(counts) > 0)
    .sort((left, right) => left.atMs - right.atMs);
}

function placeOf({ environment, atMs }: Bucket): string {
  return `${environment} ${atMs}`;
}
