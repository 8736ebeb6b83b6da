import type { Database } from "./engine.ts";
import { rowOf } from "./row.ts";
import { parseRevocation, REVOCATION_COLUMNS } from "./rows.ts";
import type { Absent, Deleted, Origin, Revocation } from "./store.ts";
import { confirmRevocation } from "./together.ts";

/** Finds the revocation that took something away, in one row of `REVOCATION_COLUMNS`; none for what is or never was. */
interface EndQuery {
  executeTakeFirst(): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** What took away the account of this slug. */
export function endOfAccount(db: Database, slug: string): EndQuery {
  return db
    .selectFrom("account")
    .innerJoin("revocation", "revocation.seq", "account.deletion_seq")
    .where("account.slug", "=", slug)
    .select(REVOCATION_COLUMNS);
}

/** What took away the account's environment of this slug. */
export function endOfEnvironment(db: Database, accountId: string, slug: string): EndQuery {
  return db
    .selectFrom("environment")
    .innerJoin("account", "account.id", "environment.account_id")
    .innerJoin("revocation", (join) =>
      // Of an environment's own end and its account's the own one is the first: nothing is deleted in what is deleted.
      join.on((eb) =>
        eb(
          "revocation.seq",
          "=",
          eb.fn.coalesce("environment.deletion_seq", "account.deletion_seq"),
        ),
      ),
    )
    .where("account.id", "=", accountId)
    .where("environment.slug", "=", slug)
    .select(REVOCATION_COLUMNS);
}

/** What took away the account's key of this id: the first end stands, as for environments. */
export function endOfKey(db: Database, accountId: string, id: string): EndQuery {
  return db
    .selectFrom("api_key")
    .innerJoin("environment", "environment.id", "api_key.environment_id")
    .innerJoin("account", "account.id", "environment.account_id")
    .innerJoin("revocation", (join) =>
      join.on((eb) =>
        eb(
          "revocation.seq",
          "=",
          eb.fn.coalesce(
            "api_key.revocation_seq",
            "environment.deletion_seq",
            "account.deletion_seq",
          ),
        ),
      ),
    )
    .where("account.id", "=", accountId)
    .where("api_key.id", "=", id)
    .select(REVOCATION_COLUMNS);
}

/** What took away the access token of this id: the account's, or the operator's where that is `null`. */
export function endOfToken(db: Database, accountId: string | null, id: string): EndQuery {
  return db
    .selectFrom("access_token")
    .leftJoin("account", "account.id", "access_token.account_id")
    .innerJoin("revocation", (join) =>
      join.on((eb) =>
        eb(
          "revocation.seq",
          "=",
          eb.fn.coalesce("access_token.deletion_seq", "account.deletion_seq"),
        ),
      ),
    )
    .where("access_token.account_id", accountId === null ? "is" : "=", accountId)
    .where("access_token.id", "=", id)
    .select(REVOCATION_COLUMNS);
}

/** Tells how absent something is that no deed can be done to; read after the deed's transaction ended. */
export async function absent(db: Database, query: EndQuery): Promise<Absent> {
  const end = await readEnd(db, query);
  return { outcome: "absent", pendingSeq: end?.effectiveAtMs === null ? end.seq : null };
}

/** The same for a deletion, which may have been done by this very deed before: its answer was lost. */
export async function deletedBefore(
  db: Database,
  query: EndQuery,
  origin: Origin,
): Promise<Deleted | Absent> {
  if (!(await isDone(db, origin))) return absent(db, query);
  const end = await readEnd(db, query);
  if (end === null) throw new Error(`${origin.eventId} deleted something else`);
  return { outcome: "deleted", seq: end.seq };
}

/** Whether the deed of this origin was done before: each writes its audit event, under an id of its own. */
export async function isDone(db: Database, origin: Origin): Promise<boolean> {
  const event = db.selectFrom("audit_event").select("id").where("id", "=", origin.eventId);
  return (await event.executeTakeFirst()) !== undefined;
}

/** The end of something, certain to be kept; `null` when it has none. */
async function readEnd(db: Database, query: EndQuery): Promise<Revocation | null> {
  const row = await query.executeTakeFirst();
  if (row === undefined) return null;
  const end = parseRevocation(rowOf("revocation", row, "revocation_seq"));
  if (end?.effectiveAtMs === null) await confirmRevocation(db, end.seq);
  return end;
}
