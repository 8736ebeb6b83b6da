import type { Database } from "./engine.ts";
import { rowOf } from "./row.ts";
import type { Once, OnceOutcome, Origin } from "./store.ts";

/** How long a repetition is known as one. */
export const IDEMPOTENCY_KEPT_MS = 24 * 60 * 60 * 1_000;

/**
 * Claims an idempotency key for the deed of this transaction, as its first statement: a concurrent repetition waits for
 * the row and then finds it. A deed that comes to nothing must undo its transaction, and the claim with it.
 *
 * @param id Names what the deed makes; a replay answers with it.
 * @returns `null` when the deed is to be done, else what became of it.
 */
export async function claimOnce(
  trx: Database,
  once: Once | null,
  id: string,
  origin: Origin,
): Promise<OnceOutcome | null> {
  if (once === null) return null;
  const record = { body_digest: once.bodyDigest, subject_id: id, created_at: origin.atMs };
  const claimed = await trx
    .insertInto("idempotency")
    .values({ scope: once.scope, ...record })
    .onConflict((conflict) =>
      conflict
        .column("scope")
        .doUpdateSet(record)
        .where("idempotency.created_at", "<=", origin.atMs - IDEMPOTENCY_KEPT_MS),
    )
    .returning("scope")
    .executeTakeFirst();
  if (claimed !== undefined) return null;
  const first = rowOf(
    "idempotency",
    await trx
      .selectFrom("idempotency")
      .select(["body_digest", "subject_id"])
      .where("scope", "=", once.scope)
      .executeTakeFirstOrThrow(),
    "subject_id",
  );
  return first.text("body_digest") === once.bodyDigest
    ? { outcome: "replayed", id: first.text("subject_id") }
    : { outcome: "mismatch" };
}
