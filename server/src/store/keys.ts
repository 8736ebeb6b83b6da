import { type Expression, sql } from "kysely";
import { absent, endOfKey } from "./absence.ts";
import { type AuditedDeed, auditRow, recordAudit } from "./audit.ts";
import { recordChange, recordRevocation } from "./changes.ts";
import { type Database, deed, type Engine, type Lanes, untilCertain } from "./engine.ts";
import { claimOnce } from "./idempotency.ts";
import { findLivingEnvironment } from "./living.ts";
import { type PageBound, readPage } from "./paging.ts";
import { insertKey, searchText } from "./provisioning.ts";
import { rowOf } from "./row.ts";
import { KEY_COLUMNS, parseKey } from "./rows.ts";
import type { AccountStore, ApiKey, KeyFilter, Once, Origin, PageAsk } from "./store.ts";
import { confirmRevocation, IF_CLOCKED, ofHeld, writeTogether } from "./together.ts";

/** What "over 90 days ago" means. */
const LONG_UNUSED_MS = 90 * 24 * 60 * 60_000;

type KeyStore = Pick<AccountStore, "listKeys" | "createKey" | "findKey" | "editKey" | "revokeKey">;

/** The keys of one account. */
export function keyStore(lanes: Lanes, engine: Engine, accountId: string): KeyStore {
  const db = lanes.requests;
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
        const edited = await readKey(trx, accountId, id);
        // The description is no part of the verdict, so it is no news to verifiers.
        if (fields.includes("metadata")) await recordChange(trx, engine, "key", held.digest);
        return { outcome: "edited", key: edited };
      }),

    revokeKey: (id, reason, origin, once) =>
      untilCertain(engine, () =>
        once === null && engine.writesTogether
          ? revokeTogether(lanes.revocations, engine, { accountId, id, reason, origin })
          : revokeKey(lanes.revocations, engine, { accountId, id, reason, origin }, once),
      ),
  };
}

/** What a revocation of a key is asked with. */
interface RevocationAsk {
  readonly accountId: string;
  readonly id: string;
  readonly reason: string | null;
  readonly origin: Origin;
}

type Revoked = Awaited<ReturnType<AccountStore["revokeKey"]>>;

async function revokeKey(
  db: Database,
  engine: Engine,
  { accountId, id, reason, origin }: RevocationAsk,
  once: Once | null,
): Promise<Revoked> {
  const done = await deed<Revoked | null>(db, async (trx, undo) => {
    const earlier = await claimOnce(trx, once, id, origin);
    if (earlier?.outcome === "mismatch") return { outcome: "mismatch" };
    const held = await holdKey(trx, engine, accountId, id);
    if (held === undefined) return undo(null);
    const first = held.key.revocation;
    if (first !== null) return { outcome: "already_revoked", seq: first.seq, key: held.key };
    await recordAudit(trx, revocationAudit(accountId, held.key, reason), origin);
    const revoked = { kind: "key", subject: held.digest, subjectId: id } as const;
    const seq = await recordRevocation(trx, engine, revoked, origin, (seq) =>
      markRevoked(trx, id, seq, reason, origin),
    );
    return { outcome: "revoked", seq, key: await readKey(trx, accountId, id) };
  });
  return done ?? absent(db, endOfKey(db, accountId, id));
}

/**
 * The same as one autocommitted statement: key, change and audit event (design §6). Only where it found nothing to revoke
 * is the key read, to tell why.
 */
async function revokeTogether(db: Database, engine: Engine, ask: RevocationAsk): Promise<Revoked> {
  for (;;) {
    const revoked = await revokeLiving(db, engine, ask);
    if (revoked !== null) return { outcome: "revoked", ...revoked };
    const row = await selectKeys(db, ask.accountId)
      .where("api_key.id", "=", ask.id)
      .executeTakeFirst();
    if (row === undefined) return absent(db, endOfKey(db, ask.accountId, ask.id));
    const key = parseKey(row);
    const first = key.revocation;
    if (first === null) continue; // it is new
    if (first.effectiveAtMs === null) await confirmRevocation(db, first.seq);
    return { outcome: "already_revoked", seq: first.seq, key };
  }
}

/** @returns The key as it is now, or `null` when there is none to revoke. */
async function revokeLiving(
  db: Database,
  engine: Engine,
  { accountId, id, reason, origin }: RevocationAsk,
): Promise<{ seq: number; key: ApiKey } | null> {
  const deed = { action: "api_key.revoked", subject: { type: "api_key", id } } as const;
  const details = sql<string>`json_build_object('type', type, 'hint', hint, 'reason', ${reason}::text)::text`;
  const written = await writeTogether(db, {
    guard: selectKeys(db, accountId)
      .select("api_key.digest")
      .where("api_key.id", "=", id)
      .where("api_key.revoked_at", "is", null)
      .forNoKeyUpdate("api_key"),
    audit: {
      ...auditRow({ ...deed, accountId, environmentId: null, details: {} }, origin),
      environment_id: ofHeld(sql`environment_id`),
      details: ofHeld(details),
    },
    change: {
      id: engine.randomId(),
      kind: "key",
      subject: ofHeld(sql`translate(rtrim(encode(digest, 'base64'), '='), '+/', '-_')`),
    },
    revocation: { subjectId: id, revokedAtMs: origin.atMs },
    mark: (seq) => markRevoked(db, id, seq, reason, origin).where(IF_CLOCKED),
  });
  if (written === null) return null;
  const { seq, held } = written;
  const revocation = { seq, effectiveAtMs: null, tookMs: null, acknowledged: 0, lapsed: 0 };
  const revoked = { revokedAtMs: origin.atMs, revokedBy: origin.actor, revokedReason: reason };
  return { seq, key: { ...parseKey(held), ...revoked, revocation } };
}

/** A key that this transaction is about to change: on engines that need it, its row is locked. */
interface HeldKey {
  readonly key: ApiKey;
  readonly digest: string;
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
  // Locked by a statement of its own: one that had to wait would join what it read before it waited.
  if (engine.locksRows) await query.forNoKeyUpdate("api_key").execute();
  const row = await query.executeTakeFirst();
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
    const used = status.where((eb) => {
      const unused = eb("key_use.last_used_at", "is", null);
      const overMs = filter.nowMs - LONG_UNUSED_MS;
      switch (filter.lastUsed) {
        case "any":
          return eb.and([]);
        case "never":
          return unused;
        case "over_90_days_ago":
          return eb.or([
            eb("key_use.last_used_at", "<", overMs),
            eb.and([unused, eb("api_key.created_at", "<", overMs)]),
          ]);
      }
    });
    if (filter.text === "") return used;
    return used.where((eb) =>
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
