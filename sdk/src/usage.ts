import type { KeyType } from "./judge.ts";
import type { RefusalReason } from "./verdict.ts";

/** How a verification of a key ended; refusals by their reason, see {@link RefusalReason}. */
export const OUTCOMES = ["accepted", "revoked", "expired", "type", "environment"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Verifications of one key in one minute of UTC, by outcome. */
export interface KeyCount {
  readonly keyId: string;
  /** The minute's first ms, Unix. */
  readonly minuteMs: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  /** The last accepted one, Unix ms; 0 when there is none. */
  readonly lastAcceptedMs: number;
}

/** Who sent a request; `null` for what is not known or not to be kept. */
export interface Caller {
  /** IPv4 or IPv6, at most 45 characters. */
  readonly address: string | null;
  /** At most 256 printable ASCII characters. */
  readonly userAgent: string | null;
}

/** Accepted verifications of one key for one caller. Times are Unix ms. */
export interface CallerUse extends Caller {
  readonly keyId: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
}

/** One refusal, for whoever may know the truth about it. */
export interface RefusalNote extends Caller {
  readonly requestId: string;
  readonly atMs: number;
  readonly reason: RefusalReason;
  /** `null` where no key was found: then it belongs to no account. */
  readonly keyId: string | null;
  /** What was asked for. */
  readonly types: readonly KeyType[];
  readonly environment: string | null;
}

/**
 * What a source, one process that verifies, has counted. Numbers begin at 1 and have no gaps; a batch never changes once
 * it has a number, and is sent until it is stored, so that storing it twice can be noticed.
 */
export interface UsageBatch {
  readonly number: number;
  readonly counts: readonly KeyCount[];
  readonly callers: readonly CallerUse[];
  readonly refusals: readonly RefusalNote[];
}

/** Bounds of one {@link UsageBatch}. */
export const BATCH_BOUNDS = { countsMax: 1_000, callersMax: 250, refusalsMax: 50 } as const;
