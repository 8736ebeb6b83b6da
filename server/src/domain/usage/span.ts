import type { Granularity, Span } from "../../store/store.ts";
import { wrong } from "../outcomes.ts";

const HOUR_MS = 3_600_000;

/** One day, ms. */
export const DAY_MS = 24 * HOUR_MS;

/** How long a bucket is, ms. All of them divide a day of UTC, which knows no summer time. */
export const BUCKET_MS: Readonly<Record<Granularity, number>> = {
  minute: 60_000,
  hour: HOUR_MS,
  day: DAY_MS,
};

/** What is read when nobody says since when. */
const USUAL_MS: Readonly<Record<Granularity, number>> = {
  minute: HOUR_MS,
  hour: DAY_MS,
  day: 30 * DAY_MS,
};

/** Buckets that one reading may span: a day of minutes, two months of hours, four years of days. */
const BUCKETS_MAX = 1_500;

/** A range as somebody asks for it; Unix ms, `undefined` where it is left to us. */
export interface RangeAsk {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly granularity: Granularity;
}

/**
 * Completes a range: `to` is now and `from` so long before it as is usual, rounded down to its bucket.
 *
 * @throws Failure `invalid_params` when nothing lies in it, or too much.
 */
export function spanOf(ask: RangeAsk, nowMs: number): Span {
  const bucketMs = BUCKET_MS[ask.granularity];
  const toMs = ask.toMs ?? nowMs;
  const givenMs = ask.fromMs ?? Math.max(0, toMs - USUAL_MS[ask.granularity]);
  if (givenMs >= toMs) throw wrong("from", "Must lie before to.");
  const span = { fromMs: givenMs - (givenMs % bucketMs), toMs };
  if (bucketsOf(span, ask.granularity) > BUCKETS_MAX)
    throw wrong("from", `Must be so close to to that ${BUCKETS_MAX} ${ask.granularity}s hold it.`);
  return span;
}

/** How many buckets a span touches. */
export function bucketsOf({ fromMs, toMs }: Span, granularity: Granularity): number {
  return Math.ceil((toMs - fromMs) / BUCKET_MS[granularity]);
}
