import { absent, deletedBefore, endOfAccount, isDone } from "./absence.ts";
import { type AuditAction, recordAudit } from "./audit.ts";
import { recordChange, recordRevocation } from "./changes.ts";
import { type Database, deed, type Engine, type Lanes, untilCertain } from "./engine.ts";
import { claimOnce } from "./idempotency.ts";
import { selectLivingAccounts } from "./living.ts";
import { type PageBound, readPage } from "./paging.ts";
import { takeAddress } from "./people.ts";
import { insertAccount, isExternalIdTaken, startingDetails } from "./provisioning.ts";
import { parseAccount } from "./rows.ts";
import type { Account, NewAccount, Origin, Store } from "./store.ts";

type OperatorStore = Pick<
  Store,
  "listAccounts" | "findAccount" | "createAccount" | "updateAccount" | "deleteAccount"
>;

/** The operator's side: all accounts. */
export function operatorStore(lanes: Lanes, engine: Engine): OperatorStore {
  const db = lanes.requests;
  return {
    listAccounts: (page) =>
      readPage(page, {
        async hasEntry(id) {
          const query = selectLivingAccounts(db).where("account.id", "=", id);
          return (await query.executeTakeFirst()) !== undefined;
        },
        async read({ olderThan, newerThan }: PageBound, limit) {
          let query = selectLivingAccounts(db);
          if (olderThan !== undefined) query = query.where("account.id", "<", olderThan);
          if (newerThan !== undefined) query = query.where("account.id", ">", newerThan);
          const rows = await query
            .orderBy("account.id", newerThan === undefined ? "desc" : "asc")
            .limit(limit)
            .execute();
          return rows.map(parseAccount);
        },
      }),

    async findAccount(slugOrId) {
      const row = await selectLivingAccounts(db)
        .where((eb) => eb.or([eb("account.slug", "=", slugOrId), eb("account.id", "=", slugOrId)]))
        .executeTakeFirst();
      return row === undefined ? undefined : parseAccount(row);
    },

    createAccount: (account, origin, once, ownedMax) =>
      deed(db, async (trx, undo) => {
        const earlier = await claimOnce(trx, once, account.id, origin);
        if (earlier !== null) return earlier;
        if (ownedMax !== undefined && (await countOwned(trx, engine, account)) >= ownedMax)
          return undo({ outcome: "too_many" });
        const replacedSignIn = await takeOverOwner(trx, engine, account, origin);
        const created = await insertAccount(trx, engine, account, origin);
        if (typeof created === "string") return undo({ outcome: created });
        const details = {
          ...startingDetails(account),
          ...(replacedSignIn ? { replaced_unproved_sign_in: true } : {}),
        };
        await recordAccountAudit(trx, account.id, "account.created", details, origin);
        return { outcome: "created", account: created, replacedSignIn };
      }),

    updateAccount: (slug, edit, origin) =>
      untilCertain(engine, async () => {
        const db = lanes.revocations;
        const updated = await deed(db, async (trx) => {
          const account = await holdAccount(trx, engine, slug);
          return account === undefined ? null : updateHeld(trx, engine, account, edit, origin);
        });
        return updated ?? absent(db, endOfAccount(db, slug));
      }),

    deleteAccount: (slug, origin) =>
      untilCertain(engine, async () => {
        const db = lanes.revocations;
        const seq = await deleteAccount(db, engine, slug, origin);
        return seq === null
          ? deletedBefore(db, endOfAccount(db, slug), origin)
          : { outcome: "deleted", seq };
      }),
  };
}

/** @returns Whether the owner is vouched for, and signed in with what is gone now. */
async function takeOverOwner(
  trx: Database,
  engine: Engine,
  { owner }: Pick<NewAccount, "owner">,
  origin: Origin,
): Promise<boolean> {
  if (owner === null || !("nextEventId" in owner)) return false;
  const nextOrigin = () => ({ ...origin, eventId: owner.nextEventId() });
  return takeAddress(trx, engine, owner.id, nextOrigin);
}

/** Living accounts that the owner of a new one owns, counted by one transaction at a time. */
async function countOwned(
  trx: Database,
  engine: Engine,
  { owner }: Pick<NewAccount, "owner">,
): Promise<number> {
  if (owner === null) return 0;
  await engine.lockName(trx, `owner ${owner.id}`);
  const { owned } = await trx
    .selectFrom("member")
    .innerJoin("account", "account.id", "member.account_id")
    .select((eb) => eb.fn.countAll().as("owned"))
    .where("member.person_id", "=", owner.id)
    .where("member.role", "=", "owner")
    .where("account.deleted_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(owned);
}

/** @returns The deletion's seq, or `null` when there is no such living account. */
function deleteAccount(
  db: Database,
  engine: Engine,
  slug: string,
  origin: Origin,
): Promise<number | null> {
  return deed(db, async (trx) => {
    const account = await holdAccount(trx, engine, slug);
    if (account === undefined) return null;
    const { id } = account;
    await recordAccountAudit(trx, id, "account.deleted", { slug, name: account.name }, origin);
    const revoked = { kind: "account", subject: id, subjectId: id } as const;
    return recordRevocation(trx, engine, revoked, origin, (seq) =>
      trx
        .updateTable("account")
        .set({ deleted_at: origin.atMs, deletion_seq: seq })
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .returning("id"),
    );
  });
}

/**
 * The living account of this slug, its row locked on engines that need it. Whoever took the lock has written, so that a
 * commit waits for what was visible here before it was safe: a suspension that is only found proves as much as a new one.
 */
async function holdAccount(
  trx: Database,
  engine: Engine,
  slug: string,
): Promise<Account | undefined> {
  const query = selectLivingAccounts(trx).where("account.slug", "=", slug);
  // Locked by a statement of its own: one that had to wait would join what it read before it waited.
  if (engine.locksRows) await query.forNoKeyUpdate("account").execute();
  const row = await query.executeTakeFirst();
  return row === undefined ? undefined : parseAccount(row);
}

async function updateHeld(
  trx: Database,
  engine: Engine,
  account: Account,
  edit: Parameters<Store["updateAccount"]>[1],
  origin: Origin,
): Promise<Awaited<ReturnType<Store["updateAccount"]>>> {
  const name = edit.name ?? account.name;
  const externalId = edit.externalId === undefined ? account.externalId : edit.externalId;
  const suspends = edit.suspended === true && account.suspendedAtMs === null;
  const unsuspends = edit.suspended === false && account.suspendedAtMs !== null;
  const details = {
    ...(name === account.name ? {} : { name, name_before: account.name }),
    ...(externalId === account.externalId
      ? {}
      : { external_id: externalId, external_id_before: account.externalId }),
  };
  const alters = suspends || unsuspends || Object.keys(details).length > 0;
  // Done before, and its answer lost: what others changed since then stands.
  if (alters && !(await isDone(trx, origin))) {
    if (externalId !== account.externalId && (await isExternalIdTaken(trx, engine, externalId)))
      return { outcome: "external_id_taken" };
    const action = suspends
      ? "account.suspended"
      : unsuspends
        ? "account.unsuspended"
        : "account.updated";
    await recordAccountAudit(trx, account.id, action, details, origin);
    const changed = { kind: "account", subject: account.id, subjectId: account.id } as const;
    const edited = trx
      .updateTable("account")
      .set({ name, external_id: externalId })
      .where("id", "=", account.id)
      .returning("id");
    if (suspends)
      await recordRevocation(trx, engine, changed, origin, (seq) =>
        edited.set({ suspended_at: origin.atMs, suspension_seq: seq }),
      );
    else {
      await (unsuspends
        ? edited.set({ suspended_at: null, suspension_seq: null })
        : edited
      ).execute();
      await recordChange(trx, engine, "account", account.id);
    }
  }
  const updated = parseAccount(
    await selectLivingAccounts(trx).where("account.id", "=", account.id).executeTakeFirstOrThrow(),
  );
  return edit.suspended === true && updated.revocation !== null
    ? { outcome: "updated", account: updated, seq: updated.revocation.seq }
    : { outcome: "updated", account: updated };
}

async function recordAccountAudit(
  trx: Database,
  accountId: string,
  action: AuditAction,
  details: Parameters<typeof recordAudit>[1]["details"],
  origin: Origin,
): Promise<void> {
  const subject = { type: "account", id: accountId } as const;
  await recordAudit(trx, { action, accountId, environmentId: null, subject, details }, origin);
}
