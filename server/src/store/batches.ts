import { setImmediate } from "node:timers/promises";

/** Rows that one statement deletes: it ends far within the least time-out of Postgres, and blocks SQLite for some ms. */
export const BATCH_ROWS = 5_000;

/** Statements of one call, unless it says otherwise: what is left waits for the next. */
const BATCHES_MAX = 20;

/**
 * Deletes many rows in short statements, and lets everybody else work between two of them.
 *
 * @param deleteBatch Deletes at most {@link BATCH_ROWS} rows and says how many; fewer end the call.
 * @returns How many rows were deleted.
 */
export async function inBatches(
  deleteBatch: () => Promise<{ readonly numDeletedRows: bigint }>,
  batchesMax = BATCHES_MAX,
): Promise<number> {
  let deleted = 0;
  for (let batch = 1; batch <= batchesMax; batch++) {
    const rows = Number((await deleteBatch()).numDeletedRows);
    deleted += rows;
    if (rows < BATCH_ROWS) break;
    await setImmediate();
  }
  return deleted;
}
