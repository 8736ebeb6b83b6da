import { type ColumnDataType, type Kysely, type RawBuilder, sql } from "kysely";
import type { Schema } from "../schema.ts";

type ColumnType = ColumnDataType | RawBuilder<unknown>;

/** How this schema's types are spelled by each engine. */
interface Spelling {
  /** Compared byte by byte, so that ids order alike everywhere and differ by case. */
  readonly id: ColumnType;
  readonly text: ColumnType;
  readonly integer: ColumnType;
  readonly bytes: ColumnType;
  readonly boolean: ColumnType;
  /** A time of better-auth's own tables. */
  readonly signInTime: ColumnType;
  /** Ends `create table`: SQLite then holds columns to their types. */
  readonly strict: RawBuilder<unknown>;
  /** Length of a bytes column. */
  byteLength(column: string): RawBuilder<unknown>;
}

const SPELLINGS: Record<"sqlite" | "postgres", Spelling> = {
  sqlite: {
    id: "text",
    text: "text",
    integer: "integer",
    bytes: "blob",
    boolean: "integer",
    signInTime: "date",
    strict: sql`strict`,
    byteLength: (column) => sql`length(${sql.ref(column)})`,
  },
  postgres: {
    id: sql`text collate "C"`,
    text: "text",
    integer: "bigint",
    bytes: "bytea",
    boolean: "boolean",
    signInTime: "timestamptz",
    strict: sql``,
    byteLength: (column) => sql`octet_length(${sql.ref(column)})`,
  },
};

/** Makes the whole first schema. */
export async function up(db: Kysely<Schema>, dialect: "sqlite" | "postgres"): Promise<void> {
  const spelling = SPELLINGS[dialect];
  await createSignIn(db, spelling);
  await createChangeLog(db, spelling);
  await createAccounts(db, spelling);
  await createKeys(db, spelling);
  await createAccessTokens(db, spelling);
  await createRecords(db, spelling);
  await db.insertInto("change_clock").values({ id: 1, seq: 0 }).execute();
  await db
    .insertInto("setup_link")
    .values({ id: 1, digest: null, expires_at: null, completed_at: null })
    .execute();
}

/** better-auth's tables, under the names of sign-in-schema.ts and with the types that its adapter writes. */
async function createSignIn(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("person")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("name", s.text, (c) => c.notNull())
    .addColumn("email", s.text, (c) => c.notNull().unique())
    .addColumn("email_verified", s.boolean, (c) => c.notNull())
    .addColumn("image", s.text)
    .addColumn("two_factor_enabled", s.boolean)
    .addColumn("created_at", s.signInTime, (c) => c.notNull())
    .addColumn("updated_at", s.signInTime, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("session")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("person_id", s.id, (c) => c.notNull().references("person.id").onDelete("cascade"))
    .addColumn("token", s.text, (c) => c.notNull().unique())
    .addColumn("expires_at", s.signInTime, (c) => c.notNull())
    .addColumn("ip_address", s.text)
    .addColumn("user_agent", s.text)
    .addColumn("created_at", s.signInTime, (c) => c.notNull())
    .addColumn("updated_at", s.signInTime, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("credential")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("person_id", s.id, (c) => c.notNull().references("person.id").onDelete("cascade"))
    .addColumn("provider_account_id", s.text, (c) => c.notNull())
    .addColumn("provider_id", s.text, (c) => c.notNull())
    .addColumn("access_token", s.text)
    .addColumn("refresh_token", s.text)
    .addColumn("id_token", s.text)
    .addColumn("access_token_expires_at", s.signInTime)
    .addColumn("refresh_token_expires_at", s.signInTime)
    .addColumn("scope", s.text)
    .addColumn("password", s.text)
    .addColumn("created_at", s.signInTime, (c) => c.notNull())
    .addColumn("updated_at", s.signInTime, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("verification")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("identifier", s.text, (c) => c.notNull())
    .addColumn("value", s.text, (c) => c.notNull())
    .addColumn("expires_at", s.signInTime, (c) => c.notNull())
    .addColumn("created_at", s.signInTime, (c) => c.notNull())
    .addColumn("updated_at", s.signInTime, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("two_factor")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("person_id", s.id, (c) => c.notNull().references("person.id").onDelete("cascade"))
    .addColumn("secret", s.text, (c) => c.notNull())
    .addColumn("backup_codes", s.text, (c) => c.notNull())
    .addColumn("verified", s.boolean)
    // Plain `integer` on both: better-auth reads a number, which a driver may not make of a bigint.
    .addColumn("failed_verification_count", "integer")
    .addColumn("locked_until", s.signInTime)
    .execute();
  await createIndex(db, "session", "person_id");
  await createIndex(db, "credential", "person_id");
  await createIndex(db, "verification", "identifier");
  await createIndex(db, "two_factor", "person_id");
  await createIndex(db, "two_factor", "secret");
}

/** What the lease protocol runs on. */
async function createChangeLog(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("change_clock")
    .addColumn("id", s.integer, (c) => c.primaryKey().check(sql`id = 1`))
    .addColumn("seq", s.integer, (c) => c.notNull().check(sql`seq >= 0`))
    .modifyEnd(s.strict)
    .execute();
  await db.schema
    .createTable("change")
    .addColumn("seq", s.integer, (c) => c.primaryKey())
    .addColumn("id", s.id, (c) => c.notNull().unique())
    .addColumn("kind", s.text, (c) =>
      c.notNull().check(sql`kind in ('key', 'environment', 'account')`),
    )
    .addColumn("subject", s.text, (c) => c.notNull())
    .modifyEnd(s.strict)
    .execute();
  await db.schema
    .createTable("node")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("lease_ms", s.integer, (c) => c.notNull().check(sql`lease_ms > 0`))
    .addColumn("renewals", s.integer, (c) => c.notNull())
    .addColumn("applied_seq", s.integer, (c) => c.notNull())
    .addColumn("below", s.integer, (c) => c.notNull().check(sql`below >= 0`))
    .addColumn("label", s.text, (c) => c.notNull())
    .modifyEnd(s.strict)
    .execute();
  // `seq` is that of its change, without a foreign key: changes are trimmed, revocations are kept.
  await db.schema
    .createTable("revocation")
    .addColumn("seq", s.integer, (c) => c.primaryKey())
    .addColumn("kind", s.text, (c) =>
      c.notNull().check(sql`kind in ('key', 'environment', 'account')`),
    )
    .addColumn("subject_id", s.id, (c) => c.notNull())
    .addColumn("revoked_at", s.integer, (c) => c.notNull())
    .addColumn("effective_at", s.integer)
    .addColumn("took_ms", s.integer)
    .addColumn("acknowledged", s.integer, (c) => c.notNull().defaultTo(0))
    .addColumn("lapsed", s.integer, (c) => c.notNull().defaultTo(0))
    .addCheckConstraint("revocation_effective_after", sql`effective_at >= revoked_at`)
    .addCheckConstraint("revocation_receipt", sql`(effective_at is null) = (took_ms is null)`)
    .modifyEnd(s.strict)
    .execute();
  await db.schema
    .createIndex("revocation_pending_idx")
    .on("revocation")
    .column("seq")
    .where(sql<boolean>`effective_at is null`)
    .execute();
}

async function createAccounts(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("account")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    // Unique for ever, deleted accounts included: operators key their data by it.
    .addColumn("slug", s.id, (c) =>
      c
        .notNull()
        .unique()
        .check(lengthBetween("slug", 1, 128)),
    )
    .addColumn("name", s.text, (c) => c.notNull().check(lengthBetween("name", 1, 512)))
    .addColumn("external_id", s.id, (c) => c.check(lengthBetween("external_id", 1, 512)))
    .addColumn("created_at", s.integer, (c) => c.notNull())
    .addColumn("suspended_at", s.integer)
    .addColumn("suspension_seq", s.integer, (c) => c.references("revocation.seq"))
    .addColumn("deleted_at", s.integer)
    .addColumn("deletion_seq", s.integer, (c) => c.references("revocation.seq"))
    .addCheckConstraint("account_suspension", bothOrNeither("suspended_at", "suspension_seq"))
    .addCheckConstraint("account_deletion", bothOrNeither("deleted_at", "deletion_seq"))
    .modifyEnd(s.strict)
    .execute();
  await db.schema
    .createIndex("account_external_id_idx")
    .unique()
    .on("account")
    .column("external_id")
    .where(sql<boolean>`deleted_at is null`)
    .execute();
  await db.schema
    .createTable("environment")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("account_id", s.id, (c) => c.notNull().references("account.id"))
    .addColumn("slug", s.id, (c) => c.notNull().check(lengthBetween("slug", 1, 128)))
    .addColumn("name", s.text, (c) => c.notNull().check(lengthBetween("name", 1, 512)))
    .addColumn("created_at", s.integer, (c) => c.notNull())
    .addColumn("deleted_at", s.integer)
    .addColumn("deletion_seq", s.integer, (c) => c.references("revocation.seq"))
    .addUniqueConstraint("environment_slug_unique", ["account_id", "slug"])
    .addCheckConstraint("environment_deletion", bothOrNeither("deleted_at", "deletion_seq"))
    .modifyEnd(s.strict)
    .execute();
  await db.schema
    .createTable("member")
    .addColumn("account_id", s.id, (c) => c.notNull().references("account.id"))
    .addColumn("person_id", s.id, (c) => c.notNull().references("person.id").onDelete("cascade"))
    .addColumn("role", s.text, (c) =>
      c.notNull().check(sql`role in ('owner', 'admin', 'member', 'support')`),
    )
    .addColumn("created_at", s.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint("member_primary_key", ["account_id", "person_id"])
    .modifyEnd(s.strict)
    .execute();
  await createIndex(db, "member", "person_id");
}

async function createKeys(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("api_key")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("environment_id", s.id, (c) => c.notNull().references("environment.id"))
    .addColumn("type", s.text, (c) => c.notNull().check(sql`type in ('secret', 'public')`))
    .addColumn("digest", s.bytes, (c) =>
      c
        .notNull()
        .unique()
        .check(sql`${s.byteLength("digest")} = 32`),
    )
    .addColumn("hint", s.text, (c) => c.notNull())
    .addColumn("token", s.text)
    .addColumn("description", s.text, (c) =>
      c.notNull().check(lengthBetween("description", 0, 256)),
    )
    // Far above the 1 KiB of the contract: escapes of JSON take up to six characters for one.
    .addColumn("metadata", s.text, (c) => c.notNull().check(lengthBetween("metadata", 2, 8192)))
    .addColumn("search_text", s.text, (c) => c.notNull())
    .addColumn("created_at", s.integer, (c) => c.notNull())
    .addColumn("created_by_type", s.text, (c) => c.notNull())
    .addColumn("created_by_id", s.text, (c) => c.notNull())
    .addColumn("created_by_name", s.text, (c) => c.notNull())
    .addColumn("expires_at", s.integer)
    .addColumn("last_used_at", s.integer)
    .addColumn("revoked_at", s.integer)
    .addColumn("revoked_by_type", s.text)
    .addColumn("revoked_by_id", s.text)
    .addColumn("revoked_by_name", s.text)
    .addColumn("revoked_reason", s.text)
    .addColumn("revocation_seq", s.integer, (c) => c.references("revocation.seq"))
    .addColumn("rotated_from", s.id, (c) => c.references("api_key.id"))
    .addColumn("rotated_to", s.id, (c) => c.references("api_key.id"))
    .addCheckConstraint("api_key_secret_not_kept", sql`type = 'public' or token is null`)
    .addCheckConstraint("api_key_revocation", bothOrNeither("revoked_at", "revocation_seq"))
    .addCheckConstraint("api_key_revoked_by", bothOrNeither("revoked_at", "revoked_by_id"))
    .modifyEnd(s.strict)
    .execute();
  // Lists an environment newest first: ids are time-sortable.
  await db.schema
    .createIndex("api_key_environment_id_idx")
    .on("api_key")
    .columns(["environment_id", "id"])
    .execute();
}

async function createAccessTokens(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("access_token")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("kind", s.text, (c) =>
      c.notNull().check(sql`kind in ('service', 'verifier', 'operator')`),
    )
    .addColumn("account_id", s.id, (c) => c.references("account.id"))
    .addColumn("name", s.text, (c) => c.notNull())
    .addColumn("digest", s.bytes, (c) =>
      c
        .notNull()
        .unique()
        .check(sql`${s.byteLength("digest")} = 32`),
    )
    .addColumn("hint", s.text, (c) => c.notNull())
    .addColumn("created_at", s.integer, (c) => c.notNull())
    .addColumn("created_by_type", s.text, (c) => c.notNull())
    .addColumn("created_by_id", s.text, (c) => c.notNull())
    .addColumn("created_by_name", s.text, (c) => c.notNull())
    .addColumn("last_used_at", s.integer)
    .addColumn("deleted_at", s.integer)
    .addCheckConstraint("access_token_account", sql`(kind = 'service') = (account_id is not null)`)
    .modifyEnd(s.strict)
    .execute();
  await createIndex(db, "access_token", "account_id");
  await db.schema
    .createTable("setup_link")
    .addColumn("id", s.integer, (c) => c.primaryKey().check(sql`id = 1`))
    .addColumn("digest", s.bytes, (c) => c.check(sql`${s.byteLength("digest")} = 32`))
    .addColumn("expires_at", s.integer)
    .addColumn("completed_at", s.integer)
    .addCheckConstraint("setup_link_expiry", bothOrNeither("digest", "expires_at"))
    .addCheckConstraint("setup_link_closed", sql`completed_at is null or digest is null`)
    .modifyEnd(s.strict)
    .execute();
}

/** What is written beside a deed: its audit event, and the answer that a repetition of it gets. */
async function createRecords(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("audit_event")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("account_id", s.id, (c) => c.notNull().references("account.id"))
    .addColumn("environment_id", s.id, (c) => c.references("environment.id"))
    .addColumn("at", s.integer, (c) => c.notNull())
    .addColumn("actor_type", s.text, (c) => c.notNull())
    .addColumn("actor_id", s.text, (c) => c.notNull())
    .addColumn("actor_name", s.text, (c) => c.notNull())
    .addColumn("action", s.text, (c) => c.notNull())
    .addColumn("subject_type", s.text, (c) => c.notNull())
    .addColumn("subject_id", s.id, (c) => c.notNull())
    .addColumn("request_id", s.text)
    .addColumn("address", s.text)
    .addColumn("user_agent", s.text)
    .addColumn("details", s.text, (c) => c.notNull())
    .modifyEnd(s.strict)
    .execute();
  await db.schema
    .createIndex("audit_event_account_id_idx")
    .on("audit_event")
    .columns(["account_id", "id"])
    .execute();
  await db.schema
    .createTable("idempotency")
    .addColumn("scope", s.id, (c) => c.primaryKey().notNull())
    .addColumn("body_digest", s.text, (c) => c.notNull())
    .addColumn("subject_id", s.id, (c) => c.notNull())
    .addColumn("created_at", s.integer, (c) => c.notNull())
    .modifyEnd(s.strict)
    .execute();
  await createIndex(db, "idempotency", "created_at");
}

async function createIndex(db: Kysely<Schema>, table: keyof Schema, column: string): Promise<void> {
  await db.schema.createIndex(`${table}_${column}_idx`).on(table).column(column).execute();
}

function lengthBetween(column: string, least: number, most: number): RawBuilder<boolean> {
  return sql`length(${sql.ref(column)}) between ${sql.lit(least)} and ${sql.lit(most)}`;
}

function bothOrNeither(left: string, right: string): RawBuilder<boolean> {
  return sql`(${sql.ref(left)} is null) = (${sql.ref(right)} is null)`;
}
