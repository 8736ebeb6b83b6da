import { BATCH_BOUNDS, FRAME_BOUNDS, REFUSAL_REASONS, type Upward } from "@latchkey/sdk/core";
import { z } from "zod";

/** The numbers that verifiers give to what they ask. */
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** SHA-256 in base64url. */
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** The id of a key, a request or a process. No database refuses it, and with it what others have counted. */
const id = z.string().regex(/^[\x21-\x7e]{1,64}$/);

/** Unix ms. */
const time = count;

const caller = {
  address: z
    .string()
    .regex(/^[0-9a-fA-F:.]{1,45}$/)
    .nullable(),
  userAgent: z
    .string()
    .regex(/^[\x20-\x7e]{0,256}$/)
    .nullable(),
};

/** Verdicts of one key in one minute that are believed. */
const verdicts = z.number().int().min(0).max(1_000_000_000);

const usageBatch = z
  .strictObject({
    number: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
    counts: z
      .array(
        z.strictObject({
          keyId: id,
          minuteMs: time.refine((ms) => ms % 60_000 === 0),
          counts: z.strictObject({
            accepted: verdicts,
            revoked: verdicts,
            expired: verdicts,
            type: verdicts,
            environment: verdicts,
          }),
          lastAcceptedMs: time,
        }),
      )
      .max(BATCH_BOUNDS.countsMax),
    callers: z
      .array(z.strictObject({ keyId: id, ...caller, firstMs: time, lastMs: time, count: verdicts }))
      .max(BATCH_BOUNDS.callersMax),
    refusals: z
      .array(
        z.strictObject({
          requestId: id,
          atMs: time,
          reason: z.enum(REFUSAL_REASONS),
          keyId: id.nullable(),
          types: z.array(z.enum(["secret", "public"])).max(2),
          environment: z
            .string()
            .regex(/^[\x20-\x7e]{0,64}$/)
            .nullable(),
          ...caller,
        }),
      )
      .max(BATCH_BOUNDS.refusalsMax),
  })
  .refine(({ counts, callers, refusals }) => counts.length + callers.length + refusals.length > 0);

const upward = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ask"), ask: count }),
  z.object({ type: z.literal("ack"), seq: count }),
  z.object({
    type: z.literal("look"),
    look: count,
    digests: z.array(digest).min(1).max(FRAME_BOUNDS.digestsMax),
  }),
  z.object({
    type: z.literal("usage"),
    source: id,
    hurry: z.boolean(),
    batch: usageBatch,
  }),
  z.object({ type: z.literal("release") }),
]);

/** What a verifier says, or `null` when that is no frame. */
export function parseUpward(fields: Readonly<Record<string, unknown>>): Upward | null {
  return upward.safeParse(fields).data ?? null;
}
