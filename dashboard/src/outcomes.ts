import type { RefusalJson, UsageOutcome } from "@latchkey/sdk/client";

/** How a verification can end, in the order in which charts stack it. */
export const OUTCOMES = [
  "accepted",
  "revoked",
  "expired",
  "incorrect_token_type",
  "environment_mismatch",
] as const satisfies readonly UsageOutcome[];

/** An outcome in two or three words, for legends and tables. */
export const outcomeWords: Record<UsageOutcome, string> = {
  accepted: "Accepted",
  revoked: "Refused: revoked",
  expired: "Refused: expired",
  incorrect_token_type: "Refused: wrong type",
  environment_mismatch: "Refused: other environment",
};

/** Why a request was refused, in words. */
export const reasonWords: Record<RefusalJson["reason"], string> = {
  revoked: "Revoked key",
  expired: "Expired key",
  incorrect_token_type: "Wrong type of key",
  environment_mismatch: "Key of another environment",
  authentication_required: "No key sent",
  malformed: "Malformed token",
  wrong_kind: "Not an API key",
  unknown: "Unknown token",
};

/** Reasons that belong to an account, for there is a key. */
export const KEY_REASONS = [
  "revoked",
  "expired",
  "incorrect_token_type",
  "environment_mismatch",
] as const;

/** Reasons that belong to no account. */
export const UNATTRIBUTED_REASONS = [
  "authentication_required",
  "malformed",
  "wrong_kind",
  "unknown",
] as const;
