import type { SelectQueryBuilder } from "kysely";
import { sweepAudit } from "./audit-retention.ts";
import { BATCH_ROWS, inBatches } from "./batches.ts";
import type { Database, Engine } from "./engine.ts";
import { IDEMPOTENCY_KEPT_MS } from "./idempotency.ts";
import type { Schema } from "./schema.ts";
import type { Store } from "./store.ts";
import { sweepUsage } from "./usage-sweep.ts";

/** How long an expired invitation can be seen, and sent again. */
const EXPIRED_INVITATION_KEPT_MS = 30 * 24 * 60 * 60_000;

/** Drops what has outlived its use, in batches. */
export function sweeper(db: Database, engine: Engine): Store["sweep"] {
  /** A batch, without the rows that somebody holds: they are renewed, or swept by another node. */
  const batchOf = <Table extends keyof Schema, Row>(
    rows: SelectQueryBuilder<Schema, Table, Row>,
  ): SelectQueryBuilder<Schema, Table, Row> => {
    const batch = rows.limit(BATCH_ROWS);
    return engine.locksRows ? batch.forUpdate().skipLocked() : batch;
  };

  return async (nowMs, kept, auditKeptMs = null) => {
    const keptFromMs = nowMs - IDEMPOTENCY_KEPT_MS;
    const repeatable = db.selectFrom("idempotency").select("scope");
    const outlived = batchOf(repeatable.where("created_at", "<=", keptFromMs));
    await inBatches(() =>
      db.deleteFrom("idempotency").where("scope", "in", outlived).executeTakeFirstOrThrow(),
    );
    const ended = engine.signInTime(nowMs);
    for (const table of ["session", "verification"] as const) {
      const rows = batchOf(db.selectFrom(table).select("id").where("expires_at", "<=", ended));
      await inBatches(() => db.deleteFrom(table).where("id", "in", rows).executeTakeFirstOrThrow());
    }
    const unopened = db.selectFrom("sign_in_link").select("id").where("expires_at", "<=", nowMs);
    await inBatches(() =>
      db.deleteFrom("sign_in_link").where("id", "in", batchOf(unopened)).executeTakeFirstOrThrow(),
    );
    const expired = db
      .selectFrom("invitation")
      .select("id")
      .where("expires_at", "<=", nowMs - EXPIRED_INVITATION_KEPT_MS);
    await inBatches(() =>
      db.deleteFrom("invitation").where("id", "in", batchOf(expired)).executeTakeFirstOrThrow(),
    );
    if (auditKeptMs !== null) await sweepAudit(db, engine, nowMs - auditKeptMs);
    await sweepUsage(db, engine, nowMs, kept);
  };
}
