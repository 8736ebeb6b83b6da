import type { UsageGranularity, UsageJson } from "@latchkey/sdk/client";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const stepMs: Record<UsageGranularity, number> = {
  minute: minuteMs,
  hour: hourMs,
  day: 24 * hourMs,
};

/** The spans that a chart can show: how many buckets of which length, the one that is running included. */
export const RANGES = {
  "1h": { granularity: "minute", buckets: 60, words: "the last hour", label: "1 hour" },
  "24h": { granularity: "hour", buckets: 24, words: "the last 24 hours", label: "24 hours" },
  "30d": { granularity: "day", buckets: 30, words: "the last 30 days", label: "30 days" },
} as const;

export type RangeName = keyof typeof RANGES;

export const isRange = (value: unknown): value is RangeName =>
  typeof value === "string" && Object.hasOwn(RANGES, value);

/** What to ask the server for, so that exactly the buckets of the range come, the running one as the last. */
export function spanOf(
  name: RangeName,
  nowMs: number,
): { granularity: UsageGranularity; from: string } {
  const { granularity, buckets } = RANGES[name];
  const step = stepMs[granularity];
  const fromMs = Math.floor(nowMs / step) * step - (buckets - 1) * step;
  return { granularity, from: new Date(fromMs).toISOString() };
}

/** When each bucket of an answer begins, Unix ms, the empty ones too, which the answer leaves out. */
export function bucketsOf({
  from,
  to,
  granularity,
}: Pick<UsageJson, "from" | "to" | "granularity">): number[] {
  const step = stepMs[granularity];
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  return Array.from(
    { length: Math.max(0, Math.ceil((toMs - fromMs) / step)) },
    (_, index) => fromMs + index * step,
  );
}

const formats: Record<UsageGranularity, { short: Intl.DateTimeFormat; long: Intl.DateTimeFormat }> =
  {
    minute: clock({ timeStyle: "short" }, { dateStyle: "medium", timeStyle: "short" }),
    hour: clock({ timeStyle: "short" }, { dateStyle: "medium", timeStyle: "short" }),
    // Days are those of UTC, wherever the reader is.
    day: clock(
      { day: "numeric", month: "short", timeZone: "UTC" },
      { dateStyle: "medium", timeZone: "UTC" },
    ),
  };

function clock(short: Intl.DateTimeFormatOptions, long: Intl.DateTimeFormatOptions) {
  return {
    short: new Intl.DateTimeFormat(undefined, short),
    long: new Intl.DateTimeFormat(undefined, long),
  };
}

/** A bucket's beginning for an axis: "14:05", or "3 May". */
export const bucketTick = (atMs: number, granularity: UsageGranularity): string =>
  formats[granularity].short.format(atMs);

/** A bucket's beginning in full: "3 May 2026, 14:05", or "3 May 2026 (UTC)". */
export const bucketName = (atMs: number, granularity: UsageGranularity): string =>
  `${formats[granularity].long.format(atMs)}${granularity === "day" ? " (UTC)" : ""}`;
