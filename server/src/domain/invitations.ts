import { digestToken, Failure } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import type { SendMail } from "../mail.ts";
import type {
  Account,
  AccountStore,
  Actor,
  Invitation,
  InvitationLink,
  NewPerson,
  Origin,
  PageAsk,
  PageOf,
  ReplacingPerson,
  Role,
  Store,
} from "../store/store.ts";
import { attemptCounter, spendAttempt } from "./attempts.ts";
import { newLinkSecret } from "./link-secrets.ts";
import { mayManage, permitsOf } from "./members.ts";
import { missing, pageOf } from "./outcomes.ts";

/** How long the link of an invitation opens it, in ms. */
const INVITATION_MS = 7 * 24 * 60 * 60_000;

/** Open invitations of one account. */
const OPEN_MAX = 200;

/** How long the mail server is waited for, its queue here included. */
const MAIL_MAX_MS = 15_000;

/** Mails that one account sends, and that one address is sent, whoever invites it: nobody floods a stranger with ours. */
const MAILS_PER_ACCOUNT = { max: 100, windowMs: 60 * 60_000 } as const;
const MAILS_PER_ADDRESS = { max: 10, windowMs: 60 * 60_000 } as const;
const COUNTED_MAX = 10_000;
const TOO_MANY = "Too many invitations were sent. Wait, then try again.";

/** What inviting needs. */
export interface InvitationDeps {
  readonly ambient: Ambient;
  readonly logger: Logger;
  /** `null`: no mail is sent, whoever invites is given the link. */
  readonly mail: SendMail | null;
}

/** An invitation whose newest link has just been made. */
export interface Sent {
  readonly invitation: Invitation;
  /** The link, for this one answer; `null` where mail is sent, which alone has it. */
  readonly link: string | null;
  /** Why the mail server did not take it; `null` unless that is so. */
  readonly mailError: string | null;
}

/** What whoever has a link is told of it. */
export interface OpenedInvitation {
  readonly account: Account;
  readonly invitation: Invitation;
}

/** What somebody who has no sign-in yet brings along. */
export interface Newcomer {
  readonly name: string;
  readonly password: string;
}

/** Where an invitation is sent from. */
export interface Sender {
  readonly account: AccountStore;
  /** Own origin, of the link. */
  readonly siteOrigin: string;
  readonly origin: Origin;
}

/** Invitations to accounts; see {@link invitationRules}. */
export interface InvitationRules {
  /**
   * Invites an address; one that is invited already gets a new link and maybe another role. What it answers does not tell
   * whether anybody has that address.
   *
   * @throws Failure `access_denied`, `conflict` for a member and for one open invitation too many, `rate_limited`.
   */
  invite(sender: Sender, to: { readonly email: string; readonly role: Role }): Promise<Sent>;
  /** Makes a new link, and ends the one before. @throws Failure `access_denied`, `resource_missing`, `rate_limited`. */
  sendAgain(sender: Sender, id: string): Promise<Sent>;
  /** @throws Failure `access_denied`, `resource_missing` */
  cancel(account: AccountStore, id: string, origin: Origin): Promise<Invitation>;
  /** @throws Failure `invalid_params` for a cursor of another list. */
  list(account: AccountStore, page: PageAsk): Promise<PageOf<Invitation>>;
}

/** Makes the rules of inviting. They count mails, so there is one of them in a process. */
export function invitationRules(deps: InvitationDeps): InvitationRules {
  const { ambient } = deps;
  const mails = attemptCounter(COUNTED_MAX);

  function newLink({ atMs }: Origin): { secret: string; link: InvitationLink } {
    const secret = newLinkSecret(ambient);
    const expiresAtMs = atMs + INVITATION_MS;
    return {
      secret,
      link: { digest: digestToken(secret), expiresAtMs, mailed: deps.mail !== null },
    };
  }

  /** Hands the link over in the one way there is. */
  async function handOver(
    { account, siteOrigin, origin }: Sender,
    invitation: Invitation,
    { secret, link }: { readonly secret: string; readonly link: InvitationLink },
  ): Promise<Sent> {
    const url = `${siteOrigin}/invitation#${secret}`;
    if (deps.mail === null) return { invitation, link: url, mailError: null };
    const own = await account.findOwnAccount();
    const text = mailText({ invitation, accountName: own?.name ?? "", url, by: origin.actor });
    const mail = { to: invitation.email, subject: "You are invited to Latchkey", text };
    const mailError = await trySending(deps, deps.mail, mail);
    if (mailError === null) return { invitation, link: null, mailError };
    await account.markUnmailed(link.digest);
    return { invitation: { ...invitation, mailed: false }, link: null, mailError };
  }

  function countMail(account: AccountStore, email: string): void {
    if (deps.mail === null) return;
    const nowMs = ambient.nowMs();
    spendAttempt(mails, account.accountId, MAILS_PER_ACCOUNT, nowMs, TOO_MANY);
    spendAttempt(mails, email, MAILS_PER_ADDRESS, nowMs, TOO_MANY);
  }

  return {
    async invite(sender, { email, role }) {
      const { account, origin } = sender;
      countMail(account, email);
      const made = newLink(origin);
      const permits = permitsOf(origin, mayManage);
      const invitation = { ...made.link, id: ambient.sortableId("inv"), email, role };
      const done = await account.invite(invitation, { permits, openMax: OPEN_MAX }, origin);
      switch (done.outcome) {
        case "created":
          return handOver(sender, done.invitation, made);
        case "forbidden":
          throw forbidden();
        case "member":
          throw new Failure("conflict", "Somebody with this address is a member already.");
        case "too_many":
          throw new Failure("conflict", `${OPEN_MAX} invitations are open, which is the most.`);
      }
    },

    async sendAgain(sender, id) {
      const { account, origin } = sender;
      const made = newLink(origin);
      const permits = permitsOf(origin, mayManage);
      const known = await account.findInvitation(id);
      if (known !== undefined) countMail(account, known.email);
      const done = await account.renewInvitation(id, made.link, permits, origin);
      if (done.outcome === "sent") return handOver(sender, done.invitation, made);
      throw done.outcome === "absent" ? missing("invitation") : forbidden();
    },

    async cancel(account, id, origin) {
      const permits = permitsOf(origin, mayManage);
      const done = await account.cancelInvitation(id, permits, origin);
      if (done.outcome === "cancelled") return done.invitation;
      throw done.outcome === "absent" ? missing("invitation") : forbidden();
    },

    list: async (account, page) => pageOf(await account.listInvitations(page), page),
  };
}

/** What accepting needs. `hashPassword` is better-auth's own. */
export interface AcceptDeps {
  readonly store: Pick<Store, "findOpenInvitation" | "acceptInvitation" | "findPerson">;
  readonly ambient: Ambient;
  readonly hashPassword: (password: string) => Promise<string>;
}

/** @throws Failure `resource_missing`, one and the same for a link that is unknown, used, cancelled or expired. */
export async function openInvitation(
  { store, ambient }: Pick<AcceptDeps, "store" | "ambient">,
  secret: string,
): Promise<OpenedInvitation> {
  const found = await store.findOpenInvitation(digestToken(secret), ambient.nowMs());
  if (found === undefined) throw deadLink();
  return found;
}

/**
 * Makes somebody a member: whoever is signed in under the address invited, or a new person.
 *
 * @param originOf Completes the change's origin with who did it.
 * @returns Also the address, by which a new person signs in.
 * @throws Failure `resource_missing` as {@link openInvitation}; `conflict` for somebody signed in under another address,
 *   for a newcomer whose address somebody has, and for a member.
 */
export async function acceptInvitation(
  deps: AcceptDeps,
  secret: string,
  who: Newcomer | { readonly personId: string; readonly name: string; readonly email: string },
  originOf: (actor: Actor) => Origin,
): Promise<{ readonly account: Account; readonly role: Role; readonly email: string }> {
  const { invitation } = await openInvitation(deps, secret);
  const { email } = invitation;
  const person =
    "personId" in who
      ? { id: who.personId, email: who.email }
      : await newPerson(deps, who, invitation);
  const origin = originOf({ type: "person", id: person.id, name: who.name });
  const done = await deps.store.acceptInvitation(digestToken(secret), person, origin);
  switch (done.outcome) {
    case "accepted":
      return { account: done.account, role: done.role, email };
    case "absent":
      throw deadLink();
    case "other_person":
      throw new Failure(
        "conflict",
        `This invitation is for ${email}, and you are signed in as ${person.email}.`,
      );
    case "person_exists":
      throw personExists(email);
    case "member":
      throw new Failure("conflict", "You are a member of this account already.");
  }
}

/**
 * Somebody who comes without a session. A mailed link proves their address, so that it replaces whoever signed up with it
 * and proved nothing; one that was handed over replaces nobody.
 *
 * @throws Failure `conflict`, before a password is hashed: a link alone makes the server work for no answer.
 */
async function newPerson(
  { store, ambient, hashPassword }: AcceptDeps,
  { name, password }: Newcomer,
  { email, mailed }: Invitation,
): Promise<NewPerson | ReplacingPerson> {
  const known = await store.findPerson(email);
  if (known === undefined) {
    const passwordHash = await hashPassword(password);
    return { id: ambient.sortableId("per"), name, email, passwordHash };
  }
  if (known.isProved || !mailed) throw personExists(email);
  const passwordHash = await hashPassword(password);
  return { id: known.id, name, email, passwordHash, nextEventId: () => ambient.sortableId("evt") };
}

function personExists(email: string): Failure {
  return new Failure("conflict", `Somebody signs in as ${email} already: sign in, then accept.`);
}

/**
 * Sends a mail, or says in words for whoever invited why that did not happen. A mail server that does not answer in time
 * may still have taken it: then the link works.
 */
async function trySending(
  { ambient, logger }: InvitationDeps,
  send: SendMail,
  mail: Parameters<SendMail>[0],
): Promise<string | null> {
  let cancel = (): void => {};
  const late = new Promise<string>((resolve) => {
    cancel = ambient.after(MAIL_MAX_MS, () => resolve("The mail server did not answer in time."));
  });
  const sent = send(mail).then(
    () => null,
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn({ part: "mail", reason }, "an invitation was not mailed");
      return refusalOf(error);
    },
  );
  try {
    return await Promise.race([sent, late]);
  } finally {
    cancel();
  }
}

/** SMTP's own code tells an address that does not exist from a server that is full (RFC 5321, section 4.2). */
function refusalOf(error: unknown): string {
  const code = error instanceof Error && "responseCode" in error ? error.responseCode : undefined;
  return typeof code === "number"
    ? `The mail server refused it (${code}).`
    : "The mail server could not be reached.";
}

function mailText(mail: {
  readonly invitation: Invitation;
  readonly accountName: string;
  readonly url: string;
  readonly by: Actor;
}): string {
  const { invitation, accountName, url, by } = mail;
  const opening =
    by.type === "person"
      ? `${by.name} invites you to join "${accountName}"`
      : `You are invited to join "${accountName}"`;
  const ends = `${new Date(invitation.expiresAtMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return [
    `${opening} on Latchkey, as ${invitation.role}.`,
    "",
    `To accept, open this link. It works once, until ${ends}:`,
    "",
    url,
    "",
    "Whoever has the link can accept. If you expected no invitation, ignore this mail: nothing happens then.",
    "",
  ].join("\n");
}

function forbidden(): Failure {
  return new Failure("access_denied", "Your role does not allow this.");
}

function deadLink(): Failure {
  return new Failure(
    "resource_missing",
    "This invitation does not exist, or not any more: it was used, cancelled, replaced or has expired. Ask for a new one.",
  );
}
