import { sql, type UpdateObject } from "kysely";
import type { Database } from "./engine.ts";
import type { KeyMaxAge } from "./key-end.ts";
import type { RestoreDeed, RestoreRecord } from "./restore-record.ts";
import type { Schema } from "./schema.ts";
import type { Actor } from "./store.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Who did what nobody is known to have done. */
export const NOBODY: Actor = { type: "system", id: "restore", name: "latchkey restore" };

/** What a deed is done to, when it is there and the deed is not done: how to mark it, and what its audit event says. */
export interface Found {
  readonly kind: "key" | "environment" | "account";
  readonly accountId: string | null;
  readonly environmentId: string | null;
  readonly subject: "api_key" | "access_token" | "environment" | "account";
  /** For people. */
  readonly name: string;
  /** `null` when there is nothing to mark it by. */
  readonly mark: ((seq: number) => { execute(): Promise<unknown> }) | null;
}

export type Find = (trx: Database, record: RestoreRecord) => Promise<Found | "known" | "unknown">;

/** How each deed is found undone, by its kind. `known`: the restored database has it done already. */
export const DEEDS: Readonly<Record<RestoreDeed, Find>> = {
  async "api_key.revoked"(trx, { id, atMs, actor, reason }) {
    const key = await findKey(trx, id);
    if (key === undefined) return "unknown";
    if (key.revoked_at !== null) return "known"; // the first revocation stands
    const by = actor ?? NOBODY;
    return foundKey(trx, key, (seq) => ({
      revoked_at: atMs,
      revoked_by_type: by.type,
      revoked_by_id: by.id,
      revoked_by_name: by.name,
      revoked_reason: reason,
      revocation_seq: seq,
    }));
  },

  async "api_key.expires"(trx, { id, atMs, expiresAtMs }) {
    const key = await findKey(trx, id);
    if (key === undefined) return "unknown";
    const endsSooner = key.expires_at !== null && key.expires_at <= (expiresAtMs ?? 0);
    if (endsSooner || key.revoked_at !== null) return "known";
    return foundKey(trx, key, (seq) => ({
      expires_at: expiresAtMs,
      expiry_seq: seq,
      // An overlap that waited has started: were it to start again, it would put the end off.
      overlap_from: sql`case when overlap_ms is not null then coalesce(overlap_from, ${atMs}) end`,
    }));
  },

  async "access_token.deleted"(trx, { id, atMs }) {
    const token = await trx
      .selectFrom("access_token")
      .select(["account_id", "name", "deleted_at"])
      .where("id", "=", id)
      .executeTakeFirst();
    if (token === undefined) return "unknown";
    if (token.deleted_at !== null) return "known";
    return {
      kind: "key",
      subject: "access_token",
      accountId: token.account_id,
      environmentId: null,
      name: token.name,
      mark: (seq) =>
        trx
          .updateTable("access_token")
          .set({ deleted_at: atMs, deletion_seq: seq })
          .where("id", "=", id),
    };
  },

  async "environment.deleted"(trx, { id, atMs }) {
    const environment = await trx
      .selectFrom("environment")
      .select(["account_id", "slug", "deleted_at"])
      .where("id", "=", id)
      .executeTakeFirst();
    if (environment === undefined) return "unknown";
    if (environment.deleted_at !== null) return "known";
    return {
      kind: "environment",
      subject: "environment",
      accountId: environment.account_id,
      environmentId: id,
      name: environment.slug,
      mark: (seq) =>
        trx
          .updateTable("environment")
          .set({ deleted_at: atMs, deletion_seq: seq })
          .where("id", "=", id),
    };
  },

  async "account.key_max_age"(trx, { id, atMs, maxAgeDays }) {
    const maxAge = { maxAgeMs: (maxAgeDays ?? 0) * DAY_MS, sinceMs: atMs };
    const account = await trx
      .selectFrom("account")
      .select("slug")
      .where("id", "=", id)
      .executeTakeFirst();
    if (account === undefined) return "unknown";
    const isSet = await lowerMaxAge(trx, id, maxAge);
    const isShorter = await bringEndsForward(trx, id, maxAge);
    if (!isSet && !isShorter) return "known";
    return { ...ofWhole(id, account.slug), mark: null };
  },

  "account.suspended": (trx, { id, atMs }) =>
    findAccount(trx, id, "suspended_at", (seq) => ({ suspended_at: atMs, suspension_seq: seq })),

  "account.deleted": (trx, { id, atMs }) =>
    findAccount(trx, id, "deleted_at", (seq) => ({ deleted_at: atMs, deletion_seq: seq })),
};

/** Where the account has a shorter one already, that stands. @returns Whether it had not. */
async function lowerMaxAge(trx: Database, id: string, maxAge: KeyMaxAge): Promise<boolean> {
  const { maxAgeMs, sinceMs } = maxAge;
  const { numUpdatedRows } = await trx
    .updateTable("account")
    .set({ key_max_age_ms: maxAgeMs, key_max_age_from: sinceMs })
    .where("id", "=", id)
    .where((eb) => eb.or([eb("key_max_age_ms", "is", null), eb("key_max_age_ms", ">", maxAgeMs)]))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Of keys that were rotated, their own ends too: an overlap that starts later goes by them. @returns Whether of any. */
async function bringEndsForward(
  trx: Database,
  accountId: string,
  { maxAgeMs, sinceMs }: KeyMaxAge,
): Promise<boolean> {
  const latest = sql<number>`case when created_at > ${sql.lit(sinceMs)}
    then created_at + ${sql.lit(maxAgeMs)} else ${sql.lit(sinceMs + maxAgeMs)} end`;
  const endsLater = sql<boolean>`(expires_at is null or expires_at > ${latest})`;
  const ownEndsLater = sql<boolean>`(overlap_ms is not null
    and (expires_before is null or expires_before > ${latest}))`;
  const { numUpdatedRows } = await trx
    .updateTable("api_key")
    .set({
      expires_at: sql`case when ${endsLater} then ${latest} else expires_at end`,
      expires_before: sql`case when ${ownEndsLater} then ${latest} else expires_before end`,
    })
    .where("environment_id", "in", (eb) =>
      eb.selectFrom("environment").select("id").where("account_id", "=", accountId),
    )
    .where("revoked_at", "is", null)
    .where((eb) => eb.or([endsLater, ownEndsLater]))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

function findKey(trx: Database, id: string) {
  return trx
    .selectFrom("api_key")
    .innerJoin("environment", "environment.id", "api_key.environment_id")
    .select([
      "api_key.id",
      "api_key.hint",
      "api_key.revoked_at",
      "api_key.expires_at",
      "api_key.environment_id",
      "environment.account_id",
    ])
    .where("api_key.id", "=", id)
    .executeTakeFirst();
}

function foundKey(
  trx: Database,
  key: { id: string; hint: string; environment_id: string; account_id: string },
  marks: (seq: number) => UpdateObject<Schema, "api_key">,
): Found {
  return {
    kind: "key",
    subject: "api_key",
    accountId: key.account_id,
    environmentId: key.environment_id,
    name: key.hint,
    mark: (seq) => trx.updateTable("api_key").set(marks(seq)).where("id", "=", key.id),
  };
}

async function findAccount(
  trx: Database,
  id: string,
  done: "suspended_at" | "deleted_at",
  marks: (seq: number) => UpdateObject<Schema, "account">,
): ReturnType<Find> {
  const account = await trx
    .selectFrom("account")
    .select(["slug", "suspended_at", "deleted_at"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (account === undefined) return "unknown";
  if (account[done] !== null || account.deleted_at !== null) return "known";
  return {
    ...ofWhole(id, account.slug),
    mark: (seq) => trx.updateTable("account").set(marks(seq)).where("id", "=", id),
  };
}

const ofWhole = (accountId: string, name: string) =>
  ({ kind: "account", subject: "account", accountId, environmentId: null, name }) as const;
