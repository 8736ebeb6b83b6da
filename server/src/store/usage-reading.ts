import { setImmediate } from "node:timers/promises";
import { sql } from "kysely";
import { CALLERS_MAX } from "./callers.ts";
import type { Database, Engine } from "./engine.ts";
import { given } from "./given.ts";
import { selectLivingEnvironments } from "./living.ts";
import { rowOf } from "./row.ts";
import type { Granularity, KeyCaller, Span, UsageAsk, UsageRow, UsageStore } from "./store.ts";
import { mostUsed } from "./usage-ranking.ts";
import { type Bucket, groupBuckets, type Names, NOTHING, plus, total } from "./usage-rows.ts";
import { ALL_KEYS, BUCKETS, COUNTS } from "./usage-tables.ts";

/** Numbers that one statement looks up or reads: SQLite holds up everything meanwhile, for some ms. */
const CELLS_AT_ONCE = 2_000;

type UsageReader = Pick<UsageStore, "readUsage" | "sumUsage" | "listCallers">;

/** Reads what was counted of one account's keys. */
export function usageReader(db: Database, engine: Engine, accountId: string): UsageReader {
  return {
    async readUsage(ask) {
      const environments = await readEnvironments(db, accountId, ask.environment);
      if (ask.environment !== null && environments.size === 0) return { outcome: "absent" };
      const rows =
        ask.keyIds !== null
          ? await readGiven(db, engine, environments, accountId, { ...ask, keyIds: ask.keyIds })
          : ask.by.key && ask.top === null
            ? await readAll(db, environments, ask)
            : await readTop(db, engine, environments, ask);
      return { outcome: "usage", rows };
    },

    async sumUsage(keyId, sinceMs) {
      const [key] = await readKeys(db, accountId, [keyId]);
      if (key === undefined) return NOTHING;
      const kept = await readHoursKept(db, key.environment);
      const span = { fromMs: Math.max(sinceMs, kept.fromMs), toMs: kept.toMs };
      const hours = await readBuckets(db, engine, "hour", span, [key]);
      return hours.flat().reduce((sum, { counts }) => plus(sum, counts), NOTHING);
    },

    async listCallers(keyId, max, sinceMs) {
      const [key] = await readKeys(db, accountId, [keyId]);
      if (key === undefined) return { callers: [], since: 0 };
      const rows = await db
        .selectFrom("key_caller")
        .selectAll()
        .where("key", "=", key.key)
        .orderBy("last_seen", "desc")
        .orderBy("address")
        .orderBy("user_agent")
        .limit(CALLERS_MAX)
        .execute();
      const callers = rows.map(parseCaller);
      const since = callers.filter(({ lastMs }) => lastMs >= sinceMs).length;
      return { callers: callers.slice(0, max), since };
    },
  };
}

/** Slugs by number. */
type Environments = ReadonlyMap<number, string>;

interface KeyNumber {
  readonly id: string;
  readonly key: number;
  readonly environment: number;
}

/** The keys asked for, and no others. */
async function readGiven(
  db: Database,
  engine: Engine,
  environments: Environments,
  accountId: string,
  ask: UsageAsk & { readonly keyIds: readonly string[] },
): Promise<readonly UsageRow[]> {
  const found = await readKeys(db, accountId, ask.keyIds);
  const keys = found.filter(({ environment }) => environments.has(environment));
  const pieces = await readBuckets(db, engine, ask.granularity, ask, keys);
  const used = new Map<number, number>();
  for (const piece of pieces)
    for (const { key, counts } of piece) used.set(key, (used.get(key) ?? 0) + total(counts));
  const most = keys.toSorted((a, b) => (used.get(b.key) ?? 0) - (used.get(a.key) ?? 0));
  const named = most.slice(0, ask.top ?? most.length);
  return groupPieces(pieces, { keys: idsOf(named), environments }, ask.by);
}

/** Every key there is in these environments. */
async function readAll(
  db: Database,
  environments: Environments,
  ask: UsageAsk,
): Promise<readonly UsageRow[]> {
  const ids = new Map<number, string>();
  const pieces: (readonly Bucket[])[] = [];
  for (const environment of environments.keys()) {
    let [at, key] = [ask.fromMs, ALL_KEYS];
    for (let read = CELLS_AT_ONCE; read === CELLS_AT_ONCE; ) {
      const { rows } = await sql<Record<string, unknown>>`
        select api_key.id, usage.environment, usage.at, usage.key, ${COUNTS}
        from ${sql.table(BUCKETS[ask.granularity].table)} as usage
          join api_key on api_key.number = usage.key
        where usage.environment = ${environment}
          and (usage.at, usage.key) > (${at}, ${key}) and usage.at < ${ask.toMs}
        order by usage.at, usage.key limit ${sql.lit(CELLS_AT_ONCE)}`.execute(db);
      for (const row of rows.map(parseKeyNumber)) ids.set(row.key, row.id);
      const piece = rows.map(parseBucket);
      pieces.push(piece);
      ({ atMs: at, key } = piece.at(-1) ?? { atMs: at, key });
      read = rows.length;
      await setImmediate();
    }
  }
  const rows = await groupPieces(pieces, { keys: ids, environments }, ask.by);
  return rows.toSorted((left, right) => left.atMs - right.atMs);
}

/** The most used keys, where they were asked for, and what their environments have besides. */
async function readTop(
  db: Database,
  engine: Engine,
  environments: Environments,
  ask: UsageAsk,
): Promise<readonly UsageRow[]> {
  const numbers = [...environments.keys()];
  const { granularity, top } = ask;
  const most =
    ask.by.key && top !== null
      ? (await mostUsed(db, engine, numbers, { span: ask, granularity, top })).map(parseKeyNumber)
      : [];
  const sums = numbers.map((environment) => ({ environment, key: ALL_KEYS }));
  // Together, so that no verification is in the one and not in the other.
  const pieces = await readBuckets(db, engine, granularity, ask, [...sums, ...most]);
  return groupPieces(pieces, { keys: idsOf(most), environments }, ask.by);
}

/**
 * Looks each bucket of each key up: far fewer than there are rows between the first and the last. Piece by piece, each
 * of them of all that there is at some times, the oldest first.
 */
async function readBuckets(
  db: Database,
  engine: Engine,
  granularity: Granularity,
  { fromMs, toMs }: Span,
  keys: readonly { readonly environment: number; readonly key: number }[],
): Promise<readonly (readonly Bucket[])[]> {
  const { table, lengthMs } = BUCKETS[granularity];
  const times: { at: number }[] = [];
  for (let at = Math.floor(fromMs / lengthMs) * lengthMs; at < toMs; at += lengthMs)
    times.push({ at });
  const pieces: (readonly Bucket[])[] = [];
  const timesAtOnce = Math.max(1, Math.floor(CELLS_AT_ONCE / Math.max(1, keys.length)));
  for (let start = 0; start < times.length; start += timesAtOnce) {
    const some = times.slice(start, start + timesAtOnce);
    const { rows } = await sql<Record<string, unknown>>`
      select usage.environment, usage.at, usage.key, ${COUNTS}
      from ${given(engine, "bucket", ["at"], some)}
        cross join ${given(engine, "asked", ["environment", "key"], keys)}
        join ${sql.table(table)} as usage on usage.environment = asked.environment
          and usage.at = bucket.at and usage.key = asked.key
      order by usage.at`.execute(db);
    pieces.push(rows.map(parseBucket));
    await setImmediate();
  }
  return pieces;
}

/** Groups what lies at the same times together, and lets everybody else work in between. */
async function groupPieces(
  pieces: readonly (readonly Bucket[])[],
  names: Names,
  by: UsageAsk["by"],
): Promise<readonly UsageRow[]> {
  const rows: UsageRow[] = [];
  for (const piece of pieces) {
    rows.push(...groupBuckets(piece, names, by));
    await setImmediate();
  }
  return rows;
}

/** From the first to the last hour that there is anything of an environment in. */
async function readHoursKept(db: Database, environment: number): Promise<Span> {
  // Two subqueries: SQLite finds one end of an index at once, but for both reads all of it.
  const { rows } = await sql<Record<string, unknown>>`
    select (select min(at) from usage_hour where environment = ${environment}) as first,
      (select max(at) from usage_hour where environment = ${environment}) as last`.execute(db);
  const row = rowOf("usage_hour", rows[0] ?? {}, "first");
  return {
    fromMs: row.integerOrNull("first") ?? 0,
    toMs: (row.integerOrNull("last") ?? -1) + 1,
  };
}

/** The account's living environments, or the one of them that was asked for. */
async function readEnvironments(
  db: Database,
  accountId: string,
  slug: string | null,
): Promise<Environments> {
  let query = selectLivingEnvironments(db, accountId).select("environment.number");
  if (slug !== null) query = query.where("environment.slug", "=", slug);
  const rows = (await query.execute()).map((row) => rowOf("environment", row));
  return new Map(rows.map((row) => [row.integer("number"), row.text("slug")]));
}

/** Those of the keys that are in a living environment of the account. */
async function readKeys(
  db: Database,
  accountId: string,
  ids: readonly string[],
): Promise<readonly KeyNumber[]> {
  if (ids.length === 0) return [];
  const rows = await selectLivingEnvironments(db, accountId)
    .innerJoin("api_key", "api_key.environment_id", "environment.id")
    .where("api_key.id", "in", ids)
    .clearSelect()
    .select(["api_key.id", "api_key.number as key", "environment.number as environment"])
    .execute();
  return rows.map(parseKeyNumber);
}

function idsOf(keys: readonly KeyNumber[]): ReadonlyMap<number, string> {
  return new Map(keys.map(({ key, id }) => [key, id]));
}

function parseKeyNumber(columns: Readonly<Record<string, unknown>>): KeyNumber {
  const row = rowOf("api_key", columns);
  return {
    id: row.text("id"),
    key: row.integer("key"),
    environment: row.integer("environment"),
  };
}

function parseBucket(columns: Readonly<Record<string, unknown>>): Bucket {
  const row = rowOf("usage", columns, "at");
  return {
    atMs: row.integer("at"),
    environment: row.integer("environment"),
    key: row.integer("key"),
    counts: {
      accepted: row.integer("accepted"),
      revoked: row.integer("revoked"),
      expired: row.integer("expired"),
      type: row.integer("wrong_type"),
      environment: row.integer("wrong_environment"),
    },
  };
}

function parseCaller(columns: Readonly<Record<string, unknown>>): KeyCaller {
  const row = rowOf("key_caller", columns, "key");
  return {
    address: row.text("address") || null,
    userAgent: row.text("user_agent") || null,
    firstMs: row.integer("first_seen"),
    lastMs: row.integer("last_seen"),
    count: row.integer("count"),
  };
}
