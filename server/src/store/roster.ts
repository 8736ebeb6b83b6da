import type { Database, Engine } from "./engine.ts";
import { selectLivingAccounts } from "./living.ts";
import { rowOf } from "./row.ts";
import { ROLES } from "./rows.ts";
import type { Origin, Role } from "./store.ts";

/**
 * Locks who belongs to the account until the transaction ends, on engines that need it. It is the account's row, which
 * every deed of members and invitations takes first: none of them deadlock, and none judges by what another is changing.
 *
 * @returns Whether there is such an account; a deleted one has no people.
 */
export async function holdPeople(
  trx: Database,
  engine: Engine,
  accountId: string,
): Promise<boolean> {
  const query = selectLivingAccounts(trx).where("account.id", "=", accountId);
  const row = await (engine.locksRows ? query.forNoKeyUpdate("account") : query).executeTakeFirst();
  return row !== undefined;
}

/** The role of whoever does it; `null` when they are no member, or no person. */
export async function roleOfActor(
  trx: Database,
  accountId: string,
  { actor }: Origin,
): Promise<Role | null> {
  if (actor.type !== "person") return null;
  const row = await trx
    .selectFrom("member")
    .select(["person_id", "role"])
    .where("account_id", "=", accountId)
    .where("person_id", "=", actor.id)
    .executeTakeFirst();
  return row === undefined ? null : rowOf("member", row, "person_id").oneOf("role", ROLES);
}

/** Makes somebody a member. @returns Whether they were none before; a member keeps their role. */
export async function insertMember(
  trx: Database,
  member: { readonly accountId: string; readonly personId: string; readonly role: Role },
  atMs: number,
): Promise<boolean> {
  const { accountId, personId, role } = member;
  const joined = await trx
    .insertInto("member")
    .values({ account_id: accountId, person_id: personId, role, created_at: atMs })
    .onConflict((conflict) => conflict.columns(["account_id", "person_id"]).doNothing())
    .returning("person_id")
    .executeTakeFirst();
  return joined !== undefined;
}
