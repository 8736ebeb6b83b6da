import type { Outcome } from "@latchkey/sdk/core";
import { sql } from "kysely";
import type { Granularity } from "./usage-deeds.ts";

/** Where buckets of each length are kept. A verification is counted in all three at once. */
export const BUCKETS = {
  minute: { table: "usage_minute", lengthMs: 60_000 },
  hour: { table: "usage_hour", lengthMs: 3_600_000 },
  day: { table: "usage_day", lengthMs: 86_400_000 },
} as const satisfies Record<Granularity, { table: string; lengthMs: number }>;

/** The column that counts each outcome. */
export const COUNT_COLUMNS = {
  accepted: "accepted",
  revoked: "revoked",
  expired: "expired",
  type: "wrong_type",
  environment: "wrong_environment",
} as const satisfies Record<Outcome, string>;

/** The `key` of the rows that are the sums of an environment's keys: numbers of keys begin at 1. */
export const ALL_KEYS = 0;

/** The count columns one after another, in the order of `COUNT_COLUMNS`. */
export const COUNTS = sql.join(Object.values(COUNT_COLUMNS).map((column) => sql.ref(column)));

/** Each of them added up. */
export const SUMS = sql.join(
  Object.values(COUNT_COLUMNS).map((column) => sql`sum(${sql.ref(column)})`),
);

/** What an insert does with a bucket that is there already: what is new is added. */
export function addTo(table: string) {
  const columns = Object.values(COUNT_COLUMNS);
  return sql`on conflict (environment, at, key) do update set ${sql.join(columns.map((column) => added(table, column)))}`;
}

/** The highest count: more could neither be read nor, over some thousand buckets, be added up in 64 bits. */
const COUNT_MAX = 1e15;

/** Adds what an insert brings to what is there, up to a bound: whoever reports too much spoils that number alone. */
export function added(table: string, column: string) {
  const [known, more] = [sql.ref(`${table}.${column}`), sql.ref(`excluded.${column}`)];
  const most = sql.lit(COUNT_MAX);
  return sql`${sql.ref(column)} = case when ${known} > ${most} - ${more} then ${most} else ${known} + ${more} end`;
}
