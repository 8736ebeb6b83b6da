import { sql } from "kysely";
import type { Role } from "../../src/store/store.ts";
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
