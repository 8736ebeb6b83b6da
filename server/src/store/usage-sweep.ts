import { setImmediate } from "node:timers/promises";
import { type RawBuilder, sql } from "kysely";
import { BATCH_ROWS, inBatches } from "./batches.ts";
import type { Database, Engine } from "./engine.ts";
import { rowOf } from "./row.ts";
import type { UsageKept } from "./store.ts";
import { BUCKETS } from "./usage-tables.ts";

/** How long after its last batch a process is remembered: one that sends a batch again by then is not believed twice. */
const SOURCES_KEPT_MS = 30 * 24 * 60 * 60_000;

/** Refusals that are kept in all, the newest, so that nobody fills the disk by being refused. */
const REFUSALS_MAX = 1_000_000;

/** Batches of usage that one call deletes: what 100,000 busy keys leave in more than an hour. */
const BATCHES_MAX = 2_000;

/** Keys whose callers are looked through by one statement. */
const KEYS_AT_ONCE = 1_000;

/** Drops what was counted too long ago. */
export async function sweepUsage(
  db: Database,
  engine: Engine,
  nowMs: number,
  kept: UsageKept,
): Promise<void> {
  const { minutesMs, hoursMs, daysMs, refusalsMs } = kept;
  await sweepBuckets(db, engine, BUCKETS.minute.table, nowMs - minutesMs);
  await sweepBuckets(db, engine, BUCKETS.hour.table, nowMs - hoursMs);
  await sweepBuckets(db, engine, BUCKETS.day.table, nowMs - daysMs);
  await sweepCallers(db, engine, nowMs - hoursMs);
  await sweepRefusals(db, engine, nowMs - refusalsMs, REFUSALS_MAX);
  const forgottenMs = nowMs - SOURCES_KEPT_MS;
  await deleteRows(db, engine, "usage_source", ["id"], sql`stored_at < ${forgottenMs}`);
}

/** Environment by environment, for that is how buckets lie: each batch is one stretch of the oldest. */
async function sweepBuckets(
  db: Database,
  engine: Engine,
  table: string,
  beforeMs: number,
): Promise<void> {
  const { rows } = await sql<Record<string, unknown>>`
    select number from environment where exists (
      select 1 from ${sql.table(table)} as usage
      where usage.environment = environment.number and usage.at < ${beforeMs})`.execute(db);
  for (const row of rows) {
    const number = rowOf("environment", row, "number").integer("number");
    const old = sql`environment = ${number} and at < ${beforeMs}`;
    await deleteRows(db, engine, table, ["environment", "at", "key"], old);
  }
}

/** Key by key: an index by time would be written at every use. */
async function sweepCallers(db: Database, engine: Engine, beforeMs: number): Promise<void> {
  const { rows } = await sql<Record<string, unknown>>`
    select max(key) as key from key_caller`.execute(db);
  const last = rowOf("key_caller", rows[0] ?? {}, "key").integerOrNull("key") ?? 0;
  for (let key = 1; key <= last; key += KEYS_AT_ONCE) {
    const old = sql`key >= ${key} and key < ${key + KEYS_AT_ONCE} and last_seen < ${beforeMs}`;
    await deleteRows(db, engine, "key_caller", ["key", "address", "user_agent"], old);
    await setImmediate();
  }
}

/**
 * Drops refusals from before a time, and of the rest all but the newest.
 *
 * @param max How many are kept.
 */
export async function sweepRefusals(
  db: Database,
  engine: Pick<Engine, "locksRows">,
  beforeMs: number,
  max: number,
): Promise<void> {
  await deleteRows(db, engine, "refusal", ["request_id"], sql`at < ${beforeMs}`);
  const { rows } = await sql<Record<string, unknown>>`
    select at, request_id from refusal
    order by at desc, request_id desc limit 1 offset ${max}`.execute(db);
  if (rows[0] === undefined) return;
  const row = rowOf("refusal", rows[0], "request_id");
  const over = sql`(at, request_id) <= (${row.integer("at")}, ${row.text("request_id")})`;
  await deleteRows(db, engine, "refusal", ["request_id"], over);
}

/** Deletes in batches, but for the rows that somebody holds: they are counted up just now, or swept by another node. */
async function deleteRows(
  db: Database,
  engine: Pick<Engine, "locksRows">,
  table: string,
  columns: readonly string[],
  where: RawBuilder<unknown>,
): Promise<void> {
  const key = sql.join(columns.map((column) => sql.ref(column)));
  const unheld = engine.locksRows ? sql`for update skip locked` : sql``;
  const statement = sql`delete from ${sql.table(table)} where (${key}) in (
    select ${key} from ${sql.table(table)} where ${where} limit ${sql.lit(BATCH_ROWS)} ${unheld})`;
  await inBatches(
    async () => {
      const { numAffectedRows = 0n } = await statement.execute(db);
      return { numDeletedRows: numAffectedRows };
    },
    { batches: BATCHES_MAX },
  );
}
