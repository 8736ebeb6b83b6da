import { type AuditAction, recordAudit } from "./audit.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import { cancelInvitationsOf, cancelInvitationTo } from "./invitations.ts";
import type { Member, MemberAsk, MemberStore } from "./member-deeds.ts";
import { type PageBound, readPage } from "./paging.ts";
import { holdPeople, roleOfActor } from "./roster.ts";
import { rowOf } from "./row.ts";
import { ROLES } from "./rows.ts";
import type { Origin } from "./store.ts";

/** A membership as its row has it. */
type Membership = Omit<Member, "activeKeys" | "activeServiceTokens">;

/** The people of one account. */
export function memberStore(db: Database, engine: Engine, accountId: string): MemberStore {
  return {
    listMembers: (page, nowMs) =>
      readPage(page, {
        async hasEntry(id) {
          return (await findMembership(db, accountId, id)) !== undefined;
        },
        async read({ olderThan, newerThan }: PageBound, limit) {
          let query = selectMembers(db, accountId);
          if (olderThan !== undefined) query = query.where("member.person_id", "<", olderThan);
          if (newerThan !== undefined) query = query.where("member.person_id", ">", newerThan);
          const rows = await query
            .orderBy("member.person_id", newerThan === undefined ? "desc" : "asc")
            .limit(limit)
            .execute();
          return counted(db, accountId, rows.map(parseMember), nowMs);
        },
      }),

    async findMember(id, nowMs) {
      const found = await findMembership(db, accountId, id);
      return found === undefined ? undefined : countedOne(db, found, nowMs);
    },

    changeRole: (ask, origin) =>
      deed(db, async (trx) => {
        const held = await holdMember(trx, engine, accountId, ask, origin);
        if ("outcome" in held) return held;
        const { role } = ask;
        if (role !== held.role) {
          if (await isLastOwner(trx, accountId, held)) return { outcome: "last_owner" };
          await trx
            .updateTable("member")
            .set({ role })
            .where("account_id", "=", accountId)
            .where("person_id", "=", held.id)
            .execute();
          const details = { role, role_before: held.role };
          await recordMember(trx, accountId, "member.role_changed", held, details, origin);
          await cancelInvitationsOf(trx, accountId, ask, origin);
        }
        return {
          outcome: "changed",
          member: await countedOne(trx, { ...held, role }, origin.atMs),
        };
      }),

    removeMember: (ask, origin) =>
      deed(db, async (trx) => {
        const held = await holdMember(trx, engine, accountId, ask, origin);
        if ("outcome" in held) return held;
        if (await isLastOwner(trx, accountId, held)) return { outcome: "last_owner" };
        await trx
          .deleteFrom("member")
          .where("account_id", "=", accountId)
          .where("person_id", "=", held.id)
          .execute();
        const { actor } = origin;
        const isSelf = actor.type === "person" && actor.id === held.id;
        const action = isSelf ? "member.left" : "member.removed";
        await recordMember(trx, accountId, action, held, { role: held.role }, origin);
        await cancelInvitationsOf(trx, accountId, ask, origin);
        const nextOrigin = () => ({ ...origin, eventId: ask.nextEventId() });
        await cancelInvitationTo(trx, accountId, held, nextOrigin);
        return { outcome: "removed", member: await countedOne(trx, held, origin.atMs) };
      }),
  };

  async function countedOne(trx: Database, member: Membership, nowMs: number): Promise<Member> {
    const [one] = await counted(trx, accountId, [member], nowMs);
    if (one === undefined) throw new Error(`member ${member.id} was not counted`);
    return one;
  }
}

/** The member that a deed is about, locked, unless whoever asks may not do it. */
async function holdMember(
  trx: Database,
  engine: Engine,
  accountId: string,
  { id, permits }: MemberAsk,
  origin: Origin,
): Promise<Membership | { readonly outcome: "forbidden" | "absent" }> {
  if (!(await holdPeople(trx, engine, accountId))) return { outcome: "absent" };
  const held = await findMembership(trx, accountId, id);
  // First whether they may: whoever may not learns nothing of who is there.
  const by = await roleOfActor(trx, accountId, origin);
  if (!permits(by, held?.role ?? null)) return { outcome: "forbidden" };
  return held ?? { outcome: "absent" };
}

async function isLastOwner(
  trx: Database,
  accountId: string,
  { role }: Membership,
): Promise<boolean> {
  if (role !== "owner") return false;
  const owners = await trx
    .selectFrom("member")
    .select("person_id")
    .where("account_id", "=", accountId)
    .where("role", "=", "owner")
    .limit(2)
    .execute();
  return owners.length < 2;
}

function selectMembers(db: Database, accountId: string) {
  return db
    .selectFrom("member")
    .innerJoin("account", "account.id", "member.account_id")
    .innerJoin("person", "person.id", "member.person_id")
    .where("account.id", "=", accountId)
    .where("account.deleted_at", "is", null)
    .select([
      "person.id",
      "person.name",
      "person.email",
      "person.two_factor_enabled",
      "member.role",
      "member.created_at",
    ]);
}

async function findMembership(
  db: Database,
  accountId: string,
  id: string,
): Promise<Membership | undefined> {
  const row = await selectMembers(db, accountId)
    .where("member.person_id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : parseMember(row);
}

function parseMember(columns: Readonly<Record<string, unknown>>): Membership {
  const row = rowOf("member", columns);
  return {
    id: row.text("id"),
    name: row.text("name"),
    email: row.text("email"),
    role: row.oneOf("role", ROLES),
    // Nobody has said anything yet where it is null.
    twoFactor: columns.two_factor_enabled !== null && row.boolean("two_factor_enabled"),
    joinedAtMs: row.integer("created_at"),
  };
}

/** With what lives of what each of them made. */
async function counted(
  db: Database,
  accountId: string,
  members: readonly Membership[],
  nowMs: number,
): Promise<readonly Member[]> {
  const keys = await countKeys(db, accountId, members, nowMs);
  const tokens = await countServiceTokens(db, accountId, members, nowMs);
  return members.map((member) => ({
    ...member,
    activeKeys: keys.get(member.id) ?? 0,
    activeServiceTokens: tokens.get(member.id) ?? 0,
  }));
}

/** How many living service tokens of the account each of them made; none where it is missing. */
async function countServiceTokens(
  db: Database,
  accountId: string,
  members: readonly Membership[],
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  if (members.length === 0) return new Map();
  const rows = await db
    .selectFrom("access_token")
    .where("account_id", "=", accountId)
    .where("kind", "=", "service")
    .where("deleted_at", "is", null)
    .where("created_by_type", "=", "person")
    .where(
      "created_by_id",
      "in",
      members.map(({ id }) => id),
    )
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", nowMs)]))
    .groupBy("created_by_id")
    .select((eb) => ["created_by_id as id", eb.fn.countAll().as("tokens")])
    .execute();
  return new Map(rows.map(({ id, tokens }) => [id, Number(tokens)]));
}

/** How many living keys of the account each of them made; none where it is missing. */
async function countKeys(
  db: Database,
  accountId: string,
  members: readonly Membership[],
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  if (members.length === 0) return new Map();
  const rows = await db
    .selectFrom("api_key")
    .innerJoin("environment", "environment.id", "api_key.environment_id")
    .where("environment.account_id", "=", accountId)
    .where("environment.deleted_at", "is", null)
    .where("api_key.created_by_type", "=", "person")
    .where(
      "api_key.created_by_id",
      "in",
      members.map(({ id }) => id),
    )
    .where("api_key.revoked_at", "is", null)
    .where((eb) =>
      eb.or([eb("api_key.expires_at", "is", null), eb("api_key.expires_at", ">", nowMs)]),
    )
    .groupBy("api_key.created_by_id")
    .select((eb) => ["api_key.created_by_id as id", eb.fn.countAll().as("keys")])
    .execute();
  return new Map(rows.map(({ id, keys }) => [id, Number(keys)]));
}

async function recordMember(
  trx: Database,
  accountId: string,
  action: AuditAction,
  { id, name, email }: Membership,
  details: Parameters<typeof recordAudit>[1]["details"],
  origin: Origin,
): Promise<void> {
  const deed = {
    action,
    accountId,
    environmentId: null,
    subject: { type: "person", id },
    details: { name, email, ...details },
  } as const;
  await recordAudit(trx, deed, origin);
}
