import type { Account, NewPerson, Role } from "./account.ts";
import type { Actor, Listed, Origin, PageAsk } from "./deeds.ts";

/** Somebody who belongs to an account. */
export interface Member {
  /** The person's. */
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  /** Whether they sign in with a second factor. */
  readonly twoFactor: boolean;
  readonly joinedAtMs: number;
  /** Keys of the account that they made and that live. */
  readonly activeKeys: number;
  /** Service tokens of the account that they made and that live, each with an admin's rights. */
  readonly activeServiceTokens: number;
}

/**
 * Whether whoever asks may do it, judged under the lock that holds memberships still: a role that was taken away while
 * the call was on its way counts no more.
 *
 * @param by The role of the person who asks; `null` when they are no member, or no person.
 * @param of The role of the member or invitation that it is about; `null` when there is none.
 */
export type Permits = (by: Role | null, of: Role | null) => boolean;

/** What taking a role, or a membership, is asked with. */
export interface MemberAsk {
  readonly id: string;
  readonly permits: Permits;
  /** Whether open invitations to `role` that this person made still stand. The others are cancelled with the deed. */
  readonly keepsInvitation: (role: Role) => boolean;
  /** Makes the ids of the audit events besides the deed's own. */
  readonly nextEventId: () => string;
}

type NotDone = { readonly outcome: "forbidden" | "absent" };

/** The people of one account. */
export interface MemberStore {
  /** By the ids of the people, newest first. @param nowMs What living keys are judged by. */
  listMembers(page: PageAsk, nowMs: number): Promise<Listed<Member>>;
  findMember(id: string, nowMs: number): Promise<Member | undefined>;
  /**
   * Gives a member another role; the same one again alters and writes nothing. Of the last owner there is no other role:
   * `last_owner`, also for all but one of concurrent calls that would leave none.
   */
  changeRole(
    ask: MemberAsk & { readonly role: Role },
    origin: Origin,
  ): Promise<
    | { readonly outcome: "changed"; readonly member: Member }
    | { readonly outcome: "last_owner" }
    | NotDone
  >;
  /** Ends a membership, one's own too; `member` is as they were. The last owner stays: `last_owner`. */
  removeMember(
    ask: MemberAsk,
    origin: Origin,
  ): Promise<
    | { readonly outcome: "removed"; readonly member: Member }
    | { readonly outcome: "last_owner" }
    | NotDone
  >;
}

/** An invitation that is neither accepted nor cancelled. */
export interface Invitation {
  readonly id: string;
  /** Lower case. */
  readonly email: string;
  readonly role: Role;
  readonly createdAtMs: number;
  /** Whoever sent the newest link. */
  readonly createdBy: Actor;
  readonly expiresAtMs: number;
  /** Whether its link went by mail alone. */
  readonly mailed: boolean;
}

/** The newest link of an invitation; the one before opens nothing any more. */
export interface InvitationLink {
  readonly digest: string;
  readonly expiresAtMs: number;
  readonly mailed: boolean;
}

/** Invitations to one account. */
export interface InvitationStore {
  /** Expired ones too, until they are swept. */
  listInvitations(page: PageAsk): Promise<Listed<Invitation>>;
  findInvitation(id: string): Promise<Invitation | undefined>;
  /**
   * Replaces the open invitation of the address, if there is one. `member`: somebody with this address belongs to the
   * account already. `too_many`: as many as may be are open.
   */
  invite(
    invitation: InvitationLink & Pick<Invitation, "id" | "email" | "role">,
    ask: { readonly permits: Permits; readonly openMax: number },
    origin: Origin,
  ): Promise<
    | { readonly outcome: "created"; readonly invitation: Invitation }
    | { readonly outcome: "member" | "too_many" | "forbidden" }
  >;
  /** Gives an invitation a new link, whose maker it then is. */
  renewInvitation(
    id: string,
    link: InvitationLink,
    permits: Permits,
    origin: Origin,
  ): Promise<{ readonly outcome: "sent"; readonly invitation: Invitation } | NotDone>;
  /** The link of this digest was not taken by the mail server: whoever comes with it has proved nothing. */
  markUnmailed(digest: string): Promise<void>;
  cancelInvitation(
    id: string,
    permits: Permits,
    origin: Origin,
  ): Promise<{ readonly outcome: "cancelled"; readonly invitation: Invitation } | NotDone>;
}

/** Somebody who signs in anew under an address that nobody had proved: the person there is, with another sign-in. */
export interface ReplacingPerson extends NewPerson {
  /** Makes the ids of audit events besides the deed's own. */
  readonly nextEventId: () => string;
}

/** What whoever has a link can do with it, in whatever account. */
export interface OpenInvitationStore {
  /** `undefined`: unknown, used, cancelled, expired, or of a deleted account. */
  findOpenInvitation(
    digest: string,
    nowMs: number,
  ): Promise<{ readonly account: Account; readonly invitation: Invitation } | undefined>;
  /**
   * Makes somebody a member, and ends the invitation: of concurrent calls one does. A new person's address counts as
   * theirs only if the link went by mail alone; only then is a person replaced.
   *
   * @returns `other_person`: the invitation is for another address than theirs. `person_exists`: somebody has the address
   *   of the new person, or has proved the one to be replaced.
   */
  acceptInvitation(
    digest: string,
    person: NewPerson | ReplacingPerson | { readonly id: string; readonly email: string },
    origin: Origin,
  ): Promise<
    | { readonly outcome: "accepted"; readonly account: Account; readonly role: Role }
    | { readonly outcome: "absent" | "other_person" | "person_exists" | "member" }
  >;
}
