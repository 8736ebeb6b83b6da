import { type ColumnDataType, type Kysely, type RawBuilder, sql } from "kysely";
import type { Schema } from "../schema.ts";

type Dialect = "sqlite" | "postgres";

/** How each engine spells what is used here. */
interface Spelling {
  /** Compared byte by byte. */
  readonly id: ColumnDataType | RawBuilder<unknown>;
  readonly integer: ColumnDataType;
  /** Ends `create table` of what is counted up. */
  readonly counted: RawBuilder<unknown>;
  readonly strict: RawBuilder<unknown>;
}

/**
 * Room for what is counted. Keys and environments get numbers, for usage has a row for each key and bucket: with numbers
 * it is a third as large, and a write touches a third of the pages. When a key was last used moves out of the key's own
 * row, which is wide, and which a revocation must not wait for.
 */
export async function up(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const postgres = dialect === "postgres";
  await addNumber(db, "environment", postgres);
  await addNumber(db, "api_key", postgres);
  const s: Spelling = {
    id: postgres ? sql`text collate "C"` : "text",
    integer: postgres ? "bigint" : "integer",
    // Pages with room: rows that are counted up stay where they are. SQLite keeps them in the order of their key.
    counted: postgres ? sql`with (fillfactor = 70)` : sql`strict, without rowid`,
    strict: postgres ? sql`` : sql`strict`,
  };
  // No foreign keys: every flush would pay for them, and neither keys nor environments are ever deleted.
  for (const table of ["usage_minute", "usage_hour", "usage_day"] as const)
    await createBuckets(db, s, table);
  await createSources(db, s);
  await createUses(db, s);
  await createRefusals(db, s);
  await sql`insert into key_use (key, last_used_at)
    select number, last_used_at from api_key where last_used_at is not null`.execute(db);
  await db.schema.alterTable("api_key").dropColumn("last_used_at").execute();
}

/** SQLite gives numbers by a trigger: it can neither add a column that counts by itself nor promise its row ids. */
async function addNumber(
  db: Kysely<Schema>,
  table: "api_key" | "environment",
  postgres: boolean,
): Promise<void> {
  if (postgres) {
    await sql`alter table ${sql.table(table)} add column number integer generated always as identity`.execute(
      db,
    );
  } else {
    await sql`alter table ${sql.table(table)} add column number integer`.execute(db);
    await sql`update ${sql.table(table)} set number = rowid`.execute(db);
  }
  await db.schema.createIndex(`${table}_number_idx`).unique().on(table).column("number").execute();
  if (!postgres)
    await sql`create trigger ${sql.id(`${table}_number`)} after insert on ${sql.table(table)} begin
  update ${sql.table(table)}
  set number = (select coalesce(max(number), 0) + 1 from ${sql.table(table)}) where id = new.id;
end`.execute(db);
}

async function createBuckets(db: Kysely<Schema>, s: Spelling, table: keyof Schema): Promise<void> {
  await db.schema
    .createTable(table)
    .addColumn("environment", "integer", (c) => c.notNull())
    .addColumn("at", s.integer, (c) => c.notNull())
    .addColumn("key", "integer", (c) => c.notNull())
    .addColumn("accepted", s.integer, (c) => c.notNull())
    .addColumn("revoked", s.integer, (c) => c.notNull())
    .addColumn("expired", s.integer, (c) => c.notNull())
    .addColumn("wrong_type", s.integer, (c) => c.notNull())
    .addColumn("wrong_environment", s.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint(`${table}_pkey`, ["environment", "at", "key"])
    .modifyEnd(s.counted)
    .execute();
}

async function createSources(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("usage_source")
    .addColumn("id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("batch", s.integer, (c) => c.notNull())
    .addColumn("batch_before", s.integer, (c) => c.notNull())
    .addColumn("stored_at", s.integer, (c) => c.notNull())
    .modifyEnd(s.counted)
    .execute();
}

/** Who used a key last, and when. */
async function createUses(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("key_use")
    .addColumn("key", "integer", (c) => c.primaryKey().notNull())
    .addColumn("last_used_at", s.integer, (c) => c.notNull())
    .modifyEnd(s.counted)
    .execute();
  await db.schema
    .createTable("key_caller")
    .addColumn("key", "integer", (c) => c.notNull())
    .addColumn("address", s.id, (c) => c.notNull())
    .addColumn("user_agent", s.id, (c) => c.notNull())
    .addColumn("first_seen", s.integer, (c) => c.notNull())
    .addColumn("last_seen", s.integer, (c) => c.notNull())
    .addColumn("count", s.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint("key_caller_pkey", ["key", "address", "user_agent"])
    .modifyEnd(s.counted)
    .execute();
}

async function createRefusals(db: Kysely<Schema>, s: Spelling): Promise<void> {
  await db.schema
    .createTable("refusal")
    .addColumn("request_id", s.id, (c) => c.primaryKey().notNull())
    .addColumn("at", s.integer, (c) => c.notNull())
    .addColumn("reason", "text", (c) => c.notNull())
    .addColumn("key_id", s.id)
    .addColumn("environment_id", s.id)
    .addColumn("account_id", s.id)
    .addColumn("address", "text")
    .addColumn("user_agent", "text")
    .addColumn("types", "text", (c) => c.notNull())
    .addColumn("environment_asked", "text")
    .modifyEnd(s.strict)
    .execute();
  // Newest first in whatever it is looked through by, and oldest first for the sweep.
  for (const by of [["account_id"], ["account_id", "reason"], ["environment_id"], ["key_id"], []])
    await db.schema
      .createIndex(["refusal", ...by, "at_idx"].join("_"))
      .on("refusal")
      .columns([...by, "at", "request_id"])
      .execute();
}
