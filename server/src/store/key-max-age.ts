import { sql } from "kysely";
import { isDone } from "./absence.ts";
import { recordAudit } from "./audit.ts";
import { BATCH_ROWS } from "./batches.ts";
import { recordRevocation } from "./changes.ts";
import { pendingEnd } from "./ends.ts";
import { type Database, deed, type Engine, type Lanes, untilCertain } from "./engine.ts";
import type { KeyMaxAge } from "./key-end.ts";
import { selectLivingAccounts } from "./living.ts";
import { rowOf } from "./row.ts";
import type { Origin, OwnAccount, OwnAccountStore } from "./store.ts";

const DAY_MS = 24 * 60 * 60_000;

/** What an account's own people see and set of it. */
export function ownAccountStore(
  lanes: Lanes,
  engine: Engine,
  accountId: string,
): Pick<OwnAccountStore, "findOwnAccount" | "setKeyMaxAge"> {
  return {
    findOwnAccount: async () => (await findOwn(lanes.requests, accountId))?.account,

    async setKeyMaxAge(maxAgeMs, origin) {
      for (;;) {
        const { isMore, ...done } = await untilCertain(engine, () =>
          setMaxAge(lanes.revocations, engine, { accountId, maxAgeMs, origin }),
        );
        if (!isMore) return done;
      }
    },
  };
}

/**
 * The maximum age of the account's keys, for a transaction that writes an end: until it has ended nobody sets another.
 * Asked for before any row is locked.
 */
export async function readMaxAge(
  trx: Database,
  engine: Engine,
  accountId: string,
): Promise<KeyMaxAge | null> {
  await engine.shareName(trx, nameOf(accountId));
  return (await findOwn(trx, accountId))?.maxAge ?? null;
}

const nameOf = (accountId: string): string => `key_max_age ${accountId}`;

type Set = Awaited<ReturnType<OwnAccountStore["setKeyMaxAge"]>>;

/**
 * Sets it, and shortens as many keys as one statement may. Doing it again goes on with those that are left, if any: also
 * where a process crashed in between.
 */
function setMaxAge(
  db: Database,
  engine: Engine,
  ask: { accountId: string; maxAgeMs: number | null; origin: Origin },
): Promise<Set & { isMore: boolean }> {
  const { accountId, maxAgeMs, origin } = ask;
  return deed(db, async (trx) => {
    if (engine.locksRows) await selectOwn(trx, accountId).forNoKeyUpdate("account").execute();
    await engine.lockName(trx, nameOf(accountId));
    const own = await findOwn(trx, accountId);
    if (own === undefined) return { outcome: "absent", isMore: false };
    // Done before: what others changed since then stands.
    const isNew = maxAgeMs !== own.account.keyMaxAgeMs && !(await isDone(trx, origin));
    const maxAge = isNew ? newMaxAge(own.maxAge, maxAgeMs, origin.atMs) : own.maxAge;
    if (isNew) await recordSetting(trx, own, maxAge, origin);
    const shortened =
      maxAge === null ? 0 : await bringEndsForward(trx, engine, accountId, maxAge, origin.atMs);
    const marked = trx
      .updateTable("account")
      .set({
        key_max_age_ms: maxAge?.maxAgeMs ?? null,
        key_max_age_from: maxAge?.sinceMs ?? null,
      })
      .where("id", "=", accountId)
      .returning("id");
    const account = { ...own.account, keyMaxAgeMs: maxAge?.maxAgeMs ?? null };
    const set = { outcome: "set", account, isMore: shortened === BATCH_ROWS } as const;
    const changed = { kind: "account", subject: accountId, subjectId: accountId } as const;
    if (shortened > 0)
      return { ...set, seq: await recordRevocation(trx, engine, changed, origin, () => marked) };
    if (!isNew) return { ...set, seq: await pendingEnd(trx, accountId, null) };
    await marked.execute();
    return { ...set, seq: null };
  });
}

/** Whoever lengthens it keeps since when it holds, and so moves nobody's end. */
function newMaxAge(
  before: KeyMaxAge | null,
  maxAgeMs: number | null,
  nowMs: number,
): KeyMaxAge | null {
  if (maxAgeMs === null) return null;
  const isRaised = before !== null && maxAgeMs > before.maxAgeMs;
  return { maxAgeMs, sinceMs: isRaised ? before.sinceMs : nowMs };
}

async function recordSetting(
  trx: Database,
  { account, maxAge: before }: Own,
  maxAge: KeyMaxAge | null,
  origin: Origin,
): Promise<void> {
  await recordAudit(
    trx,
    {
      action: "account.updated",
      accountId: account.id,
      environmentId: null,
      subject: { type: "account", id: account.id },
      details: {
        api_key_max_age_days: daysOf(maxAge),
        api_key_max_age_days_before: daysOf(before),
      },
    },
    origin,
  );
}

function daysOf(maxAge: KeyMaxAge | null): number | null {
  return maxAge === null ? null : maxAge.maxAgeMs / DAY_MS;
}

/**
 * Gives living keys of the account that would live longer the latest end that they may have, as `latestEnd` of key-end.ts
 * tells it; of keys that were rotated, their own end too.
 *
 * @returns How many there were: {@link BATCH_ROWS} when there may be more.
 */
async function bringEndsForward(
  trx: Database,
  engine: Engine,
  accountId: string,
  { maxAgeMs, sinceMs }: KeyMaxAge,
  nowMs: number,
): Promise<number> {
  const latest = sql<number>`case when created_at > ${sinceMs}
    then created_at + ${maxAgeMs} else ${sinceMs + maxAgeMs} end`;
  const isLater = (end: "expires_at" | "expires_before") =>
    sql<boolean>`(${sql.ref(end)} is null or ${sql.ref(end)} > ${latest})`;
  const rotated = sql<boolean>`overlap_ms is not null`;
  const longer = sql<boolean>`environment_id in (
      select id from environment where account_id = ${accountId} and deleted_at is null)
    and revoked_at is null and (expires_at is null or expires_at > ${nowMs})
    and (${isLater("expires_at")} or (${rotated} and ${isLater("expires_before")}))`;
  // Whoever locks several keys does it in this order.
  const batch = sql<string>`(select id from api_key where ${longer} order by id
    limit ${sql.lit(BATCH_ROWS)} ${engine.locksRows ? sql`for no key update` : sql``})`;
  const updated = await trx
    .updateTable("api_key")
    .set({
      expires_at: sql`case when ${isLater("expires_at")} then ${latest} else expires_at end`,
      expires_before: sql`case when ${rotated} and ${isLater("expires_before")}
        then ${latest} else expires_before end`,
    })
    .where("id", "in", batch)
    .executeTakeFirstOrThrow();
  return Number(updated.numUpdatedRows);
}

/** The account with what its keys' ends are judged by. */
interface Own {
  readonly account: OwnAccount;
  readonly maxAge: KeyMaxAge | null;
}

/** The account, unless it is deleted. */
export function selectOwn(db: Database, accountId: string) {
  return selectLivingAccounts(db)
    .select([
      "account.key_max_age_ms",
      "account.key_max_age_from",
      "account.two_factor_required_at",
    ])
    .where("account.id", "=", accountId);
}

/** The account as {@link selectOwn} finds it. */
export async function findOwn(db: Database, accountId: string): Promise<Own | undefined> {
  const columns = await selectOwn(db, accountId).executeTakeFirst();
  if (columns === undefined) return undefined;
  const row = rowOf("account", columns);
  const maxAgeMs = row.integerOrNull("key_max_age_ms");
  return {
    account: {
      id: row.text("id"),
      slug: row.text("slug"),
      name: row.text("name"),
      createdAtMs: row.integer("created_at"),
      keyMaxAgeMs: maxAgeMs,
      twoFactorRequired: row.integerOrNull("two_factor_required_at") !== null,
    },
    maxAge: maxAgeMs === null ? null : { maxAgeMs, sinceMs: row.integer("key_max_age_from") },
  };
}
