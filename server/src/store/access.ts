import { type Database, digestBytes, type Engine } from "./engine.ts";
import { selectLivingAccounts } from "./living.ts";
import { ACCESS_TOKEN_COLUMNS, parseAccessToken, parseMembership } from "./rows.ts";
import type { Store } from "./store.ts";

type AccessStore = Pick<
  Store,
  "findToken" | "recordTokenUsed" | "findMembership" | "listMemberships" | "isOperator"
>;

/** Who may do what: access tokens, and people's membership of accounts. */
export function accessStore(db: Database, engine: Engine): AccessStore {
  const selectMemberships = (personId: string) =>
    selectLivingAccounts(db)
      .innerJoin("member", "member.account_id", "account.id")
      .where("member.person_id", "=", personId)
      .select(["member.role", "account.two_factor_required_at"]);
  return {
    async findToken(digest) {
      const row = await db
        .selectFrom("access_token")
        .leftJoin("account", "account.id", "access_token.account_id")
        .select(ACCESS_TOKEN_COLUMNS)
        .where("access_token.digest", "=", digestBytes(digest))
        .where("access_token.deleted_at", "is", null)
        .where("account.deleted_at", "is", null)
        .executeTakeFirst();
      return row === undefined ? undefined : parseAccessToken(row);
    },

    async recordTokenUsed(id, atMs) {
      await db
        .updateTable("access_token")
        .set({ last_used_at: atMs })
        .where("id", "=", id)
        .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", atMs)]))
        .execute();
    },

    async findMembership(personId, accountSlug) {
      const row = await selectMemberships(personId)
        .where("account.slug", "=", accountSlug)
        .executeTakeFirst();
      return row === undefined ? undefined : parseMembership(row);
    },

    async listMemberships(personId) {
      const rows = await selectMemberships(personId).orderBy("account.id").execute();
      return rows.map(parseMembership);
    },

    async isOperator(personId) {
      const row = await db
        .selectFrom("person")
        .select("id")
        .where("id", "=", personId)
        .where("operator", "=", engine.boolean(true))
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}
