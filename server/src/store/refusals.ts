import { REFUSAL_REASONS } from "@latchkey/sdk/core";
import { type SelectQueryBuilder, sql } from "kysely";
import type { Database } from "./engine.ts";
import { selectKeys } from "./held-key.ts";
import { findLivingEnvironment } from "./living.ts";
import { readPage } from "./paging.ts";
import { CorruptRow, rowOf } from "./row.ts";
import { KEY_TYPES, parseKey } from "./rows.ts";
import type { RefusalTable, Schema } from "./schema.ts";
import type { ApiKey, Listed, PageAsk, Refused, Store, UsageStore } from "./store.ts";

type Query = SelectQueryBuilder<Schema, "refusal", RefusalTable>;

/** The refusals of one account's keys. */
export function refusalStore(
  db: Database,
  accountId: string,
): Pick<UsageStore, "listRefusals" | "findRefusal"> {
  /** Of keys of living environments alone. */
  const selectOwn = (): Query =>
    db
      .selectFrom("refusal")
      .selectAll("refusal")
      .where("refusal.account_id", "=", accountId)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom("environment")
            .select("environment.id")
            .whereRef("environment.id", "=", "refusal.environment_id")
            .where("environment.deleted_at", "is", null),
        ),
      );
  return {
    async listRefusals({ environment: slug, keyId, reason }, page) {
      let query = selectOwn();
      if (slug !== null) {
        const environment = await findLivingEnvironment(db, accountId, slug);
        if (environment === undefined) return { outcome: "absent" };
        query = query.where("refusal.environment_id", "=", environment.id);
      }
      if (keyId !== null) query = query.where("refusal.key_id", "=", keyId);
      if (reason !== null) query = query.where("refusal.reason", "=", reason);
      return listRefusals(page, selectOwn(), query, (rows) => withKeys(db, accountId, rows));
    },

    async findRefusal(requestId) {
      const row = await selectOwn().where("refusal.request_id", "=", requestId).executeTakeFirst();
      return row === undefined ? undefined : (await withKeys(db, accountId, [row]))[0];
    },
  };
}

/** The refusals that belong to no account, for the operator. */
export function unattributedRefusals(
  db: Database,
): Pick<Store, "listUnattributedRefusals" | "findUnattributedRefusal"> {
  const select = (): Query =>
    db.selectFrom("refusal").selectAll("refusal").where("refusal.account_id", "is", null);
  const parse = async (rows: readonly RefusalTable[]) => rows.map((row) => parseRefusal(row, null));
  return {
    listUnattributedRefusals({ reason }, page) {
      const query = reason === null ? select() : select().where("refusal.reason", "=", reason);
      return listRefusals(page, select(), query, parse);
    },

    async findUnattributedRefusal(requestId) {
      const row = await select().where("refusal.request_id", "=", requestId).executeTakeFirst();
      return row === undefined ? undefined : parseRefusal(row, null);
    },
  };
}

/**
 * @param all The whole list, which cursors are of.
 * @param filtered What is listed of it.
 */
async function listRefusals(
  page: PageAsk,
  all: Query,
  filtered: Query,
  parse: (rows: readonly RefusalTable[]) => Promise<readonly Refused[]>,
): Promise<Listed<Refused>> {
  const find = (id: string) => all.where("refusal.request_id", "=", id).executeTakeFirst();
  const listed = await readPage(page, {
    hasEntry: async (id) => (await find(id)) !== undefined,
    async read({ olderThan, newerThan }, limit) {
      const order = newerThan === undefined ? "desc" : "asc";
      let query = filtered;
      const cursor = olderThan ?? newerThan;
      if (cursor !== undefined) {
        // Request ids do not tell what is newer; one that was swept meanwhile has nothing beyond it.
        const bound = await find(cursor);
        if (bound === undefined) return [];
        const beyond = sql.raw(newerThan === undefined ? "<" : ">");
        query = query.where(
          sql<boolean>`(refusal.at, refusal.request_id) ${beyond} (${bound.at}, ${bound.request_id})`,
        );
      }
      const rows = await query
        .orderBy("refusal.at", order)
        .orderBy("refusal.request_id", order)
        .limit(limit)
        .execute();
      return (await parse(rows)).map((refused) => ({ id: refused.requestId, refused }));
    },
  });
  if (listed.outcome === "invalid_cursor") return listed;
  return { ...listed, entries: listed.entries.map(({ refused }) => refused) };
}

/** Their keys as they are now. */
async function withKeys(
  db: Database,
  accountId: string,
  rows: readonly RefusalTable[],
): Promise<readonly Refused[]> {
  const ids = [...new Set(rows.flatMap(({ key_id }) => key_id ?? []))];
  if (ids.length === 0) return [];
  const found = await selectKeys(db, accountId).where("api_key.id", "in", ids).execute();
  const keys = new Map(found.map(parseKey).map((key) => [key.id, key]));
  return rows.flatMap((row) => {
    const key = keys.get(row.key_id ?? "");
    return key === undefined ? [] : [parseRefusal(row, key)];
  });
}

function parseRefusal(columns: RefusalTable, key: ApiKey | null): Refused {
  const row = rowOf("refusal", { ...columns }, "request_id");
  const types = row.text("types");
  return {
    requestId: row.text("request_id"),
    atMs: row.integer("at"),
    reason: row.oneOf("reason", REFUSAL_REASONS),
    key,
    types:
      types === ""
        ? []
        : types.split(",").map((type) => {
            const known = KEY_TYPES.find((each) => each === type);
            if (known === undefined)
              throw new CorruptRow("refusal", row.text("request_id"), "types");
            return known;
          }),
    environment: row.textOrNull("environment_asked"),
    address: row.textOrNull("address"),
    userAgent: row.textOrNull("user_agent"),
  };
}
