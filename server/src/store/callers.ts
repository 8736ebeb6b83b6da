import { type RawBuilder, sql } from "kysely";
import type { Database, Engine } from "./engine.ts";
import { added } from "./usage-tables.ts";

/** Callers kept of one key: the newest. */
export const CALLERS_MAX = 50;

/** What an insert does with a caller that is known already. */
export const MEET_AGAIN = sql`on conflict (key, address, user_agent) do update set
  first_seen = case when excluded.first_seen < key_caller.first_seen
    then excluded.first_seen else key_caller.first_seen end,
  last_seen = case when excluded.last_seen > key_caller.last_seen
    then excluded.last_seen else key_caller.last_seen end,
  ${added("key_caller", "count")}`;

/**
 * Drops the callers of some keys that are not among the newest. Nodes that prune at once do not wait for one another.
 *
 * @param keys Selects the keys' numbers.
 */
export async function pruneCallers(
  db: Database,
  engine: Engine,
  keys: RawBuilder<unknown>,
): Promise<void> {
  const aged = sql`select key, address, user_agent from (
      select key, address, user_agent, row_number() over (
        partition by key order by last_seen desc, address, user_agent) as place
      from key_caller where key in (${keys})) as placed
    where place > ${sql.lit(CALLERS_MAX)}`;
  const unheld = engine.locksRows
    ? sql`select key, address, user_agent from key_caller
        where (key, address, user_agent) in (${aged}) for update skip locked`
    : aged;
  await sql`delete from key_caller where (key, address, user_agent) in (${unheld})`.execute(db);
}
