/** A row that is not what the schema promises: the database was edited by hand, or is damaged. Names no content. */
export class CorruptRow extends Error {
  readonly table: string;
  readonly id: string;

  constructor(table: string, id: string, column: string) {
    super(`corrupt row: ${table} ${id} has no valid ${column}`);
    this.name = "CorruptRow";
    this.table = table;
    this.id = id;
  }
}

/** One row as the driver returned it, read column by column; each reader throws {@link CorruptRow}. */
export interface Row {
  text(column: string): string;
  textOrNull(column: string): string | null;
  integer(column: string): number;
  integerOrNull(column: string): number | null;
  /** As either engine keeps it: SQLite as 0 or 1. */
  boolean(column: string): boolean;
  oneOf<T extends string>(column: string, values: readonly T[]): T;
  /** 32 bytes, as base64url. */
  digest(column: string): string;
  /** A JSON object whose values are strings. */
  strings(column: string): Readonly<Record<string, string>>;
}

/**
 * Wraps a row of `table` for parsing.
 *
 * @param idColumn The column that names the row in an error; never one that holds a token or digest.
 */
export function rowOf(table: string, row: Readonly<Record<string, unknown>>, idColumn = "id"): Row {
  const corrupt = (column: string): CorruptRow => {
    const id = row[idColumn];
    return new CorruptRow(
      table,
      typeof id === "string" || typeof id === "number" ? `${id}` : "?",
      column,
    );
  };
  const text = (column: string): string => {
    const value = row[column];
    if (typeof value !== "string") throw corrupt(column);
    return value;
  };
  const integer = (column: string): number => {
    const value = row[column];
    if (typeof value !== "number" || !Number.isSafeInteger(value)) throw corrupt(column);
    return value;
  };
  return {
    text,
    integer,
    textOrNull: (column) => (row[column] === null ? null : text(column)),
    integerOrNull: (column) => (row[column] === null ? null : integer(column)),
    boolean(column) {
      const value = row[column];
      if (value === true || value === 1) return true;
      if (value === false || value === 0) return false;
      throw corrupt(column);
    },
    oneOf(column, values) {
      const value = values.find((candidate) => candidate === row[column]);
      if (value === undefined) throw corrupt(column);
      return value;
    },
    digest(column) {
      const value = row[column];
      if (!(value instanceof Uint8Array) || value.length !== 32) throw corrupt(column);
      return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64url");
    },
    strings(column) {
      const value = parseStrings(text(column));
      if (value === null) throw corrupt(column);
      return value;
    },
  };
}

/** The object itself, not a copy of its entries: a copy by assignment would lose a key named `__proto__`. */
function parseStrings(json: string): Record<string, string> | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  return isStrings(value) ? value : null;
}

function isStrings(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === "string")
  );
}
