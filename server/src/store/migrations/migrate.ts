import { type Migration, Migrator } from "kysely";
import type { Database, Engine } from "../engine.ts";
import * as initial from "./0001-initial.ts";
import * as sweptInOrder from "./0002-swept-in-order.ts";
import * as operatorTokens from "./0003-operator-tokens.ts";
import * as usage from "./0004-usage.ts";
import * as keyLives from "./0005-key-lives.ts";
import * as people from "./0006-people.ts";

/** Every migration by name, in order. Code, not files: a build or bundle loses none. */
const MIGRATIONS = {
  "0001-initial": initial.up,
  "0002-swept-in-order": sweptInOrder.up,
  "0003-operator-tokens": operatorTokens.up,
  "0004-usage": usage.up,
  "0005-key-lives": keyLives.up,
  "0006-people": people.up,
} satisfies Record<string, (db: Database, dialect: Engine["dialect"]) => Promise<void>>;

/** The database was migrated by a release that this one does not know. Nothing was written. */
export class NewerSchema extends Error {
  constructor(unknown: readonly string[]) {
    super(
      `the database was migrated by a newer latchkey (unknown migrations: ${unknown.join(", ")}); start that release, or restore a backup made before it`,
    );
    this.name = "NewerSchema";
  }
}

/**
 * Brings the schema up to date; a schema that is up to date stays untouched.
 *
 * @throws NewerSchema before anything is written.
 */
export async function migrate(db: Database, dialect: Engine["dialect"]): Promise<void> {
  await refuseNewer(db);
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).map(([name, up]): [string, Migration] => [
      name,
      { up: (trx) => up(trx, dialect) },
    ]),
  );
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function refuseNewer(db: Database): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return;
  const executed = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom("kysely_migration")
    .select("name")
    .orderBy("name")
    .execute();
  const unknown = executed.map((row) => row.name).filter((name) => !(name in MIGRATIONS));
  if (unknown.length > 0) throw new NewerSchema(unknown);
}
