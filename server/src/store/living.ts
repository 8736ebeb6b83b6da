import type { Database } from "./engine.ts";
import { ACCOUNT_COLUMNS, ENVIRONMENT_COLUMNS, parseEnvironment } from "./rows.ts";
import type { Environment } from "./store.ts";

/** Accounts that are not deleted, with the revocation of their suspension. */
export function selectLivingAccounts(db: Database) {
  return db
    .selectFrom("account")
    .leftJoin("revocation", "revocation.seq", "account.suspension_seq")
    .where("account.deleted_at", "is", null)
    .select(ACCOUNT_COLUMNS);
}

/** Environments of an account that are not deleted, nor is the account. */
export function selectLivingEnvironments(db: Database, accountId: string) {
  return db
    .selectFrom("environment")
    .innerJoin("account", "account.id", "environment.account_id")
    .where("account.id", "=", accountId)
    .where("account.deleted_at", "is", null)
    .where("environment.deleted_at", "is", null)
    .select(ENVIRONMENT_COLUMNS);
}

/** The account's environment of that slug, unless it or the account is deleted. */
export async function findLivingEnvironment(
  db: Database,
  accountId: string,
  slug: string,
): Promise<Environment | undefined> {
  const row = await selectLivingEnvironments(db, accountId)
    .where("environment.slug", "=", slug)
    .executeTakeFirst();
  return row === undefined ? undefined : parseEnvironment(row);
}
