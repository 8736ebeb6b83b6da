import type { Database, Engine } from "./engine.ts";
import type { Change, Origin } from "./store.ts";

/**
 * Writes the change that verifiers must learn of, as late in its transaction as can be: the clock's row is locked by
 * this statement until the commit, which makes commit order seq order.
 *
 * @returns Its seq.
 */
export async function recordChange(
  trx: Database,
  engine: Engine,
  kind: Change["kind"],
  subject: string,
): Promise<number> {
  const { seq } = await trx
    .updateTable("change_clock")
    .set((eb) => ({ seq: eb("seq", "+", 1) }))
    .returning("seq")
    .executeTakeFirstOrThrow();
  await trx.insertInto("change").values({ seq, id: engine.randomId(), kind, subject }).execute();
  return seq;
}

/**
 * Writes a change that revokes, and opens its barrier.
 *
 * @param subject What verifiers know it by: the digest of a key, else the id.
 * @param subjectId The id, of a key too: it is kept longer than the change.
 */
export async function recordRevocation(
  trx: Database,
  engine: Engine,
  revoked: { kind: Change["kind"]; subject: string; subjectId: string },
  origin: Origin,
): Promise<number> {
  const seq = await recordChange(trx, engine, revoked.kind, revoked.subject);
  await trx
    .insertInto("revocation")
    .values({
      seq,
      kind: revoked.kind,
      subject_id: revoked.subjectId,
      revoked_at: origin.atMs,
      effective_at: null,
      took_ms: null,
      acknowledged: 0,
      lapsed: 0,
    })
    .execute();
  return seq;
}
