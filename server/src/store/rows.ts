import { type Row, rowOf } from "./row.ts";
import type {
  AccessToken,
  Account,
  Actor,
  ApiKey,
  Change,
  Environment,
  IssuedToken,
  Membership,
  NodeRow,
  Revocation,
} from "./store.ts";

type Columns = Readonly<Record<string, unknown>>;

/** Types of API keys, as stored. */
export const KEY_TYPES = ["secret", "public"] as const;
/** Who may have done something, as stored. */
export const ACTOR_TYPES = [
  "person",
  "service_token",
  "operator",
  "command_line",
  "system",
] as const;
/** Roles, as stored. */
export const ROLES = ["owner", "admin", "member", "support"] as const;
const CHANGE_KINDS = ["key", "environment", "account"] as const;
const TOKEN_KINDS = ["service", "verifier", "operator"] as const;

/** The columns of a joined revocation, named apart from those of what it revoked. */
export const REVOCATION_COLUMNS = [
  "revocation.seq as revocation_seq",
  "revocation.effective_at",
  "revocation.took_ms",
  "revocation.acknowledged",
  "revocation.lapsed",
] as const;

/** A row of {@link REVOCATION_COLUMNS}, maybe among others. `null` when none was joined. */
export function parseRevocation(row: Row): Revocation | null {
  const seq = row.integerOrNull("revocation_seq");
  if (seq === null) return null;
  return {
    seq,
    effectiveAtMs: row.integerOrNull("effective_at"),
    tookMs: row.integerOrNull("took_ms"),
    acknowledged: row.integer("acknowledged"),
    lapsed: row.integer("lapsed"),
  };
}

/** Of a key, joined with its environment's slug, its last use and its revocation. */
export const KEY_COLUMNS = [
  "api_key.id",
  "api_key.environment_id",
  "environment.slug as environment_slug",
  "api_key.type",
  "api_key.hint",
  "api_key.token",
  "api_key.description",
  "api_key.metadata",
  "api_key.created_at",
  "api_key.created_by_type",
  "api_key.created_by_id",
  "api_key.created_by_name",
  "api_key.expires_at",
  "key_use.last_used_at",
  "api_key.revoked_at",
  "api_key.revoked_by_type",
  "api_key.revoked_by_id",
  "api_key.revoked_by_name",
  "api_key.revoked_reason",
  "api_key.rotated_from",
  "api_key.rotated_to",
  "api_key.overlap_ms",
  "api_key.overlap_from",
  ...REVOCATION_COLUMNS,
] as const;

/** A row of {@link KEY_COLUMNS}. */
export function parseKey(columns: Columns): ApiKey {
  const row = rowOf("api_key", columns);
  const lengthMs = row.integerOrNull("overlap_ms");
  return {
    id: row.text("id"),
    environment: { id: row.text("environment_id"), slug: row.text("environment_slug") },
    type: row.oneOf("type", KEY_TYPES),
    description: row.text("description"),
    metadata: row.strings("metadata"),
    hint: row.text("hint"),
    token: row.textOrNull("token"),
    createdAtMs: row.integer("created_at"),
    createdBy: parseActor(row, "created_by"),
    expiresAtMs: row.integerOrNull("expires_at"),
    lastUsedAtMs: row.integerOrNull("last_used_at"),
    revokedAtMs: row.integerOrNull("revoked_at"),
    revokedBy: row.textOrNull("revoked_by_id") === null ? null : parseActor(row, "revoked_by"),
    revokedReason: row.textOrNull("revoked_reason"),
    revocation: parseRevocation(row),
    rotatedFrom: row.textOrNull("rotated_from"),
    rotatedTo: row.textOrNull("rotated_to"),
    overlap:
      lengthMs === null ? null : { lengthMs, startedAtMs: row.integerOrNull("overlap_from") },
  };
}

/** Who did it, in columns of that prefix. */
export function parseActor(row: Row, prefix: "created_by" | "revoked_by"): Actor {
  return {
    type: row.oneOf(`${prefix}_type`, ACTOR_TYPES),
    id: row.text(`${prefix}_id`),
    name: row.text(`${prefix}_name`),
  };
}

/** Of an environment. */
export const ENVIRONMENT_COLUMNS = [
  "environment.id",
  "environment.slug",
  "environment.name",
  "environment.created_at",
] as const;

/** A row of {@link ENVIRONMENT_COLUMNS}. */
export function parseEnvironment(columns: Columns): Environment {
  const row = rowOf("environment", columns);
  return {
    id: row.text("id"),
    slug: row.text("slug"),
    name: row.text("name"),
    createdAtMs: row.integer("created_at"),
  };
}

/** Of an account, joined with the revocation of its suspension. */
export const ACCOUNT_COLUMNS = [
  "account.id",
  "account.slug",
  "account.name",
  "account.external_id",
  "account.created_at",
  "account.suspended_at",
  ...REVOCATION_COLUMNS,
] as const;

/** A row of {@link ACCOUNT_COLUMNS}. */
export function parseAccount(columns: Columns): Account {
  const row = rowOf("account", columns);
  return {
    id: row.text("id"),
    slug: row.text("slug"),
    name: row.text("name"),
    externalId: row.textOrNull("external_id"),
    createdAtMs: row.integer("created_at"),
    suspendedAtMs: row.integerOrNull("suspended_at"),
    revocation: parseRevocation(row),
  };
}

/** An account joined with somebody's membership of it. */
export function parseMembership(columns: Columns): Membership {
  const row = rowOf("member", columns);
  return {
    account: parseAccount(columns),
    role: row.oneOf("role", ROLES),
    twoFactorRequired: row.integerOrNull("two_factor_required_at") !== null,
  };
}

/** A person, without the way they sign in. */
export function parsePerson(columns: Columns): { id: string; name: string; email: string } {
  const row = rowOf("person", columns);
  return { id: row.text("id"), name: row.text("name"), email: row.text("email") };
}

/** An access token, without its digest. */
export function parseAccessToken(columns: Columns): AccessToken {
  const row = rowOf("access_token", columns);
  return {
    id: row.text("id"),
    kind: row.oneOf("kind", TOKEN_KINDS),
    accountId: row.textOrNull("account_id"),
    name: row.text("name"),
    expiresAtMs: row.integerOrNull("expires_at"),
  };
}

/** What {@link parseAccessToken} reads. */
export const ACCESS_TOKEN_COLUMNS = [
  "access_token.id",
  "access_token.kind",
  "access_token.account_id",
  "access_token.name",
  "access_token.expires_at",
] as const;

/** Of an access token, its digest excepted. */
export const ISSUED_TOKEN_COLUMNS = [
  ...ACCESS_TOKEN_COLUMNS,
  "access_token.hint",
  "access_token.created_at",
  "access_token.created_by_type",
  "access_token.created_by_id",
  "access_token.created_by_name",
  "access_token.last_used_at",
] as const;

/** A row of {@link ISSUED_TOKEN_COLUMNS}. */
export function parseIssuedToken(columns: Columns): IssuedToken {
  const row = rowOf("access_token", columns);
  return {
    ...parseAccessToken(columns),
    hint: row.text("hint"),
    createdAtMs: row.integer("created_at"),
    createdBy: parseActor(row, "created_by"),
    lastUsedAtMs: row.integerOrNull("last_used_at"),
  };
}

/** A whole row of `change`. */
export function parseChange(columns: Columns): Change {
  const row = rowOf("change", columns, "seq");
  return {
    seq: row.integer("seq"),
    id: row.text("id"),
    kind: row.oneOf("kind", CHANGE_KINDS),
    subject: row.text("subject"),
  };
}

/** A whole row of `node`. */
export function parseNode(columns: Columns): NodeRow {
  const row = rowOf("node", columns);
  return {
    id: row.text("id"),
    leaseMs: row.integer("lease_ms"),
    renewals: row.integer("renewals"),
    appliedSeq: row.integer("applied_seq"),
    below: row.integer("below"),
    label: row.text("label"),
  };
}
