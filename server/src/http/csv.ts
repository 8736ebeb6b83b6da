import type { Ambient } from "../ambient.ts";

/** A table on its way to somebody: RFC 4180, in UTF-8. */
export interface CsvFile {
  /** What it is saved as; of letters, digits, hyphens and underscores, with `.csv`. */
  readonly name: string;
  readonly body: ReadableStream<Uint8Array>;
}

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

/**
 * Makes a table that is read as fast as it is taken: of the rest, one piece is held at most. Pieces may be empty.
 *
 * Resolves with the first piece at hand, so that what fails at once is an error with a status. What fails later cuts the
 * connection: half a table must not look like a whole one. `failed` is told of it, but not of whoever went away.
 */
export async function openCsv(
  name: string,
  pieces: AsyncGenerator<string, void, undefined>,
  { soon }: Pick<Ambient, "soon">,
  failed: (error: unknown) => void,
): Promise<CsvFile> {
  const encoder = new TextEncoder();
  let next = await pieces.next();
  let isWanted = true;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (let text = ""; text === ""; ) {
            // Others have their turn between two pieces, and the headers are on their way before one can fail.
            await new Promise<void>((resolve) => soon(resolve));
            if (!isWanted) return;
            if (next.done === true) return controller.close();
            text = next.value;
            if (text !== "") controller.enqueue(encoder.encode(text));
            next = await pieces.next();
          }
        } catch (error) {
          if (!isWanted) return;
          failed(error);
          controller.error(new Error("A table broke off."));
        }
      },
      async cancel() {
        isWanted = false;
        await pieces.return();
      },
    },
    { highWaterMark: 0 },
  );
  return { name, body };
}

/** The response that a browser saves as a file. */
export function csvResponse({ name, body }: CsvFile): Response {
  return new Response(body, {
    headers: {
      "Content-Type": "text/csv; charset=utf-8; header=present",
      "Content-Disposition": `attachment; filename="${name}"`,
    },
  });
}
