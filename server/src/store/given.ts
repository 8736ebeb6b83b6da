import { type RawBuilder, sql } from "kysely";
import type { Engine } from "./engine.ts";

/** Rows of integers that a statement is given as one parameter a column, or one for all, however many they are. */
export function given<Column extends string>(
  engine: Engine,
  name: string,
  columns: readonly Column[],
  rows: readonly Readonly<Record<Column, number>>[],
): RawBuilder<unknown> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  if (engine.dialect === "postgres") {
    const values = columns.map((column) => sql`${rows.map((row) => row[column])}::bigint[]`);
    return sql`unnest(${sql.join(values)}) as ${sql.table(name)} (${names})`;
  }
  const values = columns.map((column, at) => sql`value ->> ${sql.lit(at)} as ${sql.ref(column)}`);
  const json = JSON.stringify(rows.map((row) => columns.map((column) => row[column])));
  return sql`(select ${sql.join(values)} from json_each(${json})) as ${sql.table(name)}`;
}
