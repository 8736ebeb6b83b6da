import { Failure } from "@latchkey/sdk/core";
import type { Origin } from "../store/store.ts";
import { wrong } from "./outcomes.ts";

/**
 * Holds a new end to the future; `null` is never. That the maximum age allows it is for the store to say, in the
 * transaction that writes.
 *
 * @throws Failure `invalid_params`
 */
export function checkEnd(expiresAtMs: number | null, { atMs }: Pick<Origin, "atMs">): void {
  if (expiresAtMs !== null && expiresAtMs <= atMs)
    throw wrong("expires_at", "Must be in the future.");
}

/** An end past the account's maximum age; names the latest that there is. */
export function tooLate(latestMs: number): Failure {
  const latest = new Date(latestMs).toISOString();
  return wrong(
    "expires_at",
    `Must not be later than ${latest}: API keys of this account have a maximum age.`,
  );
}

/** What was asked of a key that has ended. */
export function alreadyEnded(how: "revoked" | "expired"): Failure {
  return new Failure(
    "conflict",
    how === "revoked"
      ? "This API key was revoked, and stays so."
      : "This API key has expired, and stays so.",
  );
}

/** What would have a key that a service token was exchanged for outlive its end. */
export function onlyExchanged(): Failure {
  return new Failure(
    "conflict",
    "This API key was exchanged for a service token: exchange it again.",
  );
}
