import type { Ask, CallOptions, Transport } from "./transport.ts";

/** How a verification of a key ended: accepted, or refused and why. */
export type UsageOutcome =
  | "accepted"
  | "revoked"
  | "expired"
  | "incorrect_token_type"
  | "environment_mismatch";

/** How long a bucket of usage is; buckets begin at full minutes, hours and days of UTC. */
export type UsageGranularity = "minute" | "hour" | "day";

/**
 * A range of time, ISO 8601. `to` (exclusive) is now unless given; without `from` it is 1 hour of minutes, 24 of hours or
 * 30 days before `to`. `from` is rounded down to its bucket; the buckets of a range are 1,500 at most.
 */
export interface UsageRange {
  from?: string | undefined;
  to?: string | undefined;
  /** `hour` unless given. */
  granularity?: UsageGranularity | undefined;
}

/** What usage to read: the whole account's, by outcome, unless it says otherwise. */
export interface UsageQuery extends UsageRange {
  /** Slug of the only environment to count. */
  environment?: string | undefined;
  /** What the entries of a bucket are told apart by; `["outcome"]` unless given, `[]` for one number a bucket. */
  group_by?: readonly ("key" | "outcome" | "environment")[] | undefined;
  /** The only keys to count, at most 200. */
  api_key_ids?: readonly string[] | undefined;
  /** When grouped by key: how many keys have entries of their own, those used most; 100 unless given, 1 to 1,000. */
  top?: number | undefined;
}

/** Verifications of one bucket. Of `api_key_id`, `environment` and `outcome` those are there that were grouped by. */
export interface UsageEntryJson {
  /** When the bucket begins. */
  at: string;
  /** `null`: all the keys together that are not among the top ones. */
  api_key_id?: string | null;
  environment?: string;
  outcome?: UsageOutcome;
  count: number;
}

/** Usage of a range, the oldest bucket first; a bucket without a verification has no entry. */
export interface UsageJson {
  /** The beginning of the first bucket. */
  from: string;
  to: string;
  granularity: UsageGranularity;
  entries: UsageEntryJson[];
}

/** Verifications of a key in a span of time. */
export interface UsageTotalJson {
  accepted: number;
  refused: number;
}

/** Who a key was accepted from. */
export interface ApiKeyCallerJson {
  /** IPv4 or IPv6; `null` when not known. */
  address: string | null;
  user_agent: string | null;
  first_seen_at: string;
  last_seen_at: string;
  count: number;
}

/** The use of one key. */
export interface ApiKeyUsageJson extends Omit<UsageJson, "entries"> {
  entries: { at: string; outcome: UsageOutcome; count: number }[];
  /** Up to now, whatever the range. */
  totals: { last_24_hours: UsageTotalJson; last_7_days: UsageTotalJson };
  last_used_at: string | null;
  /** The latest first, at most 50. Empty where the server does not keep them. */
  callers: ApiKeyCallerJson[];
  /** How many callers there were in the last 24 hours. */
  callers_last_24_hours: number;
}

/** Bytes of 50,000 entries, the most that one answer has, are under 10 MiB. */
const USAGE_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes of a table that is read whole: some two million lines. */
const CSV_BYTES_MAX = 256 * 1024 * 1024;

const PATH = ["v1", "usage"] as const;

/** The same ask, for a table. */
export function csvOf(ask: Ask): Ask {
  const query = { ...ask.query, format: "csv" };
  return { ...ask, query, as: "csv", bytesMax: CSV_BYTES_MAX, waits: true };
}

/** `/v1/usage` */
export function usageCalls({ call }: Transport) {
  const ask = ({ group_by, api_key_ids, ...query }: UsageQuery): Ask => ({
    method: "GET",
    path: PATH,
    query: { ...query, group_by: group_by?.join(","), api_key_ids: api_key_ids?.join(",") },
  });

  return {
    /** Verifications of an account by bucket. */
    read: (query: UsageQuery = {}, options?: CallOptions) =>
      call<UsageJson>({ ...ask(query), bytesMax: USAGE_BYTES_MAX }, options),
    /** The same as CSV (RFC 4180), with every key. Resolves when the whole table is here. */
    csv: (query: Omit<UsageQuery, "top"> = {}, options?: CallOptions) =>
      call<string>(csvOf(ask(query)), options),
  };
}
