import type { Kysely } from "kysely";
import type { Schema } from "../schema.ts";

/** Finds what has ended without reading what has not: sweeps delete in batches. */
export async function up(db: Kysely<Schema>): Promise<void> {
  for (const table of ["session", "verification"] as const)
    await db.schema.createIndex(`${table}_expires_at_idx`).on(table).column("expires_at").execute();
}
