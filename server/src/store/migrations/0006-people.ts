import { type ColumnDataType, type Kysely, type RawBuilder, sql } from "kysely";
import type { Schema } from "../schema.ts";

/**
 * Room for the people around the keys: invitations, links that sign somebody in once, sessions that reach one account
 * only, accounts that require the second factor, and an audit log that is looked through by who, what and which key.
 */
export async function up(db: Kysely<Schema>, dialect: "sqlite" | "postgres"): Promise<void> {
  const postgres = dialect === "postgres";
  const integer: ColumnDataType = postgres ? "bigint" : "integer";
  const id: ColumnDataType | RawBuilder<unknown> = postgres ? sql`text collate "C"` : "text";
  const bytes: ColumnDataType = postgres ? "bytea" : "blob";
  const strict = postgres ? sql`` : sql`strict`;
  const digestLength = postgres ? sql`octet_length(digest) = 32` : sql`length(digest) = 32`;
  const knownRole = sql`role in ('owner', 'admin', 'member', 'support')`;
  await db.schema.alterTable("account").addColumn("two_factor_required_at", integer).execute();
  await db.schema
    .alterTable("session")
    .addColumn("account_id", id, (c) => c.references("account.id"))
    .execute();
  await db.schema
    .createTable("invitation")
    .addColumn("id", id, (c) => c.primaryKey().notNull())
    .addColumn("account_id", id, (c) => c.notNull().references("account.id"))
    .addColumn("email", "text", (c) => c.notNull())
    .addColumn("role", "text", (c) => c.notNull().check(knownRole))
    .addColumn("digest", bytes, (c) => c.notNull().unique().check(digestLength))
    .addColumn("created_at", integer, (c) => c.notNull())
    .addColumn("created_by_type", "text", (c) => c.notNull())
    .addColumn("created_by_id", "text", (c) => c.notNull())
    .addColumn("created_by_name", "text", (c) => c.notNull())
    .addColumn("expires_at", integer, (c) => c.notNull())
    .addColumn("mailed", integer, (c) => c.notNull().check(sql`mailed in (0, 1)`))
    .modifyEnd(strict)
    .execute();
  // One for an address; whoever is invited anew gets a new link for the same.
  await db.schema
    .createIndex("invitation_email_idx")
    .unique()
    .on("invitation")
    .columns(["account_id", "email"])
    .execute();
  await db.schema
    .createTable("sign_in_link")
    .addColumn("id", id, (c) => c.primaryKey().notNull())
    .addColumn("account_id", id, (c) => c.notNull().references("account.id"))
    .addColumn("email", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("role", "text", (c) => c.notNull().check(knownRole))
    .addColumn("digest", bytes, (c) => c.notNull().unique().check(digestLength))
    .addColumn("expires_at", integer, (c) => c.notNull())
    .modifyEnd(strict)
    .execute();
  await db.schema
    .createIndex("sign_in_link_expires_at_idx")
    .on("sign_in_link")
    .column("expires_at")
    .execute();
  for (const column of ["actor_id", "subject_id", "action"] as const)
    await db.schema
      .createIndex(`audit_event_${column}_idx`)
      .on("audit_event")
      .columns(["account_id", column, "id"])
      .execute();
}
