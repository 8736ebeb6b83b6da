import { type ColumnDataType, type Kysely, type RawBuilder, sql } from "kysely";
import type { Schema } from "../schema.ts";

/**
 * Room for the lives of keys: how long one that was rotated lives on beside its successor, an end that was brought
 * forward and whose barrier may be to be waited for, keys that a service token was exchanged for, an account's maximum
 * age of keys, and tokens that expire.
 */
export async function up(db: Kysely<Schema>, dialect: "sqlite" | "postgres"): Promise<void> {
  const postgres = dialect === "postgres";
  const integer: ColumnDataType = postgres ? "bigint" : "integer";
  const id: ColumnDataType | RawBuilder<unknown> = postgres ? sql`text collate "C"` : "text";
  // One at a time: SQLite adds no two columns by one statement.
  for (const column of ["overlap_ms", "overlap_from", "expires_before"] as const)
    await db.schema.alterTable("api_key").addColumn(column, integer).execute();
  await db.schema
    .alterTable("api_key")
    .addColumn("expiry_seq", integer, (c) => c.references("revocation.seq"))
    .execute();
  await db.schema
    .alterTable("api_key")
    .addColumn("exchanged_by", id, (c) => c.references("access_token.id"))
    .execute();
  for (const column of ["key_max_age_ms", "key_max_age_from"] as const)
    await db.schema.alterTable("account").addColumn(column, integer).execute();
  await db.schema.alterTable("access_token").addColumn("expires_at", integer).execute();
  await db.schema
    .createIndex("api_key_rotated_to_idx")
    .unique()
    .on("api_key")
    .column("rotated_to")
    .where("rotated_to", "is not", null)
    .execute();
  // Looked through after each flush of what was counted, and almost always empty.
  await db.schema
    .createIndex("api_key_overlap_awaited_idx")
    .on("api_key")
    .column("rotated_to")
    .where(sql<boolean>`overlap_ms is not null and overlap_from is null and revoked_at is null`)
    .execute();
  // With their ends: of all that a token was exchanged for only those are looked at that live.
  await db.schema
    .createIndex("api_key_exchanged_by_idx")
    .on("api_key")
    .columns(["exchanged_by", "expires_at"])
    .where("exchanged_by", "is not", null)
    .execute();
}
