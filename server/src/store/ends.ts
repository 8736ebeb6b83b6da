import { recordChange, recordRevocation } from "./changes.ts";
import type { Database, Engine } from "./engine.ts";
import type { HeldKey } from "./held-key.ts";
import { isSooner } from "./key-end.ts";
import { rowOf } from "./row.ts";
import type { Origin } from "./store.ts";

/**
 * Tells verifiers of the end that a key was given, whose row has it already. Bringing it forward opens a barrier, as a
 * revocation does; putting it off is news like any other.
 *
 * @param held The key as it was before.
 * @param isOtherwiseNew Whether something else of its verdict differs.
 * @returns The seq to wait for, or `null`.
 */
export async function recordEnd(
  trx: Database,
  engine: Engine,
  { key, digest }: HeldKey,
  endMs: number | null,
  origin: Origin,
  isOtherwiseNew = false,
): Promise<number | null> {
  if (isSooner(endMs, key.expiresAtMs))
    return recordRevocation(
      trx,
      engine,
      { kind: "key", subject: digest, subjectId: key.id },
      origin,
      (seq) =>
        trx
          .updateTable("api_key")
          .set({ expiry_seq: seq })
          .where("id", "=", key.id)
          .returning("id"),
    );
  if (isOtherwiseNew || endMs !== key.expiresAtMs) await recordChange(trx, engine, "key", digest);
  return null;
}

/**
 * The last change that brought ends forward and whose barrier nobody has seen end: the key's own, or one of the whole
 * account. Whoever waits for it has waited for those before it.
 *
 * Whoever asks holds a row and so writes: the commit waits for what was visible here before it was safe.
 */
export async function pendingEnd(
  trx: Database,
  accountId: string,
  expirySeq: number | null,
): Promise<number | null> {
  const { seq } = await trx
    .selectFrom("revocation")
    .select((eb) => eb.fn.max("seq").as("seq"))
    .where("effective_at", "is", null)
    .where((eb) => {
      const ofAccount = eb.and([eb("kind", "=", "account"), eb("subject_id", "=", accountId)]);
      return expirySeq === null ? ofAccount : eb.or([ofAccount, eb("seq", "=", expirySeq)]);
    })
    .executeTakeFirstOrThrow();
  return rowOf("revocation", { seq }, "seq").integerOrNull("seq");
}
