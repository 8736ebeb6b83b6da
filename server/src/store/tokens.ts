import { deletedBefore, endOfToken } from "./absence.ts";
import { type AuditAction, recordAudit } from "./audit.ts";
import { recordRevocation } from "./changes.ts";
import { type Database, deed, type Engine, type Lanes, untilCertain } from "./engine.ts";
import { revokeExchanged } from "./exchange.ts";
import { claimOnce } from "./idempotency.ts";
import { type PageBound, readPage } from "./paging.ts";
import { insertToken } from "./provisioning.ts";
import { rowOf } from "./row.ts";
import { ISSUED_TOKEN_COLUMNS, parseIssuedToken } from "./rows.ts";
import type { AccessToken, IssuedToken, NewAccessToken, Origin, TokenStore } from "./store.ts";

/** The access tokens of one account; of the operator, where that is `null`. */
export function tokenStore(lanes: Lanes, engine: Engine, accountId: string | null): TokenStore {
  const db = lanes.requests;
  return {
    listTokens: (page) =>
      readPage(page, {
        async hasEntry(id) {
          // A deleted one too: whoever deletes while paging goes on from where they were.
          const query = selectTokens(db, accountId).where("access_token.id", "=", id);
          return (await query.executeTakeFirst()) !== undefined;
        },
        async read({ olderThan, newerThan }: PageBound, limit) {
          let query = selectLivingTokens(db, accountId);
          if (olderThan !== undefined) query = query.where("access_token.id", "<", olderThan);
          if (newerThan !== undefined) query = query.where("access_token.id", ">", newerThan);
          const rows = await query
            .orderBy("access_token.id", newerThan === undefined ? "desc" : "asc")
            .limit(limit)
            .execute();
          return rows.map(parseIssuedToken);
        },
      }),

    createToken: (token, origin, once) =>
      deed(db, async (trx) => {
        const earlier = await claimOnce(trx, once, token.id, origin);
        if (earlier !== null) return earlier;
        return { outcome: "created", token: await createToken(trx, accountId, token, origin) };
      }),

    async findIssuedToken(id) {
      const row = await selectLivingTokens(db, accountId)
        .where("access_token.id", "=", id)
        .executeTakeFirst();
      return row === undefined ? undefined : parseIssuedToken(row);
    },

    deleteToken: (id, origin, nextEventId) =>
      untilCertain(engine, async () => {
        const db = lanes.revocations;
        const deleted = await deleteToken(db, engine, { accountId, id, origin, nextEventId });
        if (deleted !== null) return { outcome: "deleted", ...deleted };
        const before = await deletedBefore(db, endOfToken(db, accountId, id), origin);
        return before.outcome === "absent" ? before : { ...before, keySeqs: [] };
      }),
  };
}

/** No change is written: nobody can have come with a token before there was one. */
async function createToken(
  trx: Database,
  accountId: string | null,
  token: NewAccessToken,
  origin: Origin,
): Promise<IssuedToken> {
  if (token.accountId !== accountId) throw new Error(`token ${token.id} is somebody else's`);
  await insertToken(trx, token, origin);
  await recordTokenAudit(trx, "access_token.created", token, origin);
  return parseIssuedToken(
    await selectLivingTokens(trx, accountId)
      .where("access_token.id", "=", token.id)
      .executeTakeFirstOrThrow(),
  );
}

/** What a deletion of a token is asked with. */
interface DeletionAsk {
  readonly accountId: string | null;
  readonly id: string;
  readonly origin: Origin;
  readonly nextEventId: () => string;
}

/** @returns The deletion's seq with those of the token's keys, or `null` when there is no such living token. */
function deleteToken(
  db: Database,
  engine: Engine,
  { accountId, id, origin, nextEventId }: DeletionAsk,
): Promise<{ seq: number; keySeqs: readonly number[] } | null> {
  return deed(db, async (trx) => {
    const query = selectLivingTokens(trx, accountId)
      .select("access_token.digest")
      .where("access_token.id", "=", id);
    const row = await (engine.locksRows
      ? query.forNoKeyUpdate("access_token")
      : query
    ).executeTakeFirst();
    if (row === undefined) return null;
    await recordTokenAudit(trx, "access_token.deleted", parseIssuedToken(row), origin);
    // Whoever exchanges the token holds its row: no key of it comes after these.
    const keySeqs =
      accountId === null
        ? []
        : await revokeExchanged(trx, engine, { accountId, tokenId: id, origin, nextEventId });
    // As a key's: whatever has this digest is to be judged anew, and the sessions that came with it end.
    const subject = rowOf("access_token", row).digest("digest");
    const revoked = { kind: "key", subject, subjectId: id } as const;
    // The last one: a verifier that has applied it has applied those of the keys.
    const seq = await recordRevocation(trx, engine, revoked, origin, (seq) =>
      trx
        .updateTable("access_token")
        .set({ deleted_at: origin.atMs, deletion_seq: seq })
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .returning("id"),
    );
    return { seq, keySeqs };
  });
}

/** Deleted ones too. */
function selectTokens(db: Database, accountId: string | null) {
  return db
    .selectFrom("access_token")
    .leftJoin("account", "account.id", "access_token.account_id")
    .where("access_token.account_id", accountId === null ? "is" : "=", accountId)
    .where("account.deleted_at", "is", null)
    .select(ISSUED_TOKEN_COLUMNS);
}

function selectLivingTokens(db: Database, accountId: string | null) {
  return selectTokens(db, accountId).where("access_token.deleted_at", "is", null);
}

async function recordTokenAudit(
  trx: Database,
  action: AuditAction,
  { id, kind, accountId, name, hint, expiresAtMs }: AccessToken & { readonly hint: string },
  origin: Origin,
): Promise<void> {
  const subject = { type: "access_token", id } as const;
  const details = { kind, name, hint, expires_at: expiresAtMs };
  await recordAudit(trx, { action, accountId, environmentId: null, subject, details }, origin);
}
