/**
 * Runs one task for each item, at most `limit` of them at a time, in order.
 *
 * @param run Must not reject: what became of an item is its own to tell.
 * @returns Resolves when all have ended.
 */
export async function eachAtMost<T>(
  limit: number,
  items: readonly T[],
  run: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const lane = async (): Promise<void> => {
    for (const item of waiting) await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
}
