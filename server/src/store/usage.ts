import { type Database, type Engine, untilCertain } from "./engine.ts";
import type { SourcedBatch, Store } from "./store.ts";
import { recordTogether } from "./usage-postgres.ts";
import { recordInTurns } from "./usage-sqlite.ts";

/** Counts that are stored together, a whole batch at least: it must end far within the least time-out of Postgres. */
const COUNTS_MAX = 2_000;

/** Stores what was counted; each batch whole and once, however often it is sent. */
export function usageRecorder(db: Database, engine: Engine): Store["recordUsage"] {
  return async (batches, nowMs) => {
    for (const some of portions(batches))
      if (engine.writesTogether)
        await untilCertain(engine, () => recordTogether(db, engine, some, nowMs));
      else await recordInTurns(db, engine, some, nowMs);
  };
}

/** In their order, as few as their sizes allow. */
function portions(batches: readonly SourcedBatch[]): readonly (readonly SourcedBatch[])[] {
  const all: SourcedBatch[][] = [];
  let counts = Number.POSITIVE_INFINITY;
  for (const batch of batches) {
    counts += batch.counts.length;
    if (counts > COUNTS_MAX) {
      all.push([]);
      counts = batch.counts.length;
    }
    all.at(-1)?.push(batch);
  }
  return all;
}
