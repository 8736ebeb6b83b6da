import { recordAudit } from "./audit.ts";
import type { Origin } from "./deeds.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import type { Store } from "./store.ts";

type PeopleStore = Pick<
  Store,
  "recordPersonDeed" | "recordPasswordSet" | "recordResetLink" | "removeSecondFactor"
>;

/** What becomes of people's sign-ins, besides what better-auth writes by itself. */
export function peopleStore(db: Database, engine: Engine): PeopleStore {
  return {
    recordPersonDeed: (action, personId, origin) =>
      recordAudit(db, deedTo(action, personId), origin),

    recordPasswordSet: (action, personId, keptSessionId, origin) =>
      deed(db, async (trx) => {
        // First of all, and so new grounds (see grounds.ts) for a sign-in that is just using up what goes next.
        await trx
          .updateTable("person")
          .set({ updated_at: engine.signInTime(origin.atMs) })
          .where("id", "=", personId)
          .execute();
        await trx.deleteFrom("verification").where("value", "=", personId).execute();
        await trx
          .deleteFrom("session")
          .where("person_id", "=", personId)
          .where("id", "!=", keptSessionId ?? "")
          .execute();
        if (action === "person.password_reset") await proveAddress(trx, engine, personId);
        await recordAudit(trx, deedTo(action, personId), origin);
      }),

    recordResetLink: ({ id, email }, origin) =>
      recordAudit(db, { ...deedTo("password_reset_link.created", id), details: { email } }, origin),

    removeSecondFactor: (personId, origin) =>
      deed(db, (trx) => dropSecondFactor(trx, engine, personId, () => origin)),
  };
}

function deedTo(action: Parameters<Store["recordPersonDeed"]>[0], personId: string) {
  const subject = { type: "person", id: personId } as const;
  return { action, accountId: null, environmentId: null, subject, details: {} };
}

/**
 * The address is the person's, by the operator's word. Where nobody had proved that before, whoever signed up with it may
 * have been a stranger: whatever they signed in with is gone.
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
