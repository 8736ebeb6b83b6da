import type { Ask } from "./judge.ts";
import type { Verdict } from "./verdict.ts";

/**
 * Verifies the credentials of one request.
 *
 * @param credentials The token, or the whole `Authorization` header; `null` when the request had none.
 * @param requestId Put into a refusal.
 * @returns The verdict at once when the key is warm, else a promise of it.
 * @throws Failure `verification_unavailable` when it cannot be decided (as a rejection, or at once).
 */
export type Verify = (
  credentials: string | null | undefined,
  ask: Ask,
  requestId: string,
) => Verdict | Promise<Verdict>;
