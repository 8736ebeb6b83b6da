import type { KeyType } from "@latchkey/sdk/core";
import type { ApiKey } from "./api-key.ts";
import type { Absent, Listed, Once, OnceOutcome, Origin, PageAsk } from "./deeds.ts";

/** A key about to be stored. `digest` is the base64url SHA-256 of its token; `token` only for public keys. */
export interface NewKey {
  readonly id: string;
  readonly type: KeyType;
  readonly digest: string;
  readonly hint: string;
  readonly token: string | null;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** `null`: as late as may be, which is never unless the account has a maximum age. */
  readonly expiresAtMs: number | null;
}

export interface KeyFilter {
  /** Slug; `null`: any. */
  readonly environment: string | null;
  /** Id of the person or token that made them; unless given, whoever. */
  readonly createdBy?: string;
  readonly status: "active" | "revoked" | "expired" | "all";
  /** By accepted verifications; `over_90_days_ago` also when there is none and the key is older than that. */
  readonly lastUsed: "any" | "never" | "over_90_days_ago";
  /** By the end that is still to come. */
  readonly expires: "any" | "within_7_days" | "within_30_days" | "never";
  /** Searched, case-insensitively and literally (no wildcards), in hint, description and id; "" finds all. */
  readonly text: string;
  /** What "expired", `lastUsed` and `expires` are judged by. */
  readonly nowMs: number;
}

/** What of a key is to change; what is not named stays. Of the two that end it at most one is named. */
export interface KeyEdit {
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Its end; `null`: never. Not of a key that was rotated. */
  readonly expiresAtMs?: number | null;
  /** How long it lives on beside its successor, from when that started. Only of a key that was rotated. */
  readonly overlapMs?: number;
}

/** How a key is replaced by its successor, which takes over what is not named here. */
export interface Rotation {
  readonly successor: Pick<NewKey, "id" | "digest" | "hint" | "token">;
  /** How long the old key lives on; 0 revokes it. */
  readonly overlapMs: number;
  /** From when that counts. */
  readonly starts: "now" | "first_use";
  /** The successor's own end, `null` for never; unless given it lives as long as the old key was made for. */
  readonly expiresAtMs?: number | null;
}

/** A key that has ended cannot be given another end, nor be rotated. */
interface Ended {
  readonly outcome: "ended";
  readonly how: "revoked" | "expired";
}

/** A key that a service token was exchanged for is not rotated, nor is its end put off: another is exchanged. */
interface Exchanged {
  readonly outcome: "exchanged";
}

/** The account's maximum age allows no later end than this. */
interface TooLate {
  readonly outcome: "too_late";
  readonly latestMs: number;
}

/** A rotation that was done. `seq`: see {@link KeyStore.editKey}. */
interface Rotated {
  readonly outcome: "rotated" | "replayed";
  readonly successor: ApiKey;
  readonly predecessor: ApiKey;
  readonly seq: number | null;
}

/** The keys of one account. */
export interface KeyStore {
  /** `absent`: no such environment (or deleted) in this account. */
  listKeys(filter: KeyFilter, page: PageAsk): Promise<Listed<ApiKey> | { outcome: "absent" }>;
  createKey(
    environmentSlug: string,
    key: NewKey,
    origin: Origin,
    once: Once | null,
  ): Promise<{ outcome: "created"; key: ApiKey } | { outcome: "absent" } | TooLate | OnceOutcome>;
  /** Keys of deleted environments are absent. */
  findKey(id: string): Promise<ApiKey | undefined>;
  /**
   * Writes a change when the metadata differ, or the end, for they are part of the verdict; an edit that alters nothing
   * writes nothing. Keys that have ended may be described too.
   *
   * `seq` is of the change that brought the end forward to where it is, by this edit or an earlier one, while nobody has
   * seen its barrier end; `null` when there is nothing to wait for, and for edits that name no end.
   *
   * @param nowMs The clock, for a key's end that comes while the key's row is waited for; unless given, none does.
   */
  editKey(
    id: string,
    edit: KeyEdit,
    origin: Origin,
    nowMs?: () => number,
  ): Promise<
    | { outcome: "edited"; key: ApiKey; seq: number | null }
    | { outcome: "absent" }
    | Ended
    | Exchanged
    | TooLate
    | { outcome: "in_rotation" | "not_in_rotation" | "in_the_past" }
  >;
  /**
   * Stores a successor and ends the old key after the overlap, in one transaction. Of concurrent rotations of a key one
   * is done, the others find it `already_rotated`; it can be rotated again once its successor has ended. A replay finds
   * both keys as they are now.
   *
   * @param nextEventId Makes the ids of the audit events besides the rotation's own.
   * @param nowMs As {@link KeyStore.editKey} has it.
   */
  rotateKey(
    id: string,
    rotation: Rotation,
    origin: Origin,
    nextEventId: () => string,
    once: Once | null,
    nowMs?: () => number,
  ): Promise<
    | Rotated
    | { outcome: "absent" }
    | Ended
    | Exchanged
    | TooLate
    | { outcome: "already_rotated" }
    | { outcome: "mismatch" }
  >;
  /**
   * Marks a key revoked and records the change that verifiers must learn of, in one transaction. Of concurrent calls
   * exactly one resolves to `revoked`; the first revocation's time, actor and reason stand.
   * `seq` is that of the first revocation either way; `key.revocation.effectiveAtMs` tells whether its barrier ended.
   */
  revokeKey(
    id: string,
    reason: string | null,
    origin: Origin,
    once: Once | null,
  ): Promise<
    | { outcome: "revoked" | "already_revoked"; seq: number; key: ApiKey }
    | Absent
    | { outcome: "mismatch" }
  >;
}

/** An account as its own people see it. */
export interface OwnAccount {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** The longest that its keys may live; `null`: as long as they are wanted. */
  readonly keyMaxAgeMs: number | null;
  /** Whether it is closed to whoever has no second factor. */
  readonly twoFactorRequired: boolean;
}

/** What an account's own people set of it. */
export interface OwnAccountStore {
  /** `undefined`: it was deleted. */
  findOwnAccount(): Promise<OwnAccount | undefined>;
  /** Setting what is so already writes nothing. */
  setTwoFactorRequired(
    required: boolean,
    origin: Origin,
  ): Promise<{ outcome: "set"; account: OwnAccount } | { outcome: "absent" }>;
  /**
   * Sets the maximum age of keys, `null` for none, and brings the ends forward of all living keys that would live longer
   * than that after now. Raising and clearing it extend nothing. Of very many keys the first are shortened by the
   * transaction that sets it and the others after that, a change each time; setting the same again goes on with what a
   * crash has left.
   *
   * `seq`: as {@link KeyStore.editKey} has it.
   */
  setKeyMaxAge(
    maxAgeMs: number | null,
    origin: Origin,
  ): Promise<{ outcome: "set"; account: OwnAccount; seq: number | null } | { outcome: "absent" }>;
}
