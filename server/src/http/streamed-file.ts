import type { Ambient } from "../ambient.ts";

/** A file on its way to somebody, in UTF-8. */
export interface StreamedFile {
  /** What it is saved as; of letters, digits, hyphens and underscores, with an extension. */
  readonly name: string;
  readonly contentType: string;
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Makes a file that is read as fast as it is taken: of the rest, one piece is held at most. Pieces may be empty.
 *
 * Resolves with the first piece at hand, so that what fails at once is an error with a status. What fails later cuts the
 * connection: half a file must not look like a whole one. `failed` is told of it, but not of whoever went away.
 */
export async function openFile(
  { name, contentType }: Pick<StreamedFile, "name" | "contentType">,
  pieces: AsyncGenerator<string, void, undefined>,
  { soon }: Pick<Ambient, "soon">,
  failed: (error: unknown) => void,
): Promise<StreamedFile> {
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
          controller.error(new Error("A file broke off."));
        }
      },
      async cancel() {
        isWanted = false;
        await pieces.return();
      },
    },
    { highWaterMark: 0 },
  );
  return { name, contentType, body };
}

/** The response that a browser saves as a file. */
export function fileResponse({ name, contentType, body }: StreamedFile): Response {
  return new Response(body, {
    headers: {
      "Content-Type": contentType,
      "Content-Disposition": `attachment; filename="${name}"`,
    },
  });
}
