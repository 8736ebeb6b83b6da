import { sql } from "kysely";
import type { Origin, Role } from "../../src/store/store.ts";
import { START_MS, type World } from "./world.ts";

/** Stores a person with a membership, an owner's unless something else is given. */
export async function joined(
  { db }: Pick<World, "db">,
  given: { readonly id: string; readonly accountId: string; readonly role?: Role },
): Promise<void> {
  await stored({ db }, given.id);
  await db
    .insertInto("member")
    .values({
      account_id: given.accountId,
      person_id: given.id,
      role: given.role ?? "owner",
      created_at: START_MS,
    })
    .execute();
}

/** Stores a person; their address is made of their id. */
export async function stored({ db }: Pick<World, "db">, id: string): Promise<void> {
  const at = new Date(START_MS).toISOString();
  await db
    .insertInto("person")
    .values({
      id,
      name: `Person ${id}`,
      email: emailOf(id),
      email_verified: sql<boolean>`true`,
      created_at: at,
      updated_at: at,
    })
    .execute();
}

/** The address of a person of these tests. */
export const emailOf = (id: string): string => `${id}@example.com`;

/** Where a deed comes from that this person does. */
export function originOf(world: Pick<World, "origin">, id: string, atMs = START_MS): Origin {
  return { ...world.origin(atMs), actor: { type: "person", id, name: `Person ${id}` } };
}

/** Who belongs to the account, with their roles, by the ids of the people. */
export async function rolesOf(
  { db }: Pick<World, "db">,
  accountId: string,
): Promise<Readonly<Record<string, string>>> {
  const rows = await db
    .selectFrom("member")
    .select(["person_id", "role"])
    .where("account_id", "=", accountId)
    .orderBy("person_id")
    .execute();
  return Object.fromEntries(rows.map(({ person_id, role }) => [person_id, role]));
}

/** The actions of an account's audit events since `count` of them. */
export async function actionsSince(
  { db }: Pick<World, "db">,
  accountId: string,
  count = 0,
): Promise<string[]> {
  const rows = await db
    .selectFrom("audit_event")
    .select(["id", "action"])
    .where("account_id", "=", accountId)
    .orderBy("id")
    .execute();
  return rows.slice(count).map(({ action }) => action);
}
