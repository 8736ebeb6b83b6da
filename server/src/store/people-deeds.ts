import type { AuditAction, AuditDetail } from "./audit-deeds.ts";
import type { Origin } from "./deeds.ts";

/**
 * What a sign-in rests on: the person's password, their second factor, and when anything of it was last changed. Another
 * name counts for as much, so that of two at once one is given; a sign-in that is under way at that moment is to be tried
 * again.
 */
export interface Grounds {
  readonly personId: string;
  /** Another one for other grounds. Holds a hash of the password: not for logs. */
  readonly mark: string;
  readonly changedAtMs: number;
}

/** What people do to their own sign-in. */
export type PersonAction = Extract<AuditAction, `person.${string}`>;

/** A joint deed found that the grounds which it was decided on are others by now, and wrote nothing. */
export class GroundsChanged extends Error {
  override readonly name = "GroundsChanged";

  constructor() {
    super("the sign-in was changed meanwhile");
  }
}

/** What becomes of people's sign-ins. better-auth writes the most of it, in the transaction of a joint deed. */
export interface PeopleStore {
  /**
   * Makes one transaction of what better-auth and the deeds below write while `work` runs. It begins with the first write.
   *
   * @param whose Whom it is done to, so that it waits for whoever is changing their sign-in; where grounds are given, it
   *   is done on these only. `null` for nobody who is there yet.
   * @param work `hasWritten` tells whether anything was altered; `undo` ends it with an outcome and keeps nothing.
   * @throws GroundsChanged, and what any statement of it threw, though `work` went on.
   */
  jointly<T>(
    whose: Grounds | { readonly personId: string } | null,
    work: (deed: { hasWritten(): boolean; undo(outcome: T): never }) => Promise<T>,
  ): Promise<T>;

  /** Does something that cannot be undone, such as a mail, once the joint deed that it is asked in is kept; else at once. */
  whenKept(tell: () => void): void;

  /** By e-mail address, lower case. `isProved`: that it is theirs is known. */
  findPerson(
    email: string,
  ): Promise<{ id: string; name: string; email: string; isProved: boolean } | undefined>;
  /** `undefined`: nobody, or somebody without a password. */
  findGrounds(
    of: { readonly id: string } | { readonly email: string },
  ): Promise<Grounds | undefined>;
  /**
   * Whether the grounds of a sign-in are still those that were found before it; if not, the session that it began is
   * ended. Waits for a transaction that is changing them.
   */
  confirmGrounds(grounds: Grounds, sessionId: string | null): Promise<boolean>;

  /** Makes new grounds of somebody's, so that of deeds on the old ones none is done any more. */
  renewGrounds(grounds: Grounds, atMs: number): Promise<void>;

  /** Writes down what somebody did to their own sign-in. */
  recordPersonDeed(
    action: PersonAction,
    personId: string,
    origin: Origin,
    details?: Readonly<Record<string, AuditDetail>>,
  ): Promise<void>;
  /**
   * The same of a new password. Sign-ins that wait for their second factor and links that reset the old one are dead from
   * now on. A reset proves the address. The second factor stays, for whoever reads somebody's mail has not theirs.
   */
  recordPasswordSet(
    action: "person.password_changed" | "person.password_reset",
    personId: string,
    origin: Origin,
  ): Promise<void>;
  /** Writes down that the operator made a link with which somebody chooses a new password. */
  recordResetLink(person: { id: string; email: string }, origin: Origin): Promise<void>;
  /** Of somebody who has lost theirs. `false`: they had none. */
  removeSecondFactor(personId: string, origin: Origin): Promise<boolean>;
  /**
   * Deletes people who never proved their address in 7 days, belong to no account and are not signed in: the address is
   * free again for whoever has it. Of very many only some are deleted by one call.
   *
   * @param by What the audit events tell of who does it.
   * @param nextEventId Makes the ids of those events.
   */
  deleteStrangers(by: Omit<Origin, "eventId">, nextEventId: () => string): Promise<void>;
}
