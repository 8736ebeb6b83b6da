import { type Database, digestBytes, type Engine } from "./engine.ts";
import { selectLivingAccounts } from "./living.ts";
import { insertMember } from "./roster.ts";
import { ENVIRONMENT_COLUMNS, parseAccount, parseEnvironment } from "./rows.ts";
import type {
  Account,
  Environment,
  NewAccessToken,
  NewAccount,
  NewEnvironment,
  NewKey,
  NewPerson,
  Origin,
} from "./store.ts";

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
  if (await isExternalIdTaken(trx, engine, account.externalId)) return "external_id_taken";
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
  for (const token of account.tokens) {
    if (token.accountId !== null && token.accountId !== account.id)
      throw new Error(`token ${token.id} is of another account than ${account.id}`);
    await insertToken(trx, token, origin);
  }
  const { owner } = account;
  if (owner !== null) {
    if ("email" in owner && !(await insertPerson(trx, engine, owner, true, origin)))
      return "person_exists";
    const member = { accountId: account.id, personId: owner.id, role: "owner" } as const;
    await insertMember(trx, member, origin.atMs);
  }
  return parseAccount(
    await selectLivingAccounts(trx).where("account.id", "=", account.id).executeTakeFirstOrThrow(),
  );
}

/** Stores an access token. */
export async function insertToken(
  trx: Database,
  token: NewAccessToken,
  origin: Origin,
): Promise<void> {
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
      expires_at: token.expiresAtMs,
    })
    .execute();
}

/**
 * Stores a person who signs in with a password. `false`: the address has one already.
 *
 * @param isProven Whether the address is known to be theirs: whoever runs the service named it, or mail reached it.
 */
export async function insertPerson(
  trx: Database,
  engine: Engine,
  person: NewPerson,
  isProven: boolean,
  origin: Origin,
): Promise<boolean> {
  if (!(await insertPersonAlone(trx, engine, person, isProven, origin.atMs))) return false;
  await insertCredential(trx, engine, person, origin);
  return true;
}

/** Stores a person without any way to sign in. `false`: the address has one already. */
export async function insertPersonAlone(
  trx: Database,
  engine: Engine,
  { id, name, email }: Pick<NewPerson, "id" | "name" | "email">,
  isProven: boolean,
  atMs: number,
): Promise<boolean> {
  const at = engine.signInTime(atMs);
  const inserted = await trx
    .insertInto("person")
    .values({
      id,
      name,
      email,
      email_verified: engine.boolean(isProven),
      created_at: at,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.column("email").doNothing())
    .returning("id")
    .executeTakeFirst();
  return inserted !== undefined;
}

/** Stores the password of a person who has none. */
export async function insertCredential(
  trx: Database,
  engine: Engine,
  person: Pick<NewPerson, "id" | "passwordHash">,
  origin: Origin,
): Promise<void> {
  const at = engine.signInTime(origin.atMs);
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
}

/** Only a living account holds its external id. Of transactions that are about to take it, one is told that it may. */
export async function isExternalIdTaken(
  trx: Database,
  engine: Engine,
  externalId: string | null,
): Promise<boolean> {
  if (externalId === null) return false;
  await engine.lockName(trx, `external_id ${externalId}`);
  const owner = await trx
    .selectFrom("account")
    .select("id")
    .where("external_id", "=", externalId)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return owner !== undefined;
}

/** Stores an environment and its first keys. A deleted environment keeps its slug, and so takes it. */
export async function insertEnvironment(
  trx: Database,
  accountId: string,
  environment: NewEnvironment,
  origin: Origin,
): Promise<Environment | "slug_taken"> {
  const row = await trx
    .insertInto("environment")
    .values({
      id: environment.id,
      account_id: accountId,
      slug: environment.slug,
      name: environment.name,
      created_at: origin.atMs,
    })
    .onConflict((conflict) => conflict.columns(["account_id", "slug"]).doNothing())
    .returning(ENVIRONMENT_COLUMNS)
    .executeTakeFirst();
  if (row === undefined) return "slug_taken";
  for (const key of environment.keys) await insertKey(trx, environment.id, key, origin);
  return parseEnvironment(row);
}

/**
 * Stores a new key in an environment that is known to be the account's own.
 *
 * @param from Ids of what it comes from: the service token that it is given for, the key that it replaces.
 */
export async function insertKey(
  trx: Database,
  environmentId: string,
  key: NewKey,
  origin: Origin,
  from: { readonly exchangedBy?: string; readonly rotatedFrom?: string } = {},
): Promise<void> {
  await trx
    .insertInto("api_key")
    .values({
      id: key.id,
      environment_id: environmentId,
      type: key.type,
      digest: digestBytes(key.digest),
      hint: key.hint,
      token: key.token,
      description: key.description,
      metadata: JSON.stringify(key.metadata),
      search_text: searchText(key),
      created_at: origin.atMs,
      created_by_type: origin.actor.type,
      created_by_id: origin.actor.id,
      created_by_name: origin.actor.name,
      expires_at: key.expiresAtMs,
      exchanged_by: from.exchangedBy ?? null,
      rotated_from: from.rotatedFrom ?? null,
    })
    .execute();
}

/** What a search looks in. Folded here and not by the database: engines differ over which letters are one. */
export function searchText(key: { id: string; hint: string; description: string }): string {
  return `${key.hint}\n${key.description}\n${key.id}`.toLowerCase();
}
