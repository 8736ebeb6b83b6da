import { idAfter } from "./audit-ids.ts";
import { BATCH_ROWS, inBatches } from "./batches.ts";
import type { Database, Engine } from "./engine.ts";

/** Drops audit events from before a time, the oldest first. Nothing else deletes any, and nothing alters one. */
export async function sweepAudit(
  db: Database,
  engine: Pick<Engine, "locksRows">,
  beforeMs: number,
): Promise<void> {
  const old = db
    .selectFrom("audit_event")
    .select("id")
    // In the order of the index that there is; what an hour's uncertainty reaches is told by its time.
    .where("id", "<", idAfter(beforeMs))
    .where("at", "<", beforeMs)
    .orderBy("id")
    .limit(BATCH_ROWS);
  const batch = engine.locksRows ? old.forUpdate().skipLocked() : old;
  await inBatches(() =>
    db.deleteFrom("audit_event").where("id", "in", batch).executeTakeFirstOrThrow(),
  );
}
