import { z } from "@hono/zod-openapi";
import type { ActorJson, Page, RevocationJson, UsageOutcome } from "@latchkey/sdk/client";
import type { Outcome } from "@latchkey/sdk/core";
import type { Actor, PageOf, Revocation } from "../store/store.ts";

/** A time in an answer: ISO 8601, UTC, with milliseconds. */
export const timeJson = z.iso
  .datetime({ precision: 3 })
  .openapi({ example: "2026-01-31T09:30:00.000Z" });

/** @param ms Unix ms, or `null` for "never". */
export function isoTime(ms: number): string;
export function isoTime(ms: number | null): string | null;
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** ISO 8601 in its basic form, to the second: file systems take no colons. */
export function fileTime(ms: number): string {
  return isoTime(ms).replace(/\.\d+|[:-]/g, "");
}

export const actorJson = z
  .object({
    type: z.enum(["person", "service_token", "operator", "command_line", "system"]),
    id: z.string(),
    name: z.string(),
  })
  .openapi("Actor");

export const revocationJson = z
  .object({
    state: z.enum(["pending", "effective"]),
    effective_at: timeJson.nullable(),
    took_ms: z.number().nullable(),
    acknowledged: z.number().int(),
    lapsed: z.number().int(),
  })
  .openapi("Revocation");

export const receiptJson = z.object({ revocation: revocationJson }).openapi("Receipt");

/** How a verification ended, as people read it. */
export const outcomeJson = z.enum([
  "accepted",
  "revoked",
  "expired",
  "incorrect_token_type",
  "environment_mismatch",
]);

export const OUTCOME_ON_WIRE: Readonly<Record<Outcome, UsageOutcome>> = {
  accepted: "accepted",
  revoked: "revoked",
  expired: "expired",
  type: "incorrect_token_type",
  environment: "environment_mismatch",
};

/** One page of a list. */
export function pageJson<Entry extends z.ZodType>(entry: Entry) {
  return z.object({
    entries: z.array(entry),
    page_info: z.object({
      after: z.string().nullable(),
      before: z.string().nullable(),
      page_size: z.number().int(),
    }),
  });
}

export function shapeActor({ type, id, name }: Actor): ActorJson {
  return { type, id, name };
}

export function shapeRevocation(revocation: Revocation): RevocationJson {
  return {
    state: revocation.effectiveAtMs === null ? "pending" : "effective",
    effective_at: isoTime(revocation.effectiveAtMs),
    took_ms: revocation.tookMs,
    acknowledged: revocation.acknowledged,
    lapsed: revocation.lapsed,
  };
}

/** The answer of a deed that takes something away: 202 while that may not be so everywhere yet. */
export function answerReceipt(revocation: Revocation) {
  const status = revocation.effectiveAtMs === null ? (202 as const) : (200 as const);
  return { status, body: { revocation: shapeRevocation(revocation) } };
}

export function shapePage<T, Json>(
  { entries, after, before }: PageOf<T>,
  pageSize: number,
  shape: (entry: T) => Json,
): Page<Json> {
  return { entries: entries.map(shape), page_info: { after, before, page_size: pageSize } };
}
