import type { Expression } from "kysely";
import type { AuditedDeed } from "./audit.ts";
import type { Database, Engine } from "./engine.ts";
import { rowOf } from "./row.ts";
import { KEY_COLUMNS, parseKey } from "./rows.ts";
import type { ApiKey, Origin } from "./store.ts";

/** A key that this transaction is about to change: on engines that need it, its row is locked. */
export interface HeldKey {
  readonly key: ApiKey;
  readonly digest: string;
  /** When it ends, or would had it not been rotated. */
  readonly ownEndMs: number | null;
  /** Of the change that last brought its end forward. */
  readonly expirySeq: number | null;
  /** Id of the service token that it was given for. */
  readonly exchangedBy: string | null;
}

/** The keys of the account's living environments. */
export function selectKeys(db: Database, accountId: string) {
  return db
    .selectFrom("api_key")
    .innerJoin("environment", "environment.id", "api_key.environment_id")
    .innerJoin("account", "account.id", "environment.account_id")
    .leftJoin("key_use", "key_use.key", "api_key.number")
    .leftJoin("revocation", "revocation.seq", "api_key.revocation_seq")
    .where("account.id", "=", accountId)
    .where("account.deleted_at", "is", null)
    .where("environment.deleted_at", "is", null)
    .select(KEY_COLUMNS);
}

/** A key that is known to be there. */
export async function readKey(trx: Database, accountId: string, id: string): Promise<ApiKey> {
  return parseKey(
    await selectKeys(trx, accountId).where("api_key.id", "=", id).executeTakeFirstOrThrow(),
  );
}

/** Locks and reads a key; `undefined` when there is none. */
export async function holdKey(
  trx: Database,
  engine: Engine,
  accountId: string,
  id: string,
): Promise<HeldKey | undefined> {
  const query = selectKeys(trx, accountId)
    .select([
      "api_key.digest",
      "api_key.expires_before",
      "api_key.expiry_seq",
      "api_key.exchanged_by",
    ])
    .where("api_key.id", "=", id);
  // Locked by a statement of its own: one that had to wait would join what it read before it waited.
  if (engine.locksRows) await query.forNoKeyUpdate("api_key").execute();
  const columns = await query.executeTakeFirst();
  if (columns === undefined) return undefined;
  const row = rowOf("api_key", columns);
  const key = parseKey(columns);
  return {
    key,
    digest: row.digest("digest"),
    ownEndMs: key.overlap === null ? key.expiresAtMs : row.integerOrNull("expires_before"),
    expirySeq: row.integerOrNull("expiry_seq"),
    exchangedBy: row.textOrNull("exchanged_by"),
  };
}

/** How a key has ended, or `null`. */
export function endedHow(
  { revokedAtMs, expiresAtMs }: Pick<ApiKey, "revokedAtMs" | "expiresAtMs">,
  nowMs: number,
): "revoked" | "expired" | null {
  if (revokedAtMs !== null) return "revoked";
  return expiresAtMs !== null && expiresAtMs <= nowMs ? "expired" : null;
}

/** The audit event of a key's revocation. */
export function revocationAudit(
  accountId: string,
  key: ApiKey,
  reason: string | null,
): AuditedDeed {
  return {
    action: "api_key.revoked",
    accountId,
    environmentId: key.environment.id,
    subject: { type: "api_key", id: key.id },
    details: { type: key.type, hint: key.hint, reason },
  };
}

/** Builds the update that marks a key revoked, unless it is. */
export function markRevoked(
  db: Database,
  id: string,
  seq: number | Expression<number>,
  reason: string | null,
  origin: Origin,
) {
  return db
    .updateTable("api_key")
    .set({
      revoked_at: origin.atMs,
      revoked_by_type: origin.actor.type,
      revoked_by_id: origin.actor.id,
      revoked_by_name: origin.actor.name,
      revoked_reason: reason,
      revocation_seq: seq,
    })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .returning("id");
}
