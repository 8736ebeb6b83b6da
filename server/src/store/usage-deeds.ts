import type { Outcome, RefusalNote, UsageBatch } from "@latchkey/sdk/core";
import type { ApiKey } from "./api-key.ts";
import type { Listed, PageAsk } from "./deeds.ts";

/** A batch, with the process that counted it: a random id that no other process has. */
export interface SourcedBatch extends UsageBatch {
  readonly source: string;
}

export type Granularity = "minute" | "hour" | "day";

/** A half-open range of time, Unix ms. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface UsageAsk extends Span {
  readonly granularity: Granularity;
  /** Slug; `null`: every environment of the account. */
  readonly environment: string | null;
  /** `null`: every key. */
  readonly keyIds: readonly string[] | null;
  readonly by: { readonly key: boolean; readonly environment: boolean };
  /** With `by.key`: how many keys, those with the most verifications in the span, have rows of their own; `null`: all. */
  readonly top: number | null;
}

/** Verifications of one bucket, and one key and one environment where it was asked by them. */
export interface UsageRow {
  /** The bucket's first ms, Unix. */
  readonly atMs: number;
  /** `null`: not asked by key, or of all the keys that are not among the top ones. */
  readonly keyId: string | null;
  /** Slug; `null` when not asked by environment. */
  readonly environment: string | null;
  readonly counts: Readonly<Record<Outcome, number>>;
}

/** Who used a key lately; times are Unix ms. */
export interface KeyCaller {
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
}

/** A refusal that was kept, with its key as it is now. */
export interface Refused extends Omit<RefusalNote, "keyId"> {
  readonly key: ApiKey | null;
}

export interface RefusalFilter {
  /** Slug; `null`: every environment of the account. */
  readonly environment: string | null;
  readonly keyId: string | null;
  readonly reason: RefusalNote["reason"] | null;
}

/** What one account may know of the use of its keys. Keys of deleted environments are absent, as elsewhere. */
export interface UsageStore {
  /** Oldest bucket first; one without a verification has no row. `absent`: no such environment. */
  readUsage(
    ask: UsageAsk,
  ): Promise<{ outcome: "usage"; rows: readonly UsageRow[] } | { outcome: "absent" }>;
  /** Verifications of one key by outcome, out of the hours: from the beginning of the one that `sinceMs` is in. */
  sumUsage(keyId: string, sinceMs: number): Promise<Readonly<Record<Outcome, number>>>;
  /** Newest first, at most `max`; `since` counts those that were seen since then. */
  listCallers(
    keyId: string,
    max: number,
    sinceMs: number,
  ): Promise<{ callers: readonly KeyCaller[]; since: number }>;
  listRefusals(
    filter: RefusalFilter,
    page: PageAsk,
  ): Promise<Listed<Refused> | { outcome: "absent" }>;
  findRefusal(requestId: string): Promise<Refused | undefined>;
}

/** How long what is counted is kept, ms. */
export interface UsageKept {
  readonly minutesMs: number;
  readonly hoursMs: number;
  readonly daysMs: number;
  readonly refusalsMs: number;
}
