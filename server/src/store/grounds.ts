import { type Database, deed, type Engine } from "./engine.ts";
import { type Grounds, GroundsChanged, type PeopleStore } from "./people-deeds.ts";

type GroundsStore = Pick<PeopleStore, "findGrounds" | "confirmGrounds" | "renewGrounds">;

/**
 * What sessions rest on. A password takes tens of milliseconds to check, and whatever ends sessions in that time cannot
 * see the one that is about to begin. So it is looked at again once the session is there. That holds because everything
 * that ends a person's sessions changes the grounds first and deletes after that; what does both in one transaction
 * begins with the person's row.
 */
export function groundsStore(db: Database, engine: Engine): GroundsStore {
  return {
    findGrounds: (of) => find(db, of),

    confirmGrounds: (grounds, sessionId) =>
      deed(db, async (trx) => {
        const { personId } = grounds;
        // Waits for a transaction that has changed them and is about to commit. By a statement of its own: the next one
        // then sees all that was committed.
        if (engine.locksRows) await selectPerson(trx, personId).forShare().execute();
        const now = await find(trx, { id: personId });
        if (now !== undefined && now.mark === grounds.mark) return true;
        if (sessionId !== null)
          await trx.deleteFrom("session").where("id", "=", sessionId).execute();
        return false;
      }),

    async renewGrounds({ personId, changedAtMs }, atMs) {
      // Others also within a millisecond, or by a clock that is behind.
      const ms = Math.max(atMs, changedAtMs + 1);
      await db
        .updateTable("person")
        .set({ updated_at: engine.signInTime(ms) })
        .where("id", "=", personId)
        .execute();
    },
  };
}

/**
 * Keeps somebody's grounds as they are until the transaction ends, but for what it does itself.
 *
 * @throws GroundsChanged when they are not those given.
 */
export async function holdGrounds(
  trx: Database,
  engine: Engine,
  { personId, ...of }: Grounds | { readonly personId: string },
): Promise<void> {
  if (engine.locksRows) await selectPerson(trx, personId).forNoKeyUpdate().execute();
  if (!("mark" in of)) return;
  const now = await find(trx, { id: personId });
  if (now?.mark !== of.mark) throw new GroundsChanged();
}

const selectPerson = (trx: Database, id: string) =>
  trx.selectFrom("person").select("id").where("id", "=", id);

async function find(
  db: Database,
  of: Parameters<PeopleStore["findGrounds"]>[0],
): Promise<Grounds | undefined> {
  const [column, value] = "id" in of ? (["id", of.id] as const) : (["email", of.email] as const);
  const row = await db
    .selectFrom("person")
    .innerJoin("credential", "credential.person_id", "person.id")
    .select([
      "person.id",
      "person.two_factor_enabled",
      "person.updated_at",
      "credential.id as credential_id",
      "credential.password",
    ])
    // One that is being turned on is none yet on the person's row, and may be taken away or begun anew meanwhile.
    .select((eb) =>
      eb
        .selectFrom("two_factor")
        .select("secret")
        .whereRef("two_factor.person_id", "=", "person.id")
        .limit(1)
        .as("second_factor"),
    )
    .where(`person.${column}`, "=", value)
    .where("credential.password", "is not", null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { id, ...rest } = row;
  const changedAtMs = new Date(rest.updated_at).getTime();
  return { personId: id, mark: JSON.stringify(rest), changedAtMs };
}
