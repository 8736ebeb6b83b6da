import { type Kysely, sql } from "kysely";
import type { Schema } from "../schema.ts";

/**
 * Lets the operator make and delete tokens: a deletion has its barrier, the first owner is the operator, and what the
 * operator does to no account is audited too.
 */
export async function up(db: Kysely<Schema>, dialect: "sqlite" | "postgres"): Promise<void> {
  // Nothing has deleted a token before, so that the check holds for every row there is.
  await db.schema
    .alterTable("access_token")
    .addColumn("deletion_seq", dialect === "postgres" ? "bigint" : "integer", (c) =>
      c.references("revocation.seq").check(sql`(deleted_at is null) = (deletion_seq is null)`),
    )
    .execute();
  await addOperator(db, dialect);
  if (dialect === "postgres")
    await db.schema
      .alterTable("audit_event")
      .alterColumn("account_id", (c) => c.dropNotNull())
      .execute();
  else await rebuildAuditEvents(db);
}

/** The oldest person is the first owner: set-up makes one, and until then there is nobody. */
async function addOperator(db: Kysely<Schema>, dialect: "sqlite" | "postgres"): Promise<void> {
  const postgres = dialect === "postgres";
  await db.schema
    .alterTable("person")
    .addColumn("operator", postgres ? "boolean" : "integer", (c) =>
      c.notNull().defaultTo(postgres ? false : 0),
    )
    .execute();
  await db
    .updateTable("person")
    .set({ operator: postgres ? true : 1 })
    .where("id", "=", (eb) =>
      eb.selectFrom("person").select("id").orderBy("created_at").orderBy("id").limit(1),
    )
    .execute();
}

/** SQLite cannot let a column be null that was not, so that the table is made anew; nothing refers to it. */
async function rebuildAuditEvents(db: Kysely<Schema>): Promise<void> {
  await db.schema.alterTable("audit_event").renameTo("audit_event_before").execute();
  await db.schema
    .createTable("audit_event")
    .addColumn("id", "text", (c) => c.primaryKey().notNull())
    .addColumn("account_id", "text", (c) => c.references("account.id"))
    .addColumn("environment_id", "text", (c) => c.references("environment.id"))
    .addColumn("at", "integer", (c) => c.notNull())
    .addColumn("actor_type", "text", (c) => c.notNull())
    .addColumn("actor_id", "text", (c) => c.notNull())
    .addColumn("actor_name", "text", (c) => c.notNull())
    .addColumn("action", "text", (c) => c.notNull())
    .addColumn("subject_type", "text", (c) => c.notNull())
    .addColumn("subject_id", "text", (c) => c.notNull())
    .addColumn("request_id", "text")
    .addColumn("address", "text")
    .addColumn("user_agent", "text")
    .addColumn("details", "text", (c) => c.notNull())
    .modifyEnd(sql`strict`)
    .execute();
  // In this order the columns were created by the first migration.
  await sql`insert into audit_event select * from audit_event_before`.execute(db);
  await db.schema.dropTable("audit_event_before").execute();
  await db.schema
    .createIndex("audit_event_account_id_idx")
    .on("audit_event")
    .columns(["account_id", "id"])
    .execute();
}
