import { FRAME_BOUNDS, type Upward } from "@latchkey/sdk/core";
import { z } from "zod";

/** The numbers that verifiers give to what they ask. */
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** SHA-256 in base64url. */
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Longest id of a key that is believed to be one. */
const KEY_ID_CHARACTERS_MAX = 64;

const use = z.strictObject({
  keyId: z.string().min(1).max(KEY_ID_CHARACTERS_MAX),
  atMs: count,
});

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
    batch: count,
    uses: z.array(use).min(1).max(FRAME_BOUNDS.usesMax),
  }),
  z.object({ type: z.literal("release") }),
]);

/** What a verifier says, or `null` when that is no frame. */
export function parseUpward(fields: Readonly<Record<string, unknown>>): Upward | null {
  return upward.safeParse(fields).data ?? null;
}
