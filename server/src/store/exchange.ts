import { recordAudit } from "./audit.ts";
import { recordRevocation } from "./changes.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import { markRevoked, revocationAudit, selectKeys } from "./held-key.ts";
import { findLivingEnvironment } from "./living.ts";
import { insertKey } from "./provisioning.ts";
import { rowOf } from "./row.ts";
import { parseKey } from "./rows.ts";
import type { ExchangeStore, Origin } from "./store.ts";

/** Why the keys of a deleted service token are revoked, for people. */
const REASON = "The service token that it was exchanged for was deleted.";

/** The exchange of one account's service tokens for keys. */
export function exchangeStore(db: Database, engine: Engine, accountId: string): ExchangeStore {
  return {
    exchangeToken: ({ environmentSlug, key, tokenId, liveMax }, origin) =>
      deed(db, async (trx) => {
        // First, and until the commit: exchanges of one token are counted one after the other, and its deletion waits.
        if (!(await holdToken(trx, engine, accountId, tokenId))) return { outcome: "token_absent" };
        const environment = await findLivingEnvironment(trx, accountId, environmentSlug);
        if (environment === undefined) return { outcome: "absent" };
        const live = await selectLiving(trx, accountId, origin.atMs)
          .where("api_key.exchanged_by", "=", tokenId)
          .where("environment.id", "=", environment.id)
          .execute();
        if (live.length >= liveMax) return { outcome: "too_many", untilMs: firstEnd(live) };
        await insertKey(trx, environment.id, key, origin, { exchangedBy: tokenId });
        const details = { type: key.type, hint: key.hint, expires_at: key.expiresAtMs };
        await recordAudit(
          trx,
          {
            action: "api_key.created",
            accountId,
            environmentId: environment.id,
            subject: { type: "api_key", id: key.id },
            details: { ...details, exchanged_for: tokenId },
          },
          origin,
        );
        return { outcome: "created" };
      }),

    async countExchangedKeys(tokenIds, nowMs) {
      if (tokenIds.length === 0) return new Map();
      const rows = await selectLiving(db, accountId, nowMs)
        .clearSelect()
        .select((eb) => ["api_key.exchanged_by as id", eb.fn.countAll().as("living")])
        .where("api_key.exchanged_by", "in", tokenIds)
        .groupBy("api_key.exchanged_by")
        .execute();
      return new Map(
        rows.map((columns) => {
          const row = rowOf("api_key", columns);
          return [row.text("id"), row.integer("living")];
        }),
      );
    },
  };
}

/**
 * Revokes the keys that a token was exchanged for and that live, each with its change, its revocation and its audit event,
 * in the transaction that deletes the token and holds its row. What has expired is left: it needs no barrier.
 *
 * @returns The seqs of their revocations, in order.
 */
export async function revokeExchanged(
  trx: Database,
  engine: Engine,
  by: {
    readonly accountId: string;
    readonly tokenId: string;
    readonly origin: Origin;
    readonly nextEventId: () => string;
  },
): Promise<readonly number[]> {
  const { accountId, tokenId, origin, nextEventId } = by;
  const rows = await holdLiving(trx, engine, { accountId, tokenId, nowMs: origin.atMs });
  for (const row of rows)
    await recordAudit(trx, revocationAudit(accountId, parseKey(row), REASON), {
      ...origin,
      eventId: nextEventId(),
    });
  const seqs: number[] = [];
  // The clock last, for it is locked until the commit.
  for (const row of rows) {
    const { id } = parseKey(row);
    const subject = rowOf("api_key", row).digest("digest");
    const revoked = { kind: "key", subject, subjectId: id } as const;
    seqs.push(
      await recordRevocation(trx, engine, revoked, origin, (seq) =>
        markRevoked(trx, id, seq, REASON, origin),
      ),
    );
  }
  return seqs;
}

/**
 * The keys of a token that live, their rows locked on engines that need it. No other can come while the token's row is held:
 * such keys are not rotated, and one that has ended gets no other end.
 */
async function holdLiving(
  trx: Database,
  engine: Engine,
  of: { readonly accountId: string; readonly tokenId: string; readonly nowMs: number },
) {
  const query = selectLiving(trx, of.accountId, of.nowMs)
    .select("api_key.digest")
    .where("api_key.exchanged_by", "=", of.tokenId)
    .orderBy("api_key.id"); // whoever locks several keys does it in this order
  // Locked by a statement of its own: one that had to wait would join what it read before it waited.
  if (engine.locksRows) await query.forNoKeyUpdate("api_key").execute();
  return query.execute();
}

/** Keys that are neither revoked nor expired. */
function selectLiving(db: Database, accountId: string, nowMs: number) {
  return selectKeys(db, accountId)
    .where("api_key.revoked_at", "is", null)
    .where((eb) =>
      eb.or([eb("api_key.expires_at", "is", null), eb("api_key.expires_at", ">", nowMs)]),
    );
}

function firstEnd(rows: readonly Parameters<typeof parseKey>[0][]): number | null {
  const ends = rows.map((row) => parseKey(row).expiresAtMs).filter((end) => end !== null);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** Locks the row of the account's living service token on engines that need it. `false`: there is none. */
async function holdToken(
  trx: Database,
  engine: Engine,
  accountId: string,
  id: string,
): Promise<boolean> {
  const query = trx
    .selectFrom("access_token")
    .select("id")
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .where("kind", "=", "service")
    .where("deleted_at", "is", null);
  return (
    (await (engine.locksRows ? query.forNoKeyUpdate() : query).executeTakeFirst()) !== undefined
  );
}
