import { recordAudit } from "./audit.ts";
import type { Origin } from "./deeds.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import { groundsStore } from "./grounds.ts";
import type { JointDeeds } from "./joint-deeds.ts";
import type { PeopleStore, PersonAction } from "./people-deeds.ts";
import { rowOf } from "./row.ts";
import { parsePerson } from "./rows.ts";
import { strangerDeleter } from "./strangers.ts";

/** What becomes of people's sign-ins, besides what better-auth writes by itself. */
export function peopleStore({ db, ...deeds }: JointDeeds, engine: Engine): PeopleStore {
  return {
    ...deeds,
    ...groundsStore(db, engine),
    deleteStrangers: strangerDeleter(db, engine),

    async findPerson(email) {
      const row = await db
        .selectFrom("person")
        .select(["id", "name", "email", "email_verified"])
        .where("email", "=", email)
        .executeTakeFirst();
      return row === undefined
        ? undefined
        : { ...parsePerson(row), isProved: rowOf("person", row).boolean("email_verified") };
    },

    recordPersonDeed: (action, personId, origin, details = {}) =>
      recordAudit(db, { ...deedTo(action, personId), details }, origin),

    recordPasswordSet: (action, personId, origin) =>
      deed(db, async (trx) => {
        await trx.deleteFrom("verification").where("value", "=", personId).execute();
        if (action === "person.password_reset") await proveAddress(trx, engine, personId);
        await recordAudit(trx, deedTo(action, personId), origin);
      }),

    recordResetLink: ({ id, email }, origin) =>
      recordAudit(db, { ...deedTo("password_reset_link.created", id), details: { email } }, origin),

    removeSecondFactor: (personId, origin) =>
      deed(db, (trx) => dropSecondFactor(trx, engine, personId, () => origin)),
  };
}

function deedTo(action: PersonAction | "password_reset_link.created", personId: string) {
  const subject = { type: "person", id: personId } as const;
  return { action, accountId: null, environmentId: null, subject, details: {} };
}

/**
 * The address is the person's, by the operator's word or a mail that was read. Where nobody had proved that before,
 * whoever signed up with it may have been a stranger: whatever they signed in with is gone.
 *
 * @returns Whether it was not proved before.
 */
export async function takeAddress(
  trx: Database,
  engine: Engine,
  personId: string,
  originOf: () => Origin,
): Promise<boolean> {
  // The person's row first, the sessions last: see grounds.ts.
  if (!(await proveAddress(trx, engine, personId))) return false;
  await trx.deleteFrom("credential").where("person_id", "=", personId).execute();
  await trx.deleteFrom("verification").where("value", "=", personId).execute();
  await dropSecondFactor(trx, engine, personId, originOf);
  await trx.deleteFrom("session").where("person_id", "=", personId).execute();
  return true;
}

/** @returns Whether the address was not proved before. */
async function proveAddress(trx: Database, engine: Engine, personId: string): Promise<boolean> {
  const proved = await trx
    .updateTable("person")
    .set({ email_verified: engine.boolean(true) })
    .where("id", "=", personId)
    .where("email_verified", "=", engine.boolean(false))
    .returning("id")
    .executeTakeFirst();
  return proved !== undefined;
}

/** @returns Whether there was one. */
async function dropSecondFactor(
  trx: Database,
  engine: Engine,
  personId: string,
  originOf: () => Origin,
): Promise<boolean> {
  const had = await trx
    .updateTable("person")
    .set({ two_factor_enabled: engine.boolean(false) })
    .where("id", "=", personId)
    .where("two_factor_enabled", "=", engine.boolean(true))
    .returning("id")
    .executeTakeFirst();
  await trx.deleteFrom("two_factor").where("person_id", "=", personId).execute();
  if (had === undefined) return false;
  await recordAudit(trx, deedTo("person.two_factor_disabled", personId), originOf());
  return true;
}
