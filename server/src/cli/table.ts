import { printable } from "./printable.ts";
import type { Output } from "./terminal.ts";

export { printable };

/** Between two columns. */
const GAP = "  ";

/** No cell is cut to less than this. */
const CELL_WIDTH_MIN = 8;

/** Where a table is printed, and which of its columns may be cut there, by number. */
export interface Fit {
  readonly to: Output;
  readonly cut: readonly number[];
}

/**
 * Columns two spaces apart. What a terminal would obey, and names may hold, is shown as "?".
 *
 * @param fit At a terminal long cells of these columns are cut, so that no line is broken. A pipe gets all of them.
 */
export function table(rows: readonly (readonly string[])[], fit?: Fit): string {
  const clean = rows.map((cells) => cells.map(printable));
  const widths = (clean[0] ?? []).map((_, column) =>
    Math.max(...clean.map((cells) => width(cells[column] ?? ""))),
  );
  if (fit?.to.isTTY === true && fit.to.columns !== undefined)
    shrink(widths, fit.to.columns, fit.cut);
  return clean
    .map((cells) => cells.map((cell, column) => fitted(cell, widths[column] ?? 0)).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** Takes what is too much from the widest of the columns that may be cut. */
function shrink(widths: number[], columns: number, cut: readonly number[]): void {
  const over = () => widths.reduce((sum, each) => sum + each + GAP.length, -GAP.length) - columns;
  while (over() > 0) {
    const widest = cut.reduce((best, each) =>
      (widths[each] ?? 0) > (widths[best] ?? 0) ? each : best,
    );
    const before = widths[widest] ?? 0;
    if (before <= CELL_WIDTH_MIN) return;
    widths[widest] = before - 1;
  }
}

function fitted(cell: string, columns: number): string {
  const left = columns - width(cell);
  if (left >= 0) return cell + " ".repeat(left);
  let kept = "";
  for (const { segment } of GRAPHEMES.segment(cell)) {
    if (width(kept + segment) >= columns) break;
    kept += segment;
  }
  return fitted(`${kept}…`, columns);
}

const GRAPHEMES = new Intl.Segmenter();

/** Emoji, and the scripts of East Asia: a terminal gives each of their characters two columns. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60])/u;

/** How many columns of a terminal a printable text takes. */
function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of GRAPHEMES.segment(text)) columns += WIDE.test(segment) ? 2 : 1;
  return columns;
}

/** A column of a table whose cells end below each other, as numbers are read. */
export function rightAligned(cells: readonly string[]): string[] {
  const longest = Math.max(...cells.map(({ length }) => length));
  return cells.map((cell) => cell.padStart(longest));
}
