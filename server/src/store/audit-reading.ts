import type { SelectQueryBuilder } from "kysely";
import type { AuditEvent, AuditFilter, AuditStore } from "./audit-deeds.ts";
import { idAfter, idBefore } from "./audit-ids.ts";
import { auditNames } from "./audit-names.ts";
import type { Database, Engine } from "./engine.ts";
import { type PageBound, readPage } from "./paging.ts";
import { rowOf } from "./row.ts";
import { ACTOR_TYPES } from "./rows.ts";
import type { AuditEventTable, Schema } from "./schema.ts";

type Query = SelectQueryBuilder<Schema, "audit_event", AuditEventTable>;

/** One condition that an index answers; a filter is the union of some that no event meets two of. */
type Strand = (query: Query) => Query;

/** The audit log of one account; of what was done to none, where that is `null`. */
export function auditStore(db: Database, engine: Engine, accountId: string | null): AuditStore {
  const select = (): Query =>
    db
      .selectFrom("audit_event")
      .selectAll("audit_event")
      .where("account_id", accountId === null ? "is" : "=", accountId);

  async function read(filter: AuditFilter, bound: PageBound, limit: number) {
    const strands = await strandsOf(db, engine, accountId, filter);
    const rows = await readStrands(
      db,
      strands.map((strand) => strand(within(select(), filter, bound))),
      {
        order: bound.newerThan === undefined ? "desc" : "asc",
        limit,
      },
    );
    return nameEvents(db, rows);
  }

  return {
    listAuditEvents: (filter, page) =>
      readPage(page, {
        hasEntry: async (id) =>
          (await select().where("id", "=", id).executeTakeFirst()) !== undefined,
        read: (bound, limit) => read(filter, bound, limit),
      }),

    olderAuditEvents: (filter, olderThan, limit) =>
      read(filter, olderThan === null ? {} : { olderThan }, limit),
  };
}

/** What narrows every strand: ids tell the time nearly, and `at` tells it. */
function within(
  all: Query,
  { fromMs, toMs, actorId, subjectId }: AuditFilter,
  { olderThan, newerThan }: PageBound,
): Query {
  let query = all;
  if (fromMs !== null) query = query.where("id", ">", idBefore(fromMs)).where("at", ">=", fromMs);
  if (toMs !== null) query = query.where("id", "<", idAfter(toMs)).where("at", "<", toMs);
  if (olderThan !== undefined) query = query.where("id", "<", olderThan);
  if (newerThan !== undefined) query = query.where("id", ">", newerThan);
  if (actorId !== null) query = query.where("actor_id", "=", actorId);
  return subjectId === null ? query : query.where("subject_id", "=", subjectId);
}

/**
 * What is asked for that an index gives in the order of ids only one value at a time: the key with what it came from, else
 * each action.
 */
async function strandsOf(
  db: Database,
  engine: Engine,
  accountId: string | null,
  { keyId, actions, actorId, subjectId }: AuditFilter,
): Promise<readonly Strand[]> {
  const ofActions: Strand = (query) =>
    actions === null ? query : query.where("action", "in", actions);
  if (keyId !== null) {
    const strands = await strandsOfKey(db, engine, accountId, keyId);
    return strands.map((strand) => (query) => ofActions(strand(query)));
  }
  if (actions === null || actorId !== null || subjectId !== null) return [ofActions];
  return actions.map((action) => (query) => query.where("action", "=", action));
}

/** Events of a key, and those that name it: of the key it replaced, of its environment and of its account. */
async function strandsOfKey(
  db: Database,
  engine: Engine,
  accountId: string | null,
  keyId: string,
): Promise<readonly Strand[]> {
  const own: Strand = (query) => query.where("subject_id", "=", keyId);
  const columns = await db
    .selectFrom("api_key")
    .innerJoin("environment", "environment.id", "api_key.environment_id")
    .select(["api_key.id", "api_key.rotated_from", "environment.id as environment_id"])
    .where("api_key.id", "=", keyId)
    .where("environment.account_id", "=", accountId)
    .executeTakeFirst();
  if (columns === undefined || accountId === null) return [own];
  const row = rowOf("api_key", columns);
  const others = [row.textOrNull("rotated_from"), row.text("environment_id"), accountId];
  return [
    own,
    ...others
      .filter((id) => id !== null)
      .map(
        (id): Strand =>
          (query) =>
            query
              .where("subject_id", "=", id)
              .where((eb) => engine.contains(eb.ref("details"), JSON.stringify(keyId))),
      ),
  ];
}

/** Reads strands as one list, by one statement: what is written meanwhile is in all of them or in none. */
async function readStrands(
  db: Database,
  strands: readonly Query[],
  { order, limit }: { order: "asc" | "desc"; limit: number },
): Promise<readonly AuditEventTable[]> {
  // By the account too, which is one: Postgres takes the index of the operator's own list for nothing less.
  const ends = strands.map((strand) =>
    strand.orderBy("account_id", order).orderBy("id", order).limit(limit),
  );
  const [first, ...others] = ends;
  if (first === undefined) return [];
  if (others.length === 0) return first.execute();
  const union = others.reduce(
    (before, strand) => before.unionAll(db.selectFrom(strand.as("strand")).selectAll()),
    db.selectFrom(first.as("strand")).selectAll(),
  );
  return db.selectFrom(union.as("event")).selectAll().orderBy("id", order).limit(limit).execute();
}

async function nameEvents(
  db: Database,
  rows: readonly AuditEventTable[],
): Promise<readonly AuditEvent[]> {
  const names = await auditNames(db, rows);
  return rows.map((columns) => {
    const row = rowOf("audit_event", { ...columns });
    const details = parseDetails(row.text("details"));
    const subject = { type: row.text("subject_type"), id: row.text("subject_id") };
    return {
      id: row.text("id"),
      atMs: row.integer("at"),
      action: row.text("action"),
      actor: {
        type: row.oneOf("actor_type", ACTOR_TYPES),
        id: row.text("actor_id"),
        name: row.text("actor_name"),
      },
      environment: names.environments.get(row.textOrNull("environment_id") ?? "") ?? null,
      subject: { ...subject, name: names.subjects.get(subject.id) ?? nameIn(details) },
      apiKey: names.keys.get(subject.id) ?? null,
      requestId: row.textOrNull("request_id"),
      address: row.textOrNull("address"),
      userAgent: row.textOrNull("user_agent"),
      details,
    };
  });
}

function parseDetails(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** What the event itself calls its subject, of which there may be nothing else left. */
function nameIn({ name, email }: Readonly<Record<string, unknown>>): string | null {
  const told = name ?? email;
  return typeof told === "string" ? told : null;
}
