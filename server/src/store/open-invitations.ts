import { recordAudit } from "./audit.ts";
import { type Database, deed, digestBytes, type Engine } from "./engine.ts";
import { INVITATION_COLUMNS, parseInvitation } from "./invitations.ts";
import { selectLivingAccounts } from "./living.ts";
import type { Invitation, OpenInvitationStore, ReplacingPerson } from "./member-deeds.ts";
import { takeAddress } from "./people.ts";
import { insertCredential, insertPerson } from "./provisioning.ts";
import { holdPeople, insertMember } from "./roster.ts";
import { parseAccount } from "./rows.ts";
import type { Account, Origin } from "./store.ts";

/** Invitations by their links. */
export function openInvitationStore(db: Database, engine: Engine): OpenInvitationStore {
  return {
    findOpenInvitation: (digest, nowMs) => findOpen(db, digest, nowMs),

    acceptInvitation: (digest, person, origin) =>
      deed(db, async (trx, undo) => {
        const found = await findOpen(trx, digest, origin.atMs);
        if (found === undefined) return { outcome: "absent" };
        const { account } = found;
        if (!(await holdPeople(trx, engine, account.id))) return { outcome: "absent" };
        const invitation = await take(trx, digest, origin);
        if (invitation === undefined) return { outcome: "absent" };
        const { email, role, mailed } = invitation;
        if (person.email !== email) return undo({ outcome: "other_person" });
        const replaces = "nextEventId" in person;
        const isNew = "passwordHash" in person && !replaces;
        const settled = replaces
          ? mailed && (await replaceSignIn(trx, engine, person, origin))
          : !isNew || (await insertPerson(trx, engine, person, mailed, origin));
        if (!settled) return undo({ outcome: "person_exists" });
        const member = { accountId: account.id, personId: person.id, role };
        if (!(await insertMember(trx, member, origin.atMs))) return undo({ outcome: "member" });
        const joining = { ...invitation, personId: person.id, isNew, replaces };
        await recordJoined(trx, account, joining, origin);
        return { outcome: "accepted", account, role };
      }),
  };
}

/**
 * Whoever has read the mail has the address: what a stranger had signed up with under it is gone.
 *
 * @returns `false`: somebody has proved the address meanwhile.
 */
async function replaceSignIn(
  trx: Database,
  engine: Engine,
  person: ReplacingPerson,
  origin: Origin,
): Promise<boolean> {
  const nextOrigin = () => ({ ...origin, eventId: person.nextEventId() });
  if (!(await takeAddress(trx, engine, person.id, nextOrigin))) return false;
  await trx
    .updateTable("person")
    .set({ name: person.name, updated_at: engine.signInTime(origin.atMs) })
    .where("id", "=", person.id)
    .execute();
  await insertCredential(trx, engine, person, origin);
  return true;
}

async function findOpen(
  db: Database,
  digest: string,
  nowMs: number,
): Promise<{ account: Account; invitation: Invitation } | undefined> {
  const row = await db
    .selectFrom("invitation")
    .select([...INVITATION_COLUMNS, "invitation.account_id"])
    .where("invitation.digest", "=", digestBytes(digest))
    .where("invitation.expires_at", ">", nowMs)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const account = await selectLivingAccounts(db)
    .where("account.id", "=", row.account_id)
    .executeTakeFirst();
  return account === undefined
    ? undefined
    : { account: parseAccount(account), invitation: parseInvitation(row) };
}

/** Ends the invitation, so that nobody else accepts it; `undefined` when somebody was quicker. */
async function take(
  trx: Database,
  digest: string,
  { atMs }: Origin,
): Promise<Invitation | undefined> {
  const row = await trx
    .deleteFrom("invitation")
    .where("digest", "=", digestBytes(digest))
    .where("expires_at", ">", atMs)
    .returning(INVITATION_COLUMNS)
    .executeTakeFirst();
  return row === undefined ? undefined : parseInvitation(row);
}

async function recordJoined(
  trx: Database,
  account: Account,
  joined: Invitation & {
    readonly personId: string;
    readonly isNew: boolean;
    readonly replaces: boolean;
  },
  origin: Origin,
): Promise<void> {
  const { email, role } = joined;
  const deed = {
    action: "member.joined",
    accountId: account.id,
    environmentId: null,
    subject: { type: "person", id: joined.personId },
    details: {
      name: origin.actor.name,
      email,
      role,
      invitation: joined.id,
      invited_by: joined.createdBy.id,
      new_person: joined.isNew,
      ...(joined.replaces ? { replaced_unproved_sign_in: true } : {}),
    },
  } as const;
  await recordAudit(trx, deed, origin);
}
