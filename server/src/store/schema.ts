import type { KeyType } from "@latchkey/sdk/core";
import type { Generated } from "kysely";
import type { Actor, Change, Role } from "./store.ts";

/*
 * The tables as Kysely types statements by them; migrations/ makes them. What a statement returns is trusted only after
 * rows.ts has parsed it. Times are Unix ms unless better-auth owns the table. Digests are the 32 bytes of SHA-256.
 */

/** A time as better-auth keeps it: ISO 8601 text on SQLite, `timestamptz` on Postgres. */
export type SignInTime = string | Date;

/** A boolean as the engine keeps it: 0 or 1 on SQLite. */
export type StoredBoolean = boolean | number;

export interface PersonTable {
  id: string;
  name: string;
  email: string;
  email_verified: StoredBoolean;
  image: string | null;
  two_factor_enabled: StoredBoolean | null;
  /** Ours alone: better-auth does not know of it. */
  operator: Generated<StoredBoolean>;
  created_at: SignInTime;
  updated_at: SignInTime;
}

export interface SessionTable {
  id: string;
  person_id: string;
  token: string;
  expires_at: SignInTime;
  ip_address: string | null;
  user_agent: string | null;
  created_at: SignInTime;
  updated_at: SignInTime;
  /** The one account that it reaches, when a link began it; `null`: all of the person's. */
  account_id: string | null;
}

export interface CredentialTable {
  id: string;
  person_id: string;
  provider_account_id: string;
  provider_id: string;
  access_token: string | null;
  refresh_token: string | null;
  id_token: string | null;
  access_token_expires_at: SignInTime | null;
  refresh_token_expires_at: SignInTime | null;
  scope: string | null;
  password: string | null;
  created_at: SignInTime;
  updated_at: SignInTime;
}

export interface VerificationTable {
  id: string;
  identifier: string;
  value: string;
  expires_at: SignInTime;
  created_at: SignInTime;
  updated_at: SignInTime;
}

export interface TwoFactorTable {
  id: string;
  person_id: string;
  secret: string;
  backup_codes: string;
  verified: StoredBoolean | null;
  failed_verification_count: number | null;
  locked_until: SignInTime | null;
}

export interface AccountTable {
  id: string;
  slug: string;
  name: string;
  external_id: string | null;
  created_at: number;
  suspended_at: number | null;
  /** Of the suspension that stands. */
  suspension_seq: number | null;
  /** How long its keys may live, and since when that is so. */
  key_max_age_ms: number | null;
  key_max_age_from: number | null;
  /** Since when its members need a second factor. */
  two_factor_required_at: number | null;
  deleted_at: number | null;
  deletion_seq: number | null;
}

export interface EnvironmentTable {
  id: string;
  account_id: string;
  slug: string;
  name: string;
  created_at: number;
  deleted_at: number | null;
  deletion_seq: number | null;
  /** What usage knows it by. */
  number: Generated<number>;
}

export interface MemberTable {
  account_id: string;
  person_id: string;
  role: Role;
  created_at: number;
}

/** Of those that are neither accepted nor cancelled. */
export interface InvitationTable {
  id: string;
  account_id: string;
  /** Lower case. */
  email: string;
  role: Role;
  /** Of the secret in its link. */
  digest: Uint8Array;
  created_at: number;
  created_by_type: Actor["type"];
  created_by_id: string;
  created_by_name: string;
  expires_at: number;
  /** 1 when the link went by mail alone, which proves the address of whoever has it; else 0. */
  mailed: number;
}

/** Of those that nobody has opened. */
export interface SignInLinkTable {
  id: string;
  account_id: string;
  /** Lower case. */
  email: string;
  /** Of the person, should the link be the first that is heard of them. */
  name: string;
  /** Of the membership, should there be none. */
  role: Role;
  digest: Uint8Array;
  expires_at: number;
}

export interface ApiKeyTable {
  id: string;
  environment_id: string;
  type: KeyType;
  digest: Uint8Array;
  hint: string;
  /** Only of public keys. */
  token: string | null;
  description: string;
  /** A JSON object of strings. */
  metadata: string;
  /** What a search looks in, folded to lower case; see provisioning.ts. */
  search_text: string;
  created_at: number;
  created_by_type: Actor["type"];
  created_by_id: string;
  created_by_name: string;
  expires_at: number | null;
  revoked_at: number | null;
  revoked_by_type: Actor["type"] | null;
  revoked_by_id: string | null;
  revoked_by_name: string | null;
  revoked_reason: string | null;
  revocation_seq: number | null;
  rotated_from: string | null;
  rotated_to: string | null;
  /** How long it lives on beside its successor, once it was rotated; `expires_at` tells the end, when there is one. */
  overlap_ms: number | null;
  /** Since when; `null` while that waits for the first use of the successor. */
  overlap_from: number | null;
  /** When it would expire had it not been rotated. */
  expires_before: number | null;
  /** Of the change that last brought its end forward. */
  expiry_seq: number | null;
  /** The service token that it was given for. */
  exchanged_by: string | null;
  /** What usage knows it by. */
  number: Generated<number>;
}

export interface AccessTokenTable {
  id: string;
  kind: "service" | "verifier" | "operator";
  account_id: string | null;
  name: string;
  digest: Uint8Array;
  hint: string;
  created_at: number;
  created_by_type: Actor["type"];
  created_by_id: string;
  created_by_name: string;
  last_used_at: number | null;
  expires_at: number | null;
  deleted_at: number | null;
  deletion_seq: number | null;
}

/** One row, `id` 1. */
export interface ChangeClockTable {
  id: number;
  seq: number;
}

export interface ChangeTable {
  seq: number;
  id: string;
  kind: Change["kind"];
  subject: string;
}

export interface NodeTable {
  id: string;
  lease_ms: number;
  renewals: number;
  applied_seq: number;
  below: number;
  label: string;
}

export interface RevocationTable {
  seq: number;
  kind: Change["kind"];
  /** Always an id, of a key or access token too. */
  subject_id: string;
  revoked_at: number;
  effective_at: number | null;
  took_ms: number | null;
  acknowledged: number;
  lapsed: number;
}

export interface AuditEventTable {
  id: string;
  /** `null` of what the operator does to no account. */
  account_id: string | null;
  environment_id: string | null;
  at: number;
  actor_type: Actor["type"];
  actor_id: string;
  actor_name: string;
  action: string;
  subject_type: string;
  subject_id: string;
  request_id: string | null;
  address: string | null;
  user_agent: string | null;
  /** A small JSON object; never a token or digest. */
  details: string;
}

export interface IdempotencyTable {
  scope: string;
  body_digest: string;
  subject_id: string;
  created_at: number;
}

/** One row, `id` 1. Once `completed_at` is set, set-up never opens again. */
export interface SetupLinkTable {
  id: number;
  digest: Uint8Array | null;
  expires_at: number | null;
  completed_at: number | null;
}

/**
 * Verifications in one bucket of UTC, whose first ms `at` is, by how they ended. `key` and `environment` are their
 * numbers; `key` 0 is the sum of all the environment's keys, kept so that nobody has to add them up.
 */
export interface UsageTable {
  environment: number;
  at: number;
  key: number;
  accepted: number;
  revoked: number;
  expired: number;
  wrong_type: number;
  wrong_environment: number;
}

/** How far a process that counts has been stored. */
export interface UsageSourceTable {
  id: string;
  /** The number of its last stored batch, and of the one that was the last before that was stored. */
  batch: number;
  batch_before: number;
  stored_at: number;
}

/** Keys that were used, by number. */
export interface KeyUseTable {
  key: number;
  last_used_at: number;
}

/** Who used a key, by its number. What is not known is empty. */
export interface KeyCallerTable {
  key: number;
  address: string;
  user_agent: string;
  first_seen: number;
  last_seen: number;
  count: number;
}

export interface RefusalTable {
  request_id: string;
  at: number;
  reason: string;
  /** `null`, as are the two that follow from it, when no key was found. */
  key_id: string | null;
  environment_id: string | null;
  account_id: string | null;
  address: string | null;
  user_agent: string | null;
  /** Those asked for, between commas. */
  types: string;
  /** The slug asked for. */
  environment_asked: string | null;
}

/** The whole schema. */
export interface Schema {
  person: PersonTable;
  session: SessionTable;
  credential: CredentialTable;
  verification: VerificationTable;
  two_factor: TwoFactorTable;
  account: AccountTable;
  environment: EnvironmentTable;
  member: MemberTable;
  invitation: InvitationTable;
  sign_in_link: SignInLinkTable;
  api_key: ApiKeyTable;
  access_token: AccessTokenTable;
  change_clock: ChangeClockTable;
  change: ChangeTable;
  node: NodeTable;
  revocation: RevocationTable;
  audit_event: AuditEventTable;
  idempotency: IdempotencyTable;
  setup_link: SetupLinkTable;
  usage_minute: UsageTable;
  usage_hour: UsageTable;
  usage_day: UsageTable;
  usage_source: UsageSourceTable;
  key_use: KeyUseTable;
  key_caller: KeyCallerTable;
  refusal: RefusalTable;
}
