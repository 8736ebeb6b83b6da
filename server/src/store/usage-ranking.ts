import { sql } from "kysely";
import type { Database, Engine } from "./engine.ts";
import { given } from "./given.ts";
import type { Granularity, Span } from "./store.ts";
import { ALL_KEYS, BUCKETS, COUNT_COLUMNS } from "./usage-tables.ts";

/** A part of what is added up: buckets of one table; those with the sign -1 count against the others. */
interface Part extends Span {
  readonly granularity: Granularity;
  readonly sign: 1 | -1;
}

const COARSER = { minute: "hour", hour: "day", day: null } as const;

/**
 * What adds up to a span with the fewest rows read: the coarser buckets that it touches, without what they have before
 * and after it. Mostly a span ends now, and there is nothing after it; a short one is read as it is.
 *
 * @param granularity That of the span, whose ends are ends of its buckets.
 */
function partsOf({ fromMs, toMs }: Span, granularity: Granularity): readonly Part[] {
  const whole: Part = { granularity, fromMs, toMs, sign: 1 };
  const coarser = COARSER[granularity];
  if (coarser === null) return [whole];
  const { lengthMs } = BUCKETS[coarser];
  const beforeMs = fromMs - (fromMs % lengthMs);
  const afterMs = Math.ceil(toMs / lengthMs) * lengthMs;
  // A first bucket that is mostly outside is not touched: what is inside is added up, as the shorter of the two.
  const addsFirst = fromMs - beforeMs > lengthMs / 2;
  const startMs = addsFirst ? beforeMs + lengthMs : beforeMs;
  if (toMs - fromMs <= lengthMs / 2 || startMs >= afterMs) return [whole];
  const parts: readonly Part[] = [
    addsFirst
      ? { granularity, fromMs, toMs: startMs, sign: 1 }
      : { granularity, fromMs: beforeMs, toMs: fromMs, sign: -1 },
    { granularity: coarser, fromMs: startMs, toMs: afterMs, sign: 1 },
    { granularity, fromMs: toMs, toMs: afterMs, sign: -1 },
  ];
  return parts.filter((part) => part.fromMs < part.toMs);
}

/**
 * The keys with the most verifications in a span, however they ended, the most used first. Within the first bucket of
 * what is kept of the finer buckets, whose beginning is gone, a key may be taken for more used than it was.
 */
export async function mostUsed(
  db: Database,
  engine: Engine,
  environments: readonly number[],
  { span, granularity, top }: { span: Span; granularity: Granularity; top: number },
): Promise<readonly Record<string, unknown>[]> {
  const one = sql.join(
    Object.values(COUNT_COLUMNS).map((column) => sql.ref(column)),
    sql` + `,
  );
  const among = environments.map((environment) => ({ environment }));
  const parts = partsOf(span, granularity).map(
    ({ granularity, fromMs, toMs, sign }) => sql`
      select environment, key, ${sql.lit(sign)} * (${one}) as used
      from ${sql.table(BUCKETS[granularity].table)}
      where environment in (select environment from ${given(engine, "asked", ["environment"], among)})
        and at >= ${fromMs} and at < ${toMs} and key <> ${sql.lit(ALL_KEYS)}`,
  );
  const { rows } = await sql<Record<string, unknown>>`
    select api_key.id, ranked.key, ranked.environment
    from (
      select key, min(environment) as environment, sum(used) as used
      from (${sql.join(parts, sql` union all `)}) as part
      group by key having sum(used) > 0
      order by sum(used) desc, key limit ${top}) as ranked
      join api_key on api_key.number = ranked.key
    order by ranked.used desc, ranked.key`.execute(db);
  return rows;
}
