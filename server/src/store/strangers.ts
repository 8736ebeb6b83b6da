import { auditRow } from "./audit.ts";
import { inBatches } from "./batches.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import type { PeopleStore } from "./people-deeds.ts";

/** Whoever has the address may want to prove it, or sign up with it. */
const KEPT_MS = 7 * 24 * 60 * 60_000;

/** People whom one transaction deletes, and tells of. */
const AT_ONCE = 500;

export function strangerDeleter(db: Database, engine: Engine): PeopleStore["deleteStrangers"] {
  return async (by, nextEventId) => {
    const deleteBatch = () =>
      deed(db, async (trx) => {
        const batch = selectStrangers(trx, engine, by.atMs - KEPT_MS).limit(AT_ONCE);
        const gone = await trx
          .deleteFrom("person")
          // Without those whom somebody holds: they sign in, or are deleted by another node.
          .where("id", "in", engine.locksRows ? batch.forUpdate().skipLocked() : batch)
          .returning(["id", "name", "email"])
          .execute();
        const events = gone.map(({ id, name, email }) => {
          const subject = { type: "person", id } as const;
          const told = { action: "person.deleted", subject, details: { name, email } } as const;
          const origin = { ...by, eventId: nextEventId() };
          return auditRow({ ...told, accountId: null, environmentId: null }, origin);
        });
        if (events.length > 0) await trx.insertInto("audit_event").values(events).execute();
        return { numDeletedRows: BigInt(gone.length) };
      });
    await inBatches(deleteBatch, { rows: AT_ONCE });
  };
}

function selectStrangers(db: Database, engine: Engine, beforeMs: number) {
  return db
    .selectFrom("person")
    .select("id")
    .where("email_verified", "=", engine.boolean(false))
    .where("operator", "=", engine.boolean(false))
    .where("created_at", "<=", engine.signInTime(beforeMs))
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("member").select("role").whereRef("person_id", "=", "person.id"))),
    )
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("session").select("token").whereRef("person_id", "=", "person.id"))),
    );
}
