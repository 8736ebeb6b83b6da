import { recordAudit } from "./audit.ts";
import { type Database, deed, digestBytes, type Engine } from "./engine.ts";
import { cancelInvitationTo } from "./invitations.ts";
import type { Opening, SignInLinkStore } from "./link-deeds.ts";
import { selectLivingAccounts } from "./living.ts";
import { takeAddress } from "./people.ts";
import { insertPersonAlone } from "./provisioning.ts";
import { holdPeople, insertMember } from "./roster.ts";
import { type Row, rowOf } from "./row.ts";
import { parsePerson, ROLES } from "./rows.ts";

/** Links that sign somebody in once, to one account. */
export function signInLinkStore(db: Database, engine: Engine): SignInLinkStore {
  return {
    createSignInLink: (accountSlug, link, origin) =>
      deed(db, async (trx) => {
        const account = await findAccount(trx, "slug", accountSlug);
        if (account === null) return { outcome: "absent" };
        if (account.twoFactorRequired) return { outcome: "two_factor_required" };
        const { id, email, name, role, digest, expiresAtMs } = link;
        await trx
          .insertInto("sign_in_link")
          .values({
            id,
            account_id: account.id,
            email,
            name,
            role,
            digest: digestBytes(digest),
            expires_at: expiresAtMs,
          })
          .execute();
        await recordAudit(
          trx,
          {
            action: "sign_in_link.created",
            accountId: account.id,
            environmentId: null,
            subject: { type: "sign_in_link", id },
            details: { email, role },
          },
          origin,
        );
        return { outcome: "created" };
      }),

    openSignInLink: (digest, opening) =>
      deed(db, async (trx) => {
        const deleted = await trx
          .deleteFrom("sign_in_link")
          .where("digest", "=", digestBytes(digest))
          .returningAll()
          .executeTakeFirst();
        if (deleted === undefined) return { outcome: "absent" };
        const link = rowOf("sign_in_link", deleted);
        const account = await findAccount(trx, "id", link.text("account_id"));
        if (account === null || link.integer("expires_at") <= opening.atMs)
          return { outcome: "absent" };
        if (account.twoFactorRequired) return { outcome: "two_factor_required" };
        const personId = await openLink(trx, engine, link, opening);
        return { outcome: "opened", personId, account: { id: account.id, slug: account.slug } };
      }),
  };
}

async function openLink(
  trx: Database,
  engine: Engine,
  link: Row,
  opening: Opening,
): Promise<string> {
  const email = link.text("email");
  // Before the person's row: as accepting an invitation takes them.
  await holdPeople(trx, engine, link.text("account_id"));
  const { person, isProved } = await takePerson(trx, engine, link, opening);
  const of = { accountId: link.text("account_id"), environmentId: null };
  await recordAudit(
    trx,
    {
      ...of,
      action: "sign_in_link.opened",
      subject: { type: "sign_in_link", id: link.text("id") },
      details: { email, ...(isProved ? { replaced_unproved_sign_in: true } : {}) },
    },
    opening.originOf(person),
  );
  const role = link.oneOf("role", ROLES);
  const member = { accountId: of.accountId, personId: person.id, role };
  if (await insertMember(trx, member, opening.atMs)) {
    await recordAudit(
      trx,
      {
        ...of,
        action: "member.joined",
        subject: { type: "person", id: person.id },
        details: { name: person.name, email, role, sign_in_link: link.text("id") },
      },
      opening.originOf(person),
    );
    await cancelInvitationTo(trx, of.accountId, person, () => opening.originOf(person));
  }
  return person.id;
}

/**
 * The person of the link's address, made where there is none. See {@link takeAddress} for one whose address nobody had
 * proved.
 */
async function takePerson(trx: Database, engine: Engine, link: Row, opening: Opening) {
  const email = link.text("email");
  // Whoever runs the service named this address.
  const stranger = { id: opening.newPersonId, name: link.text("name"), email };
  await insertPersonAlone(trx, engine, stranger, true, opening.atMs);
  const row = await trx
    .selectFrom("person")
    .select(["id", "name", "email"])
    .where("email", "=", email)
    .executeTakeFirstOrThrow();
  const person = parsePerson(row);
  const isProved = await takeAddress(trx, engine, person.id, () => opening.originOf(person));
  return { person, isProved };
}

async function findAccount(db: Database, by: "id" | "slug", value: string) {
  const found = await selectLivingAccounts(db)
    .select("account.two_factor_required_at")
    .where(`account.${by}`, "=", value)
    .executeTakeFirst();
  if (found === undefined) return null;
  const row = rowOf("account", found);
  const twoFactorRequired = row.integerOrNull("two_factor_required_at") !== null;
  return { id: row.text("id"), slug: row.text("slug"), twoFactorRequired };
}
