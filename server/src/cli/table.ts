/** Columns two spaces apart. Control characters, which names may hold, are shown as "?": a terminal obeys them. */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((cells) => cells.map(printable));
  const widths = (clean[0] ?? []).map((_, column) =>
    Math.max(...clean.map((cells) => cells[column]?.length ?? 0)),
  );
  return clean
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** A column of a table whose cells end below each other, as numbers are read. */
export function rightAligned(cells: readonly string[]): string[] {
  const width = Math.max(...cells.map(({ length }) => length));
  return cells.map((cell) => cell.padStart(width));
}

/** A text that somebody else chose, as a terminal may show it. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
