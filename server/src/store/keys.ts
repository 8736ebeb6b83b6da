import { recordAudit } from "./audit.ts";
import { recordChange, recordRevocation } from "./changes.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import { claimOnce } from "./idempotency.ts";
import { findLivingEnvironment } from "./living.ts";
import { type PageBound, readPage } from "./paging.ts";
import { insertKey, searchText } from "./provisioning.ts";
import { rowOf } from "./row.ts";
import { KEY_COLUMNS, parseKey } from "./rows.ts";
import type { AccountStore, ApiKey, KeyFilter, Origin, PageAsk } from "./store.ts";

type KeyStore = Pick<AccountStore, "listKeys" | "createKey" | "findKey" | "editKey" | "revokeKey">;

/** The keys of one account. */
export function keyStore(db: Database, engine: Engine, accountId: string): KeyStore {
  return {
    listKeys: (filter, page) => listKeys(db, engine, accountId, filter, page),

    createKey: (environmentSlug, key, origin, once) =>
      deed(db, async (trx, undo) => {
        const earlier = await claimOnce(trx, once, key.id, origin);
        if (earlier !== null) return earlier;
        const environment = await findLivingEnvironment(trx, accountId, environmentSlug);
        if (environment === undefined) return undo({ outcome: "absent" });
        // No change is written: nobody can ask for a digest before its token exists.
        await insertKey(trx, environment.id, key, origin);
        await recordAudit(
          trx,
          {
            action: "api_key.created",
            accountId,
            environmentId: environment.id,
            subject: { type: "api_key", id: key.id },
            details: { type: key.type, hint: key.hint, expires_at: key.expiresAtMs },
          },
          origin,
        );
        return { outcome: "created", key: await readKey(trx, accountId, key.id) };
      }),

    async findKey(id) {
      const row = await selectKeys(db, accountId).where("api_key.id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : parseKey(row);
    },

    editKey: (id, edit, origin) =>
      deed(db, async (trx) => {
        const held = await holdKey(trx, engine, accountId, id);
        if (held === undefined) return { outcome: "absent" };
        const description = edit.description ?? held.key.description;
        const metadata = JSON.stringify(edit.metadata ?? held.key.metadata);
        const fields = [
          ...(description === held.key.description ? [] : ["description"]),
          ...(metadata === JSON.stringify(held.key.metadata) ? [] : ["metadata"]),
        ];
        if (fields.length === 0) return { outcome: "edited", key: held.key };
        await trx
          .updateTable("api_key")
          .set({ description, metadata, search_text: searchText({ ...held.key, description }) })
          .where("id", "=", id)
          .execute();
        await recordAudit(
          trx,
          {
            action: "api_key.edited",
            accountId,
            environmentId: held.key.environment.id,
            subject: { type: "api_key", id },
            details: { fields },
          },
          origin,
        );
        // The description is no part of the verdict, so it is no news to verifiers.
        if (fields.includes("metadata")) await recordChange(trx, engine, "key", held.digest);
        return { outcome: "edited", key: await readKey(trx, accountId, id) };
      }),

    revokeKey: (id, reason, origin, once) =>
      deed(db, async (trx, undo) => {
        const earlier = await claimOnce(trx, once, id, origin);
        if (earlier?.outcome === "mismatch") return { outcome: "mismatch" };
        const held = await holdKey(trx, engine, accountId, id);
        if (held === undefined) return undo({ outcome: "absent" });
        const first = held.key.revocation;
        if (first !== null) return { outcome: "already_revoked", seq: first.seq, key: held.key };
        const seq = await revokeHeld(trx, engine, accountId, held, reason, origin);
        return { outcome: "revoked", seq, key: await readKey(trx, accountId, id) };
      }),
  };
}

/** A key that this transaction is about to change: on engines that need it, its row is locked. */
interface HeldKey {
  readonly key: ApiKey;
  readonly digest: string;
}

async function revokeHeld(
  trx: Database,
  engine: Engine,
  accountId: string,
  { key, digest }: HeldKey,
  reason: string | null,
  origin: Origin,
): Promise<number> {
  await recordAudit(
    trx,
    {
      action: "api_key.revoked",
      accountId,
      environmentId: key.environment.id,
      subject: { type: "api_key", id: key.id },
      details: { type: key.type, hint: key.hint, reason },
    },
    origin,
  );
  const revoked = { kind: "key", subject: digest, subjectId: key.id } as const;
  const seq = await recordRevocation(trx, engine, revoked, origin);
  const { numUpdatedRows } = await trx
    .updateTable("api_key")
    .set({
      revoked_at: origin.atMs,
      revoked_by_type: origin.actor.type,
      revoked_by_id: origin.actor.id,
      revoked_by_name: origin.actor.name,
      revoked_reason: reason,
      revocation_seq: seq,
    })
    .where("id", "=", key.id)
    .where("revoked_at", "is", null)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw new Error(`key ${key.id} was revoked under the lock of its row`);
  return seq;
}

/** The keys of the account's living environments. */
function selectKeys(db: Database, accountId: string) {
  return db
    .selectFrom("api_key")
    .innerJoin("environment", "environment.id", "api_key.environment_id")
    .innerJoin("account", "account.id", "environment.account_id")
    .leftJoin("revocation", "revocation.seq", "api_key.revocation_seq")
    .where("account.id", "=", accountId)
    .where("account.deleted_at", "is", null)
    .where("environment.deleted_at", "is", null)
    .select(KEY_COLUMNS);
}

/** A key that is known to be there. */
async function readKey(trx: Database, accountId: string, id: string): Promise<ApiKey> {
  return parseKey(
    await selectKeys(trx, accountId).where("api_key.id", "=", id).executeTakeFirstOrThrow(),
  );
}

async function holdKey(
  trx: Database,
  engine: Engine,
  accountId: string,
  id: string,
): Promise<HeldKey | undefined> {
  const query = selectKeys(trx, accountId).select("api_key.digest").where("api_key.id", "=", id);
  const row = await (engine.locksRows ? query.forUpdate("api_key") : query).executeTakeFirst();
  if (row === undefined) return undefined;
  return { key: parseKey(row), digest: rowOf("api_key", row).digest("digest") };
}

async function listKeys(
  db: Database,
  engine: Engine,
  accountId: string,
  filter: KeyFilter,
  page: PageAsk,
): ReturnType<AccountStore["listKeys"]> {
  const environment = await findLivingEnvironment(db, accountId, filter.environment);
  if (environment === undefined) return { outcome: "absent" };
  const ofEnvironment = () =>
    selectKeys(db, accountId).where("api_key.environment_id", "=", environment.id);
  const filtered = () => {
    const status = ofEnvironment().where((eb) => {
      const revoked = eb("api_key.revoked_at", "is not", null);
      const standing = eb("api_key.revoked_at", "is", null);
      const expired = eb("api_key.expires_at", "<=", filter.nowMs);
      const unexpired = eb.or([
        eb("api_key.expires_at", "is", null),
        eb("api_key.expires_at", ">", filter.nowMs),
      ]);
      switch (filter.status) {
        case "active":
          return eb.and([standing, unexpired]);
        case "expired":
          return eb.and([standing, expired]);
        case "revoked":
          return revoked;
        case "all":
          return eb.and([]);
      }
    });
    if (filter.text === "") return status;
    return status.where((eb) =>
      engine.contains(eb.ref("api_key.search_text"), filter.text.toLowerCase()),
    );
  };
  return readPage(page, {
    async hasEntry(id) {
      return (await ofEnvironment().where("api_key.id", "=", id).executeTakeFirst()) !== undefined;
    },
    async read({ olderThan, newerThan }: PageBound, limit) {
      let query = filtered();
      if (olderThan !== undefined) query = query.where("api_key.id", "<", olderThan);
      if (newerThan !== undefined) query = query.where("api_key.id", ">", newerThan);
      const rows = await query
        .orderBy("api_key.id", newerThan === undefined ? "desc" : "asc")
        .limit(limit)
        .execute();
      return rows.map(parseKey);
    },
  });
}
