import type { Page } from "./shapes.ts";

/** The largest page that the server gives. */
const PAGE_SIZE = 200;

/** Entries of a whole list, newest first: pages are asked for as they are needed. */
export async function* everyEntry<T>(
  list: (cursor: { page_size: number; after?: string }) => Promise<Page<T>>,
): AsyncGenerator<T, void, undefined> {
  for (let after: string | null | undefined; after !== null; ) {
    const { entries, page_info }: Page<T> = await list({
      page_size: PAGE_SIZE,
      ...(after === undefined ? {} : { after }),
    });
    yield* entries;
    after = page_info.after;
  }
}
