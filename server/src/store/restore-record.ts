import { z } from "zod";
import type { Actor } from "./store.ts";

/**
 * Something that was taken away for good or until further notice: a line of `latchkey revocations export`, and what a
 * restored database is told, so that it revives nothing.
 */
export interface RestoreRecord {
  /** Of its change, in the database that it was read from. */
  readonly seq: number;
  readonly atMs: number;
  readonly deed: RestoreDeed;
  /** Of what it was done to. */
  readonly id: string;
  /** `null` when the database does not tell. */
  readonly actor: Actor | null;
  readonly reason: string | null;
  /** Only of `api_key.expires`: the end that was brought forward. */
  readonly expiresAtMs: number | null;
  /** Only of `account.key_max_age`: how long, from the deed on, the account's keys could live at most. */
  readonly maxAgeDays: number | null;
  /** When it was known to be so everywhere; `null` while nobody has seen that. */
  readonly effective: RestoreReceipt | null;
}

/** The end of a revocation's barrier, as the database that saw it recorded it. */
export interface RestoreReceipt {
  readonly atMs: number;
  readonly tookMs: number;
  readonly acknowledged: number;
  readonly lapsed: number;
}

const DEEDS = [
  "api_key.revoked",
  "api_key.expires",
  "access_token.deleted",
  "environment.deleted",
  "account.key_max_age",
  "account.suspended",
  "account.deleted",
] as const;

/** What can be taken away, by the names of the audit log where it has one. */
export type RestoreDeed = (typeof DEEDS)[number];

/** Characters of one line: many times the longest that an export writes. */
export const RECORD_CHARACTERS_MAX = 65_536;

const count = z.int().min(0);
const text = z.string().max(4_096);

/**
 * ISO 8601 with a zone, in Unix ms. Years beyond 9999 have a sign and six digits, as ECMA-262 writes them (section
 * 21.4.1.32): an end may be that far away.
 */
const time = z
  .string()
  .regex(/^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/)
  .transform((iso) => Date.parse(iso))
  .pipe(z.int());

const LINE = z
  .strictObject({
    seq: count,
    at: time,
    deed: z.enum(DEEDS),
    id: z.string().min(1).max(256),
    by: z
      .strictObject({
        type: z.enum(["person", "service_token", "operator", "command_line", "system"]),
        id: text,
        name: text,
      })
      .nullable(),
    reason: text.nullable(),
    expires_at: time.nullable(),
    max_age_days: z.int().min(1).max(36_500).nullable(),
    effective: z
      .strictObject({ at: time, took_ms: count, acknowledged: count, lapsed: count })
      .nullable(),
  })
  .refine((line) => (line.deed === "api_key.expires") === (line.expires_at !== null))
  .refine((line) => (line.deed === "account.key_max_age") === (line.max_age_days !== null))
  .refine((line) => line.effective === null || line.effective.at >= line.at);

/** One line of an export, without its end. Times are ISO 8601 UTC with milliseconds. */
export function formatRecord(record: RestoreRecord): string {
  const { effective } = record;
  return JSON.stringify({
    seq: record.seq,
    at: timeText(record.atMs),
    deed: record.deed,
    id: record.id,
    by: record.actor,
    reason: record.reason,
    expires_at: record.expiresAtMs === null ? null : timeText(record.expiresAtMs),
    max_age_days: record.maxAgeDays,
    effective:
      effective === null
        ? null
        : {
            at: timeText(effective.atMs),
            took_ms: effective.tookMs,
            acknowledged: effective.acknowledged,
            lapsed: effective.lapsed,
          },
  } satisfies z.input<typeof LINE>);
}

/** @returns `undefined` for what {@link formatRecord} would not write, but for other spellings of a time. */
export function parseRecord(line: string): RestoreRecord | undefined {
  const { success, data } = LINE.safeParse(jsonOf(line));
  if (!success) return undefined;
  const { effective } = data;
  return {
    seq: data.seq,
    atMs: data.at,
    deed: data.deed,
    id: data.id,
    actor: data.by,
    reason: data.reason,
    expiresAtMs: data.expires_at,
    maxAgeDays: data.max_age_days,
    effective:
      effective === null
        ? null
        : {
            atMs: effective.at,
            tookMs: effective.took_ms,
            acknowledged: effective.acknowledged,
            lapsed: effective.lapsed,
          },
  };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
