import { setImmediate } from "node:timers/promises";
import type { CallerUse, KeyCount, RefusalNote } from "@latchkey/sdk/core";
import { sql } from "kysely";
import { MEET_AGAIN, pruneCallers } from "./callers.ts";
import type { Database, Engine } from "./engine.ts";
import type { SourcedBatch } from "./store.ts";
import { ALL_KEYS, addTo, BUCKETS, COUNT_COLUMNS, COUNTS, SUMS } from "./usage-tables.ts";

/**
 * Stores batches in one transaction, but for those that were stored before. SQLite holds up everything while a statement
 * runs, so that others have a turn after each: a thousand counts are some milliseconds of work, and a commit more.
 */
export async function recordInTurns(
  db: Database,
  engine: Engine,
  batches: readonly SourcedBatch[],
  nowMs: number,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const fresh: SourcedBatch[] = [];
    for (const batch of batches) if (await claim(trx, batch, nowMs)) fresh.push(batch);
    const counts = fresh.flatMap((batch) => batch.counts);
    const callers = fresh.flatMap((batch) => batch.callers);
    const refusals = fresh.flatMap((batch) => batch.refusals);
    if (counts.length > 0) await recordCounts(trx, counts);
    if (callers.length > 0) await recordCallers(trx, engine, callers);
    if (refusals.length > 0) await recordRefusals(trx, refusals);
    await setImmediate();
  });
}

/** @returns `false` for a batch that is not above what is stored of its source. */
async function claim(
  trx: Database,
  { source, number }: SourcedBatch,
  nowMs: number,
): Promise<boolean> {
  const claimed = await sql`insert into usage_source (id, batch, batch_before, stored_at)
    values (${source}, ${number}, 0, ${nowMs})
    on conflict (id) do update set
      batch = excluded.batch, batch_before = usage_source.batch, stored_at = excluded.stored_at
    where usage_source.batch < excluded.batch`.execute(trx);
  return claimed.numAffectedRows === 1n;
}

/** Keys and environments are looked up once, into a table of this connection that is empty before and after. */
async function recordCounts(trx: Database, counts: readonly KeyCount[]): Promise<void> {
  const columns = Object.values(COUNT_COLUMNS);
  await sql`create temporary table if not exists counted (
    environment integer, at integer, key integer,
    ${sql.join(columns.map((column) => sql`${sql.ref(column)} integer`))}, last integer)`.execute(
    trx,
  );
  const told = counts.map((count) => [
    count.keyId,
    count.minuteMs,
    ...outcomesOf(count),
    count.lastAcceptedMs,
  ]);
  await sql`insert into counted
    select environment.number, told.value ->> 1, api_key.number,
      ${sql.join(columns.map((_, at) => sql`told.value ->> ${sql.lit(at + 2)}`))},
      told.value ->> ${sql.lit(columns.length + 2)}
    from json_each(${JSON.stringify(told)}) as told
      cross join api_key on api_key.id = told.value ->> 0
      cross join environment on environment.id = api_key.environment_id
    order by 1, 2, 3`.execute(trx);
  for (const { table, lengthMs } of Object.values(BUCKETS)) {
    await setImmediate();
    const bucket = sql`at - at % ${sql.lit(lengthMs)}`;
    await sql`insert into ${sql.table(table)}
      select environment, ${bucket}, key, ${COUNTS} from counted where true
      ${addTo(table)}`.execute(trx);
    await sql`insert into ${sql.table(table)}
      select environment, ${bucket} as bucket, ${sql.lit(ALL_KEYS)}, ${SUMS} from counted where true
      group by environment, bucket
      ${addTo(table)}`.execute(trx);
  }
  await setImmediate();
  await sql`insert into key_use (key, last_used_at)
    select key, last from counted where last > 0
    on conflict (key) do update set last_used_at = excluded.last_used_at
    where key_use.last_used_at < excluded.last_used_at`.execute(trx);
  await sql`delete from counted`.execute(trx);
  await setImmediate();
}

function outcomesOf({ counts }: KeyCount): readonly number[] {
  return [counts.accepted, counts.revoked, counts.expired, counts.type, counts.environment];
}

async function recordCallers(
  trx: Database,
  engine: Engine,
  callers: readonly CallerUse[],
): Promise<void> {
  const told = callers.map((caller) => [
    caller.keyId,
    caller.address ?? "",
    caller.userAgent ?? "",
    caller.firstMs,
    caller.lastMs,
    caller.count,
  ]);
  await sql`insert into key_caller (key, address, user_agent, first_seen, last_seen, count)
    select api_key.number, told.value ->> 1, told.value ->> 2, told.value ->> 3, told.value ->> 4,
      told.value ->> 5
    from json_each(${JSON.stringify(told)}) as told
      cross join api_key on api_key.id = told.value ->> 0
    where true
    ${MEET_AGAIN}`.execute(trx);
  const ids = JSON.stringify([...new Set(callers.map(({ keyId }) => keyId))]);
  const keys = sql`select number from api_key where id in (select value from json_each(${ids}))`;
  await setImmediate();
  await pruneCallers(trx, engine, keys);
  await setImmediate();
}

async function recordRefusals(trx: Database, refusals: readonly RefusalNote[]): Promise<void> {
  const told = refusals.map((note) => [
    note.requestId,
    note.atMs,
    note.reason,
    note.keyId,
    note.address,
    note.userAgent,
    note.types.join(),
    note.environment,
  ]);
  await sql`insert into refusal (request_id, at, reason, key_id, environment_id, account_id,
      address, user_agent, types, environment_asked)
    select told.value ->> 0, told.value ->> 1, told.value ->> 2, api_key.id, environment.id,
      environment.account_id, told.value ->> 4, told.value ->> 5, told.value ->> 6,
      told.value ->> 7
    from json_each(${JSON.stringify(told)}) as told
      left join api_key on api_key.id = told.value ->> 3
      left join environment on environment.id = api_key.environment_id
    where told.value ->> 3 is null or api_key.id is not null
    on conflict do nothing`.execute(trx);
  await setImmediate();
}
