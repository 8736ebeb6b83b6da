import { Failure } from "@latchkey/sdk/core";
import type { Ambient } from "../ambient.ts";
import type {
  AccountStore,
  Member,
  MemberAsk,
  Origin,
  PageAsk,
  PageOf,
  Permits,
  Role,
} from "../store/store.ts";
import { missing, pageOf } from "./outcomes.ts";
import { roleMay, SERVICE_TOKEN_ROLE } from "./permissions.ts";

export interface MemberDeps {
  readonly ambient: Ambient;
}

/**
 * Whether somebody of role `by` may have to do with these roles: give, take, invite to or call off. Owners are for owners.
 *
 * @param roles The one that is there and the one that comes, whichever there are.
 */
export function mayManage(by: Role, ...roles: readonly (Role | null)[]): boolean {
  return roleMay(by, "members:write") && (!roles.includes("owner") || roleMay(by, "owners:write"));
}

/** Judges by the role that whoever asks has now; a program has that of its token. */
export function permitsOf(
  { actor }: Origin,
  permits: (by: Role, of: Role | null) => boolean,
): Permits {
  return (of, target) => {
    const by = actor.type === "person" ? of : SERVICE_TOKEN_ROLE;
    return by !== null && permits(by, target);
  };
}

/** @throws Failure `invalid_params` for a cursor of another list. */
export async function listMembers(
  { ambient }: MemberDeps,
  account: AccountStore,
  page: PageAsk,
): Promise<PageOf<Member>> {
  return pageOf(await account.listMembers(page, ambient.nowMs()), page);
}

/** @throws Failure `resource_missing` */
export async function getMember(
  { ambient }: MemberDeps,
  account: AccountStore,
  id: string,
): Promise<Member> {
  const member = await account.findMember(id, ambient.nowMs());
  if (member === undefined) throw missing("member");
  return member;
}

/**
 * Gives a member another role, from which every request of theirs is judged once this resolves, on every node. What they
 * invited to and may not invite to any more is cancelled.
 *
 * @throws Failure `access_denied`, `resource_missing`, `conflict` for the last owner.
 */
export async function changeRole(
  deps: MemberDeps,
  account: AccountStore,
  change: { readonly id: string; readonly role: Role },
  origin: Origin,
): Promise<Member> {
  const { id, role } = change;
  const permits = permitsOf(origin, (by, from) => mayManage(by, from, role));
  const keepsInvitation = (invited: Role) => mayManage(role, invited);
  const ask = { ...askOf(deps, id), role, permits, keepsInvitation };
  const done = await account.changeRole(ask, origin);
  if (done.outcome !== "changed") throw refused(done.outcome);
  return done.member;
}

/**
 * Ends a membership, once this resolves on every node. Everybody may end their own, the last owner excepted. Keys that
 * the member made live on; their open invitations are cancelled.
 *
 * @returns The member as they were, with the number of their living keys.
 * @throws Failure `access_denied`, `resource_missing`, `conflict` for the last owner.
 */
export async function removeMember(
  deps: MemberDeps,
  account: AccountStore,
  id: string,
  origin: Origin,
): Promise<Member> {
  const isSelf = origin.actor.type === "person" && origin.actor.id === id;
  const permits = permitsOf(origin, (by, from) => isSelf || mayManage(by, from));
  const ask = { ...askOf(deps, id), permits, keepsInvitation: () => false };
  const done = await account.removeMember(ask, origin);
  if (done.outcome !== "removed") throw refused(done.outcome);
  return done.member;
}

function askOf({ ambient }: MemberDeps, id: string): Pick<MemberAsk, "id" | "nextEventId"> {
  return { id, nextEventId: () => ambient.sortableId("evt") };
}

function refused(outcome: "forbidden" | "absent" | "last_owner"): Failure {
  if (outcome === "absent") return missing("member");
  if (outcome === "forbidden")
    return new Failure("access_denied", "Your role does not allow this.");
  return new Failure("conflict", "This is the last owner: make somebody else an owner first.");
}
