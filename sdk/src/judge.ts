/** Type of an API key: `secret` tokens start with `sk_`, `public` ones with `pk_`. */
export type KeyType = "secret" | "public";

/**
 * What a verifier knows of a key. Times are Unix ms. `revokedAtMs` is also set when the key's environment or account
 * was deleted, or the account suspended: to a caller these are all one.
 */
export interface KeyRecord {
  readonly id: string;
  readonly type: KeyType;
  readonly metadata: Readonly<Record<string, string>>;
  readonly account: {
    readonly id: string;
    readonly slug: string;
    readonly externalId: string | null;
  };
  readonly environment: { readonly id: string; readonly slug: string };
  readonly revokedAtMs: number | null;
  readonly expiresAtMs: number | null;
}

/** What a route asks of a key: which types it takes, and, when given, the slug of the only environment it serves. */
export interface Ask {
  readonly types: readonly KeyType[];
  readonly environment?: string | undefined;
}

/** Why a well-formed token was refused. */
export type KeyRefusal = "unknown" | "revoked" | "expired" | "type" | "environment";

/** The judgement of one key against one ask. */
export type Judgement =
  | { readonly ok: true; readonly key: KeyRecord }
  | { readonly ok: false; readonly reason: KeyRefusal; readonly key: KeyRecord | null };

/**
 * Judges one key against one ask.
 *
 * Pure and synchronous, so that the server and the in-process verifier cannot disagree: both call this, and both are
 * held to `sdk/vectors/verdicts.json`. The order of the checks is part of the contract.
 *
 * @param key The record, or `null` when no key has the presented digest.
 * @param nowMs Unix time in milliseconds; passed in, never read here.
 * @returns The key, or the first reason to refuse it. Never throws.
 */
export function judge(key: KeyRecord | null, ask: Ask, nowMs: number): Judgement {
  if (key === null) return { ok: false, reason: "unknown", key: null };
  if (key.revokedAtMs !== null) return { ok: false, reason: "revoked", key };
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs)
    return { ok: false, reason: "expired", key };
  if (!ask.types.includes(key.type)) return { ok: false, reason: "type", key };
  if (ask.environment !== undefined && ask.environment !== key.environment.slug)
    return { ok: false, reason: "environment", key };
  return { ok: true, key };
}
