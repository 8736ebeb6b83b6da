import { type RawBuilder, sql } from "kysely";
import { MEET_AGAIN, pruneCallers } from "./callers.ts";
import type { Database, Engine } from "./engine.ts";
import type { SourcedBatch } from "./store.ts";
import { ALL_KEYS, addTo, BUCKETS, COUNT_COLUMNS, COUNTS, SUMS } from "./usage-tables.ts";

/**
 * Stores batches by one statement, which stores all of it or nothing. Batches that were stored before are left out,
 * whichever node stored them, and whether its answer arrived or not.
 */
export async function recordTogether(
  db: Database,
  engine: Engine,
  batches: readonly SourcedBatch[],
  nowMs: number,
): Promise<void> {
  await statement(batches, nowMs).execute(db);
  // Apart, for it must hold no row that another node waits for. What fails of it is done by the next batch: the counts are
  // stored, and a source that is not told so would send them until nothing else of it had room.
  const ids = [...new Set(batches.flatMap(({ callers }) => callers.map(({ keyId }) => keyId)))];
  const keys = sql`select number from api_key where id = any(${ids}::text[])`;
  if (ids.length > 0) await pruneCallers(db, engine, keys).catch(() => {});
}

/**
 * One statement for everything. The row of a source decides which of its batches are new: who comes second waits for it,
 * and then sees what the first has stored, not what its own snapshot shows.
 *
 * Nodes that count the same keys at once wait for one another but never in a circle: the steps follow one another, each
 * is made to begin after the one before has ended, and each takes its rows in order. What all flushes of an
 * environment share, its sums, comes last and is held for the shortest time.
 */
function statement(batches: readonly SourcedBatch[], nowMs: number): RawBuilder<unknown> {
  const buckets = Object.values(BUCKETS);
  const steps: {
    readonly name: string;
    readonly insert: (after: RawBuilder<unknown>) => RawBuilder<unknown>;
  }[] = [
    ...buckets.map(({ table, lengthMs }) => ({
      name: table,
      insert: (after: RawBuilder<unknown>) => insertCounts(table, lengthMs, sql`key`, after),
    })),
    { name: "callers", insert: (after) => insertCallers(batches, after) },
    { name: "refusals", insert: (after) => insertRefusals(batches, after) },
    { name: "uses", insert: insertUses },
    ...buckets.map(({ table, lengthMs }) => ({
      name: `${table}_sums`,
      insert: (after: RawBuilder<unknown>) =>
        insertCounts(table, lengthMs, sql.lit(ALL_KEYS), after),
    })),
  ];
  const parts = steps.map(({ name, insert }, at) => {
    const before = at === 0 ? "stored" : (steps[at - 1]?.name ?? "");
    const after = sql`(select count(*) from ${sql.table(`step_${before}`)}) >= 0`;
    return sql`${sql.table(`step_${name}`)} as (${insert(after)} returning 1)`;
  });
  return sql`with ${sql.join([...claimAndCount(batches, nowMs), ...parts])} select 1`;
}

/** Which batches are new, and what they count by the numbers of keys and environments. */
function claimAndCount(
  batches: readonly SourcedBatch[],
  nowMs: number,
): readonly RawBuilder<unknown>[] {
  const counts = batches.flatMap(({ counts }, batch) =>
    counts.map((count) => ({ batch, ...count })),
  );
  const each = Object.entries(COUNT_COLUMNS) as [keyof typeof COUNT_COLUMNS, string][];
  return [
    sql`sent as (
      select * from unnest(${batches.map(({ source }) => source)}::text[],
        ${batches.map(({ number }) => number)}::bigint[],
        ${batches.map((_, batch) => batch)}::int[]) as sent (source, number, batch))`,
    sql`step_stored as (
      insert into usage_source as known (id, batch, batch_before, stored_at)
      select source, max(number), 0, ${nowMs}::bigint from sent group by source order by source
      on conflict (id) do update set
        batch = excluded.batch, batch_before = known.batch, stored_at = excluded.stored_at
      where known.batch < excluded.batch
      returning id, batch_before)`,
    sql`fresh as (
      select distinct on (sent.source, sent.number) sent.batch
      from sent join step_stored on step_stored.id = sent.source
      where sent.number > step_stored.batch_before)`,
    sql`counted as materialized (
      select environment.number as environment, told.at, api_key.number as key,
        ${sql.join(each.map(([, column]) => sql`sum(${sql.ref(`told.${column}`)}) as ${sql.ref(column)}`))},
        max(told.last) as last
      from unnest(${counts.map(({ batch }) => batch)}::int[],
          ${counts.map(({ keyId }) => keyId)}::text[],
          ${counts.map(({ minuteMs }) => minuteMs)}::bigint[],
          ${sql.join(each.map(([outcome]) => sql`${counts.map(({ counts }) => counts[outcome])}::bigint[]`))},
          ${counts.map(({ lastAcceptedMs }) => lastAcceptedMs)}::bigint[])
        as told (batch, key_id, at, ${COUNTS}, last)
        join fresh on fresh.batch = told.batch
        join api_key on api_key.id = told.key_id
        join environment on environment.id = api_key.environment_id
      group by 1, 2, 3)`,
  ];
}

type Step = RawBuilder<unknown>;

function insertCounts(table: string, lengthMs: number, key: Step, after: Step): Step {
  return sql`insert into ${sql.table(table)} (environment, at, key, ${COUNTS})
    select environment, at - at % ${sql.lit(lengthMs)}, ${key}, ${SUMS}
    from counted where ${after} group by 1, 2, 3 order by 1, 2, 3
    ${addTo(table)}`;
}

function insertUses(after: Step): Step {
  return sql`insert into key_use (key, last_used_at)
    select key, max(last) from counted where last > 0 and ${after} group by key order by key
    on conflict (key) do update set last_used_at = excluded.last_used_at
    where key_use.last_used_at < excluded.last_used_at`;
}

function insertCallers(batches: readonly SourcedBatch[], after: Step): Step {
  const all = batches.flatMap(({ callers }, batch) =>
    callers.map((caller) => ({ batch, ...caller })),
  );
  return sql`insert into key_caller (key, address, user_agent, first_seen, last_seen, count)
    select api_key.number, told.address, told.user_agent, min(told.first_seen),
      max(told.last_seen), sum(told.count)
    from unnest(${all.map(({ batch }) => batch)}::int[],
        ${all.map(({ keyId }) => keyId)}::text[],
        ${all.map(({ address }) => address ?? "")}::text[],
        ${all.map(({ userAgent }) => userAgent ?? "")}::text[],
        ${all.map(({ firstMs }) => firstMs)}::bigint[],
        ${all.map(({ lastMs }) => lastMs)}::bigint[],
        ${all.map(({ count }) => count)}::bigint[])
      as told (batch, key_id, address, user_agent, first_seen, last_seen, count)
      join fresh on fresh.batch = told.batch
      join api_key on api_key.id = told.key_id
    where ${after} group by 1, 2, 3 order by 1, 2, 3
    ${MEET_AGAIN}`;
}

function insertRefusals(batches: readonly SourcedBatch[], after: Step): Step {
  const all = batches.flatMap(({ refusals }, batch) =>
    refusals.map((refusal) => ({ batch, ...refusal })),
  );
  return sql`insert into refusal (request_id, at, reason, key_id, environment_id, account_id,
      address, user_agent, types, environment_asked)
    select told.request_id, told.at, told.reason, told.key_id, environment.id,
      environment.account_id, told.address, told.user_agent, told.types, told.environment_asked
    from unnest(${all.map(({ batch }) => batch)}::int[],
        ${all.map(({ requestId }) => requestId)}::text[],
        ${all.map(({ atMs }) => atMs)}::bigint[],
        ${all.map(({ reason }) => reason)}::text[],
        ${all.map(({ keyId }) => keyId)}::text[],
        ${all.map(({ address }) => address)}::text[],
        ${all.map(({ userAgent }) => userAgent)}::text[],
        ${all.map(({ types }) => types.join())}::text[],
        ${all.map(({ environment }) => environment)}::text[])
      as told (batch, request_id, at, reason, key_id, address, user_agent, types,
        environment_asked)
      join fresh on fresh.batch = told.batch
      left join api_key on api_key.id = told.key_id
      left join environment on environment.id = api_key.environment_id
    where (told.key_id is null or api_key.id is not null) and ${after}
    order by told.request_id
    on conflict do nothing`;
}
