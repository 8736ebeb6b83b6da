import type { Ask, KeyRecord, KeyRefusal } from "./judge.ts";

/** Why a request was refused; `malformed` to `environment` in the order of the contract. */
export const REFUSAL_REASONS = [
  "no_credentials",
  "malformed",
  "wrong_kind",
  "unknown",
  "revoked",
  "expired",
  "type",
  "environment",
] as const satisfies readonly (KeyRefusal | "no_credentials" | "malformed" | "wrong_kind")[];
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** A refusal as it goes to the caller: `status` is the HTTP status, the rest the flat JSON body. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly code:
    | "authentication_required"
    | "api_key_missing"
    | "api_key_expired"
    | "incorrect_token_type"
    | "environment_mismatch";
  readonly message: string;
  readonly type: "authentication_error";
  readonly request_id: string;
}

/** A key that may pass. */
export interface Accepted {
  readonly ok: true;
  readonly key: KeyRecord;
}

/**
 * A request that may not pass. `refusal` is for the caller; `reason` and `key` are for the owner of the account alone:
 * the caller is never told whether a key was revoked or never existed.
 */
export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
  readonly reason: RefusalReason;
  readonly key: KeyRecord | null;
}

/** The answer of a verification. An outage is not a verdict: it throws (`verification_unavailable`). */
export type Verdict = Accepted | Refused;

/** Builds the refusal of a verification. Messages are ASCII and safe inside JSON and HTTP headers. */
export function refuse(
  reason: RefusalReason,
  ask: Ask,
  key: KeyRecord | null,
  requestId: string,
): Refused {
  const [status, code] = REFUSALS[reason];
  const refusal: Refusal = {
    code,
    message: message(reason, ask, key),
    status,
    type: "authentication_error",
    request_id: requestId,
  };
  return { ok: false, refusal, reason, key };
}

const REFUSALS: Readonly<Record<RefusalReason, readonly [Refusal["status"], Refusal["code"]]>> = {
  no_credentials: [401, "authentication_required"],
  malformed: [401, "api_key_missing"],
  wrong_kind: [401, "incorrect_token_type"],
  unknown: [401, "api_key_missing"],
  revoked: [401, "api_key_missing"],
  expired: [401, "api_key_expired"],
  type: [403, "incorrect_token_type"],
  environment: [403, "environment_mismatch"],
};

function message(reason: RefusalReason, ask: Ask, key: KeyRecord | null): string {
  switch (reason) {
    case "no_credentials":
      return "No API key was provided. Send it in the header 'Authorization: Bearer <API key>'.";
    case "malformed":
    case "unknown":
    case "revoked":
      return "The API key you provided is invalid.";
    case "wrong_kind":
      return `The token you provided is not an API key. This route expects ${expectedTypes(ask)}.`;
    case "expired":
      return `The API key you provided expired at ${isoTime(key?.expiresAtMs)}.`;
    case "type":
      return `The API key you provided is a ${key?.type ?? "different"} key. This route expects ${expectedTypes(ask)}.`;
    case "environment":
      return "The API key you provided belongs to another environment than this route serves.";
  }
}

function expectedTypes(ask: Ask): string {
  const names = { secret: "a secret key (sk_...)", public: "a public key (pk_...)" } as const;
  return ask.types.map((type) => names[type]).join(" or ");
}

function isoTime(ms: number | null | undefined): string {
  return typeof ms === "number" ? new Date(ms).toISOString() : "an unknown time";
}
