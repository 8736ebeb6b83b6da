import { setImmediate } from "node:timers/promises";

/** Rows that one statement deletes: it ends far within the least time-out of Postgres, and blocks SQLite for some ms. */
export const BATCH_ROWS = 5_000;

/** Statements of one call, unless it says otherwise: what is left waits for the next. */
const BATCHES_MAX = 20;

/**
 * Deletes many rows in short statements, and lets everybody else work between two of them.
 *
 * @param deleteBatch Deletes at most `bounds.rows` rows and says how many; fewer end the call.
 * @returns How many rows were deleted.
 */
export async function inBatches(
  deleteBatch: () => Promise<{ readonly numDeletedRows: bigint }>,
  bounds: { readonly rows?: number; readonly batches?: number } = {},
): Promise<number> {
  const { rows: rowsMax = BATCH_ROWS, batches: batchesMax = BATCHES_MAX } = bounds;
  let deleted = 0;
  for (let batch = 1; batch <= batchesMax; batch++) {
    const rows = Number((await deleteBatch()).numDeletedRows);
    deleted += rows;
    if (rows < rowsMax) break;
    await setImmediate();
  }
  return deleted;
}
