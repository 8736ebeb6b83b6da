/** Of a table: RFC 4180, in UTF-8, with a line of headings. */
export const CSV_TYPE = "text/csv; charset=utf-8; header=present";

/** What a spreadsheet takes for a formula, in the full width of East Asian keyboards too. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;

/** One line of a table. A text that a spreadsheet would run gets an apostrophe in front, which shows it as text. */
export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: string | number): string {
  if (typeof cell === "number") return String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
