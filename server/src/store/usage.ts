import { type Database, type Engine, untilCertain } from "./engine.ts";
import type { Store } from "./store.ts";
import { recordTogether } from "./usage-postgres.ts";
import { recordInTurns } from "./usage-sqlite.ts";

/** Stores what was counted; each batch whole and once, however often it is sent. */
export function usageRecorder(db: Database, engine: Engine): Store["recordUsage"] {
  return async (batches, nowMs) => {
    if (engine.writesTogether)
      await untilCertain(engine, () => recordTogether(db, engine, batches, nowMs));
    else await recordInTurns(db, engine, batches, nowMs);
  };
}
