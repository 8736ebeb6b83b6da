import type { Listed, PageAsk } from "./store.ts";

/** Where a page lies: beyond an id on one side, or at the newest end when it has neither. */
export interface PageBound {
  readonly olderThan?: string;
  readonly newerThan?: string;
}

/** A list that can be paged: entries with time-sortable ids. */
export interface PageSource<T> {
  /** Whether `id` is an entry of the list's account, whatever the filter. */
  hasEntry(id: string): Promise<boolean>;
  /** At most `limit` entries next to the bound: newest first, but oldest first beyond `newerThan`. */
  read(bound: PageBound, limit: number): Promise<readonly T[]>;
}

/** Reads one page, newest first. Of two cursors `after` is taken. */
export async function readPage<T extends { readonly id: string }>(
  ask: PageAsk,
  source: PageSource<T>,
): Promise<Listed<T>> {
  const cursor = ask.after ?? ask.before;
  if (cursor !== undefined && !(await source.hasEntry(cursor)))
    return { outcome: "invalid_cursor" };
  const backwards = ask.after === undefined && cursor !== undefined;
  const bound: PageBound =
    cursor === undefined ? {} : backwards ? { newerThan: cursor } : { olderThan: cursor };
  const found = await source.read(bound, ask.size + 1);
  const entries = backwards ? found.slice(0, ask.size).reverse() : found.slice(0, ask.size);
  const newest = entries[0];
  const oldest = entries.at(-1);
  if (newest === undefined || oldest === undefined)
    return { outcome: "page", entries, after: null, before: null };
  const goesOn = found.length > ask.size;
  const hasOlder = backwards ? (await source.read({ olderThan: oldest.id }, 1)).length > 0 : goesOn;
  const hasNewer = backwards
    ? goesOn
    : cursor !== undefined && (await source.read({ newerThan: newest.id }, 1)).length > 0;
  return {
    outcome: "page",
    entries,
    after: hasOlder ? oldest.id : null,
    before: hasNewer ? newest.id : null,
  };
}
