import type { AuditEvent } from "./audit-deeds.ts";
import type { Database } from "./engine.ts";
import type { AuditEventTable } from "./schema.ts";

/** What people know by name in some audit events, by id. */
interface AuditNames {
  readonly keys: ReadonlyMap<string, NonNullable<AuditEvent["apiKey"]>>;
  /** Slugs. */
  readonly environments: ReadonlyMap<string, string>;
  /** Of subjects; keys by their description, where they have one. */
  readonly subjects: ReadonlyMap<string, string>;
}

/** Looks up names after the page was read: each by primary keys, and what was deleted is found too. */
export async function auditNames(
  db: Database,
  rows: readonly AuditEventTable[],
): Promise<AuditNames> {
  const idsOf = (type: string): string[] => [
    ...new Set(rows.flatMap((row) => (row.subject_type === type ? row.subject_id : []))),
  ];
  const keys = await readKeys(db, idsOf("api_key"));
  const environmentIds = [
    ...new Set([...idsOf("environment"), ...rows.flatMap((row) => row.environment_id ?? [])]),
  ];
  const environments = await readEnvironments(db, environmentIds);
  const subjects = new Map<string, string>();
  for (const { id, name } of environments) subjects.set(id, name);
  for (const { id, description } of keys) if (description !== "") subjects.set(id, description);
  for (const [type, table] of Object.entries(NAMED)) {
    const ids = idsOf(type);
    if (ids.length === 0) continue;
    const found = await db
      .selectFrom(table)
      .select(["id", "name"])
      .where("id", "in", ids)
      .execute();
    for (const { id, name } of found) subjects.set(id, name);
  }
  return {
    keys: new Map(keys.map((key) => [key.id, key])),
    environments: new Map(environments.map(({ id, slug }) => [id, slug])),
    subjects,
  };
}

/** The tables of the other subjects that have a name of their own. */
const NAMED = { account: "account", access_token: "access_token", person: "person" } as const;

async function readKeys(db: Database, ids: readonly string[]) {
  if (ids.length === 0) return [];
  return db
    .selectFrom("api_key")
    .select(["id", "hint", "description"])
    .where("id", "in", ids)
    .execute();
}

async function readEnvironments(db: Database, ids: readonly string[]) {
  if (ids.length === 0) return [];
  return db
    .selectFrom("environment")
    .select(["id", "slug", "name"])
    .where("id", "in", ids)
    .execute();
}
