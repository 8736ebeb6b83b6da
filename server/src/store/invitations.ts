import { type AuditAction, recordAudit } from "./audit.ts";
import { type Database, deed, digestBytes, type Engine } from "./engine.ts";
import type { Invitation, InvitationStore, MemberAsk, Permits } from "./member-deeds.ts";
import { type PageBound, readPage } from "./paging.ts";
import { holdPeople, roleOfActor } from "./roster.ts";
import { rowOf } from "./row.ts";
import { parseActor, ROLES } from "./rows.ts";
import type { Origin } from "./store.ts";

/** Invitations to one account. */
export function invitationStore(db: Database, engine: Engine, accountId: string): InvitationStore {
  return {
    listInvitations: (page) =>
      readPage(page, {
        async hasEntry(id) {
          return (await findInvitation(db, accountId, id)) !== undefined;
        },
        async read({ olderThan, newerThan }: PageBound, limit) {
          let query = selectInvitations(db, accountId);
          if (olderThan !== undefined) query = query.where("invitation.id", "<", olderThan);
          if (newerThan !== undefined) query = query.where("invitation.id", ">", newerThan);
          const rows = await query
            .orderBy("invitation.id", newerThan === undefined ? "desc" : "asc")
            .limit(limit)
            .execute();
          return rows.map(parseInvitation);
        },
      }),

    findInvitation: (id) => findInvitation(db, accountId, id),

    invite: (given, { permits, openMax }, origin) =>
      deed(db, async (trx, undo) => {
        const { id, email, role, digest, expiresAtMs, mailed } = given;
        if (!(await holdPeople(trx, engine, accountId))) return { outcome: "forbidden" };
        const by = await roleOfActor(trx, accountId, origin);
        if (!permits(by, role)) return { outcome: "forbidden" };
        if (await hasMember(trx, accountId, email)) return { outcome: "member" };
        const replaced = await trx
          .deleteFrom("invitation")
          .where("account_id", "=", accountId)
          .where("email", "=", email)
          .returning(["id", "role"])
          .executeTakeFirst();
        // Whoever may not cancel what is there may not replace it either.
        if (replaced !== undefined) {
          const before = rowOf("invitation", replaced).oneOf("role", ROLES);
          if (!permits(by, before)) return undo({ outcome: "forbidden" });
        }
        if ((await countOpen(trx, accountId, origin.atMs)) >= openMax)
          return undo({ outcome: "too_many" });
        const { actor } = origin;
        const invitation = {
          id,
          email,
          role,
          createdAtMs: origin.atMs,
          createdBy: actor,
          expiresAtMs,
          mailed,
        };
        await trx
          .insertInto("invitation")
          .values({
            id,
            account_id: accountId,
            email,
            role,
            digest: digestBytes(digest),
            created_at: origin.atMs,
            ...madeBy(origin),
            expires_at: expiresAtMs,
            mailed: mailed ? 1 : 0,
          })
          .execute();
        const details = replaced === undefined ? {} : { replaces: replaced.id };
        await recordInvitation(trx, accountId, "invitation.created", invitation, origin, details);
        return { outcome: "created", invitation };
      }),

    renewInvitation: (id, { digest, expiresAtMs, mailed }, permits, origin) =>
      deed(db, async (trx) => {
        const held = await holdInvitation(trx, engine, { accountId, id, permits }, origin);
        if ("outcome" in held) return held;
        await trx
          .updateTable("invitation")
          .set({
            digest: digestBytes(digest),
            expires_at: expiresAtMs,
            mailed: mailed ? 1 : 0,
            ...madeBy(origin),
          })
          .where("id", "=", id)
          .execute();
        const invitation = { ...held, expiresAtMs, mailed, createdBy: origin.actor };
        await recordInvitation(trx, accountId, "invitation.sent", invitation, origin);
        return { outcome: "sent", invitation };
      }),

    async markUnmailed(digest) {
      await db
        .updateTable("invitation")
        .set({ mailed: 0 })
        .where("account_id", "=", accountId)
        .where("digest", "=", digestBytes(digest))
        .execute();
    },

    cancelInvitation: (id, permits, origin) =>
      deed(db, async (trx) => {
        const held = await holdInvitation(trx, engine, { accountId, id, permits }, origin);
        if ("outcome" in held) return held;
        await trx.deleteFrom("invitation").where("id", "=", id).execute();
        await recordInvitation(trx, accountId, "invitation.cancelled", held, origin);
        return { outcome: "cancelled", invitation: held };
      }),
  };
}

/**
 * Cancels what somebody may not stand for any more, each with an audit event of its own: who has made a link may have
 * kept it, and would come back by it.
 */
export async function cancelInvitationsOf(
  trx: Database,
  accountId: string,
  { id, keepsInvitation, nextEventId }: MemberAsk,
  origin: Origin,
): Promise<void> {
  const rows = await selectInvitations(trx, accountId)
    .where("invitation.created_by_type", "=", "person")
    .where("invitation.created_by_id", "=", id)
    .execute();
  for (const invitation of rows.map(parseInvitation))
    if (!keepsInvitation(invitation.role))
      await cancel(trx, accountId, invitation, id, { ...origin, eventId: nextEventId() });
}

/**
 * Cancels the open invitation to the address of somebody who joins another way, or goes: whoever made it, it would be a
 * way back.
 */
export async function cancelInvitationTo(
  trx: Database,
  accountId: string,
  { id, email }: { readonly id: string; readonly email: string },
  nextOrigin: () => Origin,
): Promise<void> {
  const row = await selectInvitations(trx, accountId)
    .where("invitation.email", "=", email)
    .executeTakeFirst();
  if (row !== undefined) await cancel(trx, accountId, parseInvitation(row), id, nextOrigin());
}

async function cancel(
  trx: Database,
  accountId: string,
  invitation: Invitation,
  becauseOf: string,
  origin: Origin,
): Promise<void> {
  await trx.deleteFrom("invitation").where("id", "=", invitation.id).execute();
  const details = { because_of: becauseOf };
  await recordInvitation(trx, accountId, "invitation.cancelled", invitation, origin, details);
}

/** The columns of {@link parseInvitation}. */
export const INVITATION_COLUMNS = [
  "invitation.id",
  "invitation.email",
  "invitation.role",
  "invitation.created_at",
  "invitation.created_by_type",
  "invitation.created_by_id",
  "invitation.created_by_name",
  "invitation.expires_at",
  "invitation.mailed",
] as const;

/** A row of {@link INVITATION_COLUMNS}. */
export function parseInvitation(columns: Readonly<Record<string, unknown>>): Invitation {
  const row = rowOf("invitation", columns);
  return {
    id: row.text("id"),
    email: row.text("email"),
    role: row.oneOf("role", ROLES),
    createdAtMs: row.integer("created_at"),
    createdBy: parseActor(row, "created_by"),
    expiresAtMs: row.integer("expires_at"),
    mailed: row.boolean("mailed"),
  };
}

/** Whether somebody with this address belongs to the account. */
async function hasMember(trx: Database, accountId: string, email: string): Promise<boolean> {
  const row = await trx
    .selectFrom("member")
    .innerJoin("person", "person.id", "member.person_id")
    .select("person.id")
    .where("member.account_id", "=", accountId)
    .where("person.email", "=", email)
    .executeTakeFirst();
  return row !== undefined;
}

function selectInvitations(db: Database, accountId: string) {
  return db
    .selectFrom("invitation")
    .innerJoin("account", "account.id", "invitation.account_id")
    .where("account.id", "=", accountId)
    .where("account.deleted_at", "is", null)
    .select(INVITATION_COLUMNS);
}

async function findInvitation(
  db: Database,
  accountId: string,
  id: string,
): Promise<Invitation | undefined> {
  const row = await selectInvitations(db, accountId)
    .where("invitation.id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : parseInvitation(row);
}

/** The invitation that a deed is about, locked with its account's people, unless whoever asks may not do it. */
async function holdInvitation(
  trx: Database,
  engine: Engine,
  { accountId, id, permits }: { accountId: string; id: string; permits: Permits },
  origin: Origin,
): Promise<Invitation | { readonly outcome: "forbidden" | "absent" }> {
  if (!(await holdPeople(trx, engine, accountId))) return { outcome: "absent" };
  const held = await findInvitation(trx, accountId, id);
  if (!permits(await roleOfActor(trx, accountId, origin), held?.role ?? null))
    return { outcome: "forbidden" };
  return held ?? { outcome: "absent" };
}

async function countOpen(trx: Database, accountId: string, nowMs: number): Promise<number> {
  const { open } = await trx
    .selectFrom("invitation")
    .select((eb) => eb.fn.countAll().as("open"))
    .where("account_id", "=", accountId)
    .where("expires_at", ">", nowMs)
    .executeTakeFirstOrThrow();
  return Number(open);
}

const madeBy = ({ actor }: Origin) => ({
  created_by_type: actor.type,
  created_by_id: actor.id,
  created_by_name: actor.name,
});

async function recordInvitation(
  trx: Database,
  accountId: string,
  action: AuditAction,
  { id, email, role, expiresAtMs, mailed }: Invitation,
  origin: Origin,
  details: Parameters<typeof recordAudit>[1]["details"] = {},
): Promise<void> {
  const deed = {
    action,
    accountId,
    environmentId: null,
    subject: { type: "invitation", id },
    details: { email, role, expires_at: expiresAtMs, mailed, ...details },
  } as const;
  await recordAudit(trx, deed, origin);
}
