import type { Database, Engine } from "./engine.ts";
import type { Change, Origin } from "./store.ts";
import { type Mark, writeTogether } from "./together.ts";

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
  if (engine.writesTogether)
    return expectSeq(
      await writeTogether(trx, { change: { id: engine.randomId(), kind, subject } }),
    );
  const { seq } = await trx
    .updateTable("change_clock")
    .set((eb) => ({ seq: eb("seq", "+", 1) }))
    .returning("seq")
    .executeTakeFirstOrThrow();
  await trx.insertInto("change").values({ seq, id: engine.randomId(), kind, subject }).execute();
  return seq;
}

/**
 * Writes a change that revokes, opens its barrier, and marks what it revoked.
 *
 * @param subject What verifiers know it by: the digest of a key, else the id.
 * @param subjectId The id, of a key too: it is kept longer than the change.
 * @param mark Builds the update of the one row that is revoked; this transaction holds it.
 */
export async function recordRevocation(
  trx: Database,
  engine: Engine,
  revoked: { kind: Change["kind"]; subject: string; subjectId: string },
  origin: Origin,
  mark: Mark,
): Promise<number> {
  if (engine.writesTogether)
    return expectSeq(
      await writeTogether(trx, {
        change: { id: engine.randomId(), kind: revoked.kind, subject: revoked.subject },
        revocation: { subjectId: revoked.subjectId, revokedAtMs: origin.atMs },
        mark,
      }),
    );
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
  if ((await mark(seq).execute()).length !== 1)
    throw new Error(`${revoked.kind} ${revoked.subjectId} was revoked under the lock of its row`);
  return seq;
}

/** Without a guard a seq is always given. */
function expectSeq(written: { readonly seq: number } | null): number {
  if (written === null) throw new Error("the change clock is missing");
  return written.seq;
}
