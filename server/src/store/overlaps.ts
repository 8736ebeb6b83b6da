import { recordAudit } from "./audit.ts";
import { recordEnd } from "./ends.ts";
import { type Database, deed, type Engine, type Lanes } from "./engine.ts";
import { holdKey } from "./held-key.ts";
import { endInOverlap } from "./key-end.ts";
import { rowOf } from "./row.ts";
import type { Origin, Store } from "./store.ts";

/** Overlaps that one call starts: what is left waits for the next. */
const STARTED_MAX = 100;

/** Starts the overlaps that wait for the first use of a successor, once that is stored. */
export function overlapStarter(lanes: Lanes, engine: Engine): Store["startOverlaps"] {
  return async (by, nextEventId) => {
    const rows = await awaitedOverlaps(lanes.requests, by.atMs).limit(STARTED_MAX).execute();
    const seqs: number[] = [];
    for (const columns of rows) {
      const row = rowOf("api_key", columns);
      const found = { id: row.text("id"), accountId: row.text("account_id") };
      const seq = await startOverlap(lanes.revocations, engine, found, {
        ...by,
        eventId: nextEventId(),
      });
      if (seq !== null) seqs.push(seq);
    }
    return seqs;
  };
}

/**
 * Keys whose overlap waits, and whose successor was used. A successor that was revoked starts nothing: whoever revoked it
 * may have lost it, and the old key is what they have.
 */
function awaitedOverlaps(db: Database, nowMs: number) {
  return db
    .selectFrom("api_key")
    .innerJoin("api_key as successor", "successor.id", "api_key.rotated_to")
    .innerJoin("key_use", "key_use.key", "successor.number")
    .innerJoin("environment", "environment.id", "api_key.environment_id")
    .innerJoin("account", "account.id", "environment.account_id")
    .where("api_key.overlap_ms", "is not", null)
    .where("api_key.overlap_from", "is", null)
    .where("api_key.revoked_at", "is", null)
    .where((eb) =>
      eb.or([eb("api_key.expires_at", "is", null), eb("api_key.expires_at", ">", nowMs)]),
    )
    .where("successor.revoked_at", "is", null)
    .where("environment.deleted_at", "is", null)
    .where("account.deleted_at", "is", null)
    .select(["api_key.id", "account.id as account_id"]);
}

/** @returns The seq to wait for; `null` when another started it, or when it moved no end. */
function startOverlap(
  db: Database,
  engine: Engine,
  { id, accountId }: { readonly id: string; readonly accountId: string },
  origin: Origin,
): Promise<number | null> {
  return deed(db, async (trx) => {
    const held = await holdKey(trx, engine, accountId, id);
    const awaited = await awaitedOverlaps(trx, origin.atMs)
      .where("api_key.id", "=", id)
      .executeTakeFirst();
    if (held?.key.overlap == null || awaited === undefined) return null;
    const { key, ownEndMs } = held;
    const { lengthMs } = held.key.overlap;
    const expiresAtMs = endInOverlap(ownEndMs, origin.atMs, lengthMs);
    await trx
      .updateTable("api_key")
      .set({ overlap_from: origin.atMs, expires_at: expiresAtMs })
      .where("id", "=", id)
      .execute();
    await recordAudit(
      trx,
      {
        action: "api_key.overlap_started",
        accountId,
        environmentId: key.environment.id,
        subject: { type: "api_key", id },
        details: {
          type: key.type,
          hint: key.hint,
          rotated_to: key.rotatedTo,
          overlap_seconds: lengthMs / 1_000,
          expires_at: expiresAtMs,
          expires_at_before: key.expiresAtMs,
        },
      },
      origin,
    );
    return recordEnd(trx, engine, held, expiresAtMs, origin);
  });
}
