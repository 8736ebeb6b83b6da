import { Checkbox, Group, Table, VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import styles from "./keys.module.css";
import { useNarrow } from "./use-narrow.ts";

/** One thing that a list says of each of its rows. */
export interface Column<T> {
  name: string;
  cell: (row: T) => ReactNode;
  /** A number, on the right. */
  numeric?: boolean;
  /** On a card it is a line of its own under the head, without its name. */
  plain?: boolean;
}

/** Rows that can be ticked, for a deed on several at once. */
export interface Selection<T> {
  ids: ReadonlySet<string>;
  /** Whether a row can be ticked at all. */
  allows: (row: T) => boolean;
  /** What a row is called, e.g. "sk_…9fQ2". */
  nameOf: (row: T) => string;
  onChange: (ids: ReadonlySet<string>) => void;
}

interface RecordsProps<T> {
  /** The list's name, e.g. "API keys". */
  name: string;
  rows: readonly T[];
  idOf: (row: T) => string;
  /** What a row is recognised by: the first column, and the head of a card. */
  head: Column<T>;
  columns: readonly Column<T>[];
  /** The menu at a row's end. */
  actions?: (row: T) => ReactNode;
  selection?: Selection<T> | undefined;
  /** A row's class. */
  lookOf?: (row: T) => string;
}

/** A list as a table, or as cards where a table would not fit. */
export function Records<T>(props: RecordsProps<T>) {
  return useNarrow() ? <Cards {...props} /> : <RecordTable {...props} />;
}

function RecordTable<T>(props: RecordsProps<T>) {
  const { name, rows, idOf, head, columns, actions, selection, lookOf } = props;
  const side = (column: Column<T>) => (column.numeric ? { ta: "right" as const } : {});
  return (
    <div className={styles.box}>
      <Table className={styles.table} aria-label={name} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {selection === undefined ? null : (
              <Table.Th className={styles.tick}>
                <TickAll name={name} rows={rows} idOf={idOf} selection={selection} />
              </Table.Th>
            )}
            {[head, ...columns].map((column) => (
              <Table.Th key={column.name} {...side(column)}>
                {column.name}
              </Table.Th>
            ))}
            {actions === undefined ? null : (
              <Table.Th>
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={idOf(row)} className={lookOf?.(row)}>
              {selection === undefined ? null : (
                <Table.Td className={styles.tick}>
                  <Tick row={row} id={idOf(row)} selection={selection} />
                </Table.Td>
              )}
              {[head, ...columns].map((column) => (
                <Table.Td key={column.name} {...side(column)}>
                  {column.cell(row)}
                </Table.Td>
              ))}
              {actions === undefined ? null : <Table.Td align="right">{actions(row)}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Cards<T>(props: RecordsProps<T>) {
  const { name, rows, idOf, head, columns, actions, selection, lookOf } = props;
  return (
    <>
      {selection === undefined ? null : (
        <TickAll name={name} rows={rows} idOf={idOf} selection={selection} label="Select all" />
      )}
      <ul className={styles.cards} aria-label={name}>
        {rows.map((row) => (
          <li key={idOf(row)} className={`${styles.card} ${lookOf?.(row) ?? ""}`}>
            <Group justify="space-between" wrap="nowrap" gap="xs">
              <Group gap={12} wrap="nowrap" miw={0}>
                {selection === undefined ? null : (
                  <Tick row={row} id={idOf(row)} selection={selection} />
                )}
                {head.cell(row)}
              </Group>
              {actions?.(row)}
            </Group>
            {columns
              .filter(({ plain }) => plain)
              .map((column) => (
                <div key={column.name}>{column.cell(row)}</div>
              ))}
            <dl className={styles.facts}>
              {columns
                .filter(({ plain }) => !plain)
                .map((column) => (
                  <div key={column.name} className={styles.fact}>
                    <dt>{column.name}</dt>
                    <dd>{column.cell(row)}</dd>
                  </div>
                ))}
            </dl>
          </li>
        ))}
      </ul>
    </>
  );
}

interface TickProps<T> {
  row: T;
  id: string;
  selection: Selection<T>;
}

function Tick<T>({ row, id, selection: { ids, allows, nameOf, onChange } }: TickProps<T>) {
  if (!allows(row)) return null;
  const ticked = ids.has(id);
  const turn = (): void =>
    onChange(new Set(ticked ? [...ids].filter((one) => one !== id) : [...ids, id]));
  return (
    <Checkbox size="xs" aria-label={`Select ${nameOf(row)}`} checked={ticked} onChange={turn} />
  );
}

interface TickAllProps<T> extends Pick<RecordsProps<T>, "name" | "rows" | "idOf"> {
  selection: Selection<T>;
  label?: string;
}

function TickAll<T>({ name, rows, idOf, selection, label }: TickAllProps<T>) {
  const able = rows.filter(selection.allows).map(idOf);
  const ticked = able.filter((id) => selection.ids.has(id));
  const all = able.length > 0 && ticked.length === able.length;
  return (
    <Checkbox
      size="xs"
      label={label}
      aria-label={`Select all ${name} of this page`}
      disabled={able.length === 0}
      checked={all}
      indeterminate={ticked.length > 0 && !all}
      onChange={() => selection.onChange(new Set(all ? [] : able))}
    />
  );
}
