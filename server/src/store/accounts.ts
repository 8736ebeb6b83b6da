import { type AuditAction, recordAudit } from "./audit.ts";
import { recordChange, recordRevocation } from "./changes.ts";
import { type Database, deed, digestBytes, type Engine } from "./engine.ts";
import { insertEnvironment } from "./environments.ts";
import { claimOnce } from "./idempotency.ts";
import { type PageBound, readPage } from "./paging.ts";
import { ACCOUNT_COLUMNS, parseAccount } from "./rows.ts";
import type { Account, NewAccessToken, NewAccount, NewPerson, Origin, Store } from "./store.ts";

type OperatorStore = Pick<
  Store,
  "listAccounts" | "findAccount" | "createAccount" | "updateAccount" | "deleteAccount"
>;

/** The operator's side: all accounts. */
export function operatorStore(db: Database, engine: Engine): OperatorStore {
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

    createAccount: (account, origin, once) =>
      deed(db, async (trx, undo) => {
        const earlier = await claimOnce(trx, once, account.id, origin);
        if (earlier !== null) return earlier;
        const created = await insertAccount(trx, engine, account, origin);
        if (typeof created === "string") return undo({ outcome: created });
        await recordAccountAudit(
          trx,
          account.id,
          "account.created",
          startingDetails(account),
          origin,
        );
        return { outcome: "created", account: created };
      }),

    updateAccount: (slug, edit, origin) =>
      deed(db, async (trx) => {
        const account = await holdAccount(trx, engine, slug);
        if (account === undefined) return { outcome: "absent" };
        return updateHeld(trx, engine, account, edit, origin);
      }),

    deleteAccount: (slug, origin) =>
      deed(db, async (trx) => {
        const account = await holdAccount(trx, engine, slug);
        if (account === undefined) return { outcome: "absent" };
        const { id } = account;
        await recordAccountAudit(trx, id, "account.deleted", { slug }, origin);
        const revoked = { kind: "account", subject: id, subjectId: id } as const;
        const seq = await recordRevocation(trx, engine, revoked, origin);
        await trx
          .updateTable("account")
          .set({ deleted_at: origin.atMs, deletion_seq: seq })
          .where("id", "=", id)
          .where("deleted_at", "is", null)
          .execute();
        return { outcome: "deleted", seq };
      }),
  };
}

/** Accounts that are not deleted, with the revocation of their suspension. */
export function selectLivingAccounts(db: Database) {
  return db
    .selectFrom("account")
    .leftJoin("revocation", "revocation.seq", "account.suspension_seq")
    .where("account.deleted_at", "is", null)
    .select(ACCOUNT_COLUMNS);
}

async function holdAccount(
  trx: Database,
  engine: Engine,
  slug: string,
): Promise<Account | undefined> {
  const query = selectLivingAccounts(trx).where("account.slug", "=", slug);
  const row = await (engine.locksRows ? query.forUpdate("account") : query).executeTakeFirst();
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
  if (suspends || unsuspends || Object.keys(details).length > 0) {
    if (externalId !== account.externalId && (await isExternalIdTaken(trx, externalId)))
      return { outcome: "external_id_taken" };
    const action = suspends
      ? "account.suspended"
      : unsuspends
        ? "account.unsuspended"
        : "account.updated";
    await recordAccountAudit(trx, account.id, action, details, origin);
    const changed = { kind: "account", subject: account.id, subjectId: account.id } as const;
    const suspensionSeq = suspends ? await recordRevocation(trx, engine, changed, origin) : null;
    if (!suspends) await recordChange(trx, engine, "account", account.id);
    await trx
      .updateTable("account")
      .set({
        name,
        external_id: externalId,
        ...(suspends ? { suspended_at: origin.atMs, suspension_seq: suspensionSeq } : {}),
        ...(unsuspends ? { suspended_at: null, suspension_seq: null } : {}),
      })
      .where("id", "=", account.id)
      .execute();
  }
  const updated = parseAccount(
    await selectLivingAccounts(trx).where("account.id", "=", account.id).executeTakeFirstOrThrow(),
  );
  return edit.suspended === true && updated.revocation !== null
    ? { outcome: "updated", account: updated, seq: updated.revocation.seq }
    : { outcome: "updated", account: updated };
}

async function isExternalIdTaken(trx: Database, externalId: string | null): Promise<boolean> {
  if (externalId === null) return false;
  const owner = await trx
    .selectFrom("account")
    .select("id")
    .where("external_id", "=", externalId)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return owner !== undefined;
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

/** What an audit event tells of a new account. */
export function startingDetails(account: NewAccount) {
  return {
    slug: account.slug,
    name: account.name,
    external_id: account.externalId,
    environments: account.environments.map((environment) => environment.slug),
    keys: account.environments.flatMap((environment) => environment.keys.map((key) => key.id)),
    access_tokens: account.tokens.map((token) => token.id),
    owner: account.owner?.id ?? null,
  };
}

/**
 * Stores an account with everything that it starts with. After any outcome but the account itself, part of it may have
 * been written: the transaction must be undone.
 */
export async function insertAccount(
  trx: Database,
  engine: Engine,
  account: NewAccount,
  origin: Origin,
): Promise<Account | "slug_taken" | "external_id_taken" | "person_exists"> {
  if (await isExternalIdTaken(trx, account.externalId)) return "external_id_taken";
  const inserted = await trx
    .insertInto("account")
    .values({
      id: account.id,
      slug: account.slug,
      name: account.name,
      external_id: account.externalId,
      created_at: origin.atMs,
    })
    .onConflict((conflict) => conflict.column("slug").doNothing())
    .returning("id")
    .executeTakeFirst();
  if (inserted === undefined) return "slug_taken";
  for (const environment of account.environments) {
    const outcome = await insertEnvironment(trx, account.id, environment, origin);
    if (outcome === "slug_taken") throw new Error(`account ${account.id} starts with a slug twice`);
  }
  for (const token of account.tokens) await insertToken(trx, token, origin);
  const { owner } = account;
  if (owner !== null) {
    if ("email" in owner && !(await insertPerson(trx, engine, owner, origin)))
      return "person_exists";
    await trx
      .insertInto("member")
      .values({
        account_id: account.id,
        person_id: owner.id,
        role: "owner",
        created_at: origin.atMs,
      })
      .execute();
  }
  return parseAccount(
    await selectLivingAccounts(trx).where("account.id", "=", account.id).executeTakeFirstOrThrow(),
  );
}

async function insertToken(trx: Database, token: NewAccessToken, origin: Origin): Promise<void> {
  await trx
    .insertInto("access_token")
    .values({
      id: token.id,
      kind: token.kind,
      account_id: token.accountId,
      name: token.name,
      digest: digestBytes(token.digest),
      hint: token.hint,
      created_at: origin.atMs,
      created_by_type: origin.actor.type,
      created_by_id: origin.actor.id,
      created_by_name: origin.actor.name,
    })
    .execute();
}

/** Stores a person who signs in with a password. `false`: the address has one already. */
async function insertPerson(
  trx: Database,
  engine: Engine,
  person: NewPerson,
  origin: Origin,
): Promise<boolean> {
  const at = engine.signInTime(origin.atMs);
  const inserted = await trx
    .insertInto("person")
    .values({
      id: person.id,
      name: person.name,
      email: person.email,
      // Whoever runs the service named this address.
      email_verified: engine.boolean(true),
      created_at: at,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.column("email").doNothing())
    .returning("id")
    .executeTakeFirst();
  if (inserted === undefined) return false;
  await trx
    .insertInto("credential")
    .values({
      id: engine.randomId(),
      person_id: person.id,
      // better-auth's spelling of "by password": the provider's account is the person.
      provider_id: "credential",
      provider_account_id: person.id,
      password: person.passwordHash,
      created_at: at,
      updated_at: at,
    })
    .execute();
  return true;
}
