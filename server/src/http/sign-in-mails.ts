import type { Logger } from "pino";
import type { SendMail } from "../mail.ts";
import type { Store } from "../store/store.ts";

/** Minutes for which a mailed or handed link resets a password. */
export const RESET_MINUTES = 30;

/** Minutes for which a mailed link confirms an address. */
export const CONFIRMATION_MINUTES = 60;

/** What a mail is addressed to and where its link leads. */
interface Addressed {
  readonly to: string;
  /** The dashboard's origin. */
  readonly origin: string;
}

/**
 * The mails of sign-in. None is waited for: how long a mail takes would tell who has a sign-in here. None repeats a name:
 * whoever signs up with somebody else's address would choose what we write to them.
 */
export interface SignInMails {
  resetPassword(mail: Addressed & { readonly token: string }): void;
  confirmAddress(mail: Addressed & { readonly token: string }): void;
  /** To whoever proved that the address is theirs. */
  signedUpAgain(mail: Addressed): void;
  /** To an address that nobody has proved: with a new password, chosen by this link, its reader does. */
  signedUpUnproved(mail: Addressed & { readonly token: string }): void;
}

/**
 * @param deps.send Resolves when the mail server has taken a mail.
 * @param deps.whenKept No mail tells of what is not kept.
 */
export function signInMails(deps: {
  readonly send: SendMail;
  readonly whenKept: Store["whenKept"];
  readonly logger: Logger;
}): SignInMails {
  function post(to: string, subject: string, lines: readonly string[]): void {
    deps.whenKept(() => {
      deps
        .send({ to, subject, text: `${lines.join("\n\n")}\n` })
        .catch((err: unknown) => deps.logger.error({ err }, "a mail of sign-in was not sent"));
    });
  }

  return {
    resetPassword: ({ to, origin, token }) =>
      post(to, "Choose a new password for Latchkey", [
        `With this link you choose a new password at ${origin}. It works once, for ${RESET_MINUTES} minutes:`,
        `${origin}/reset-password#${token}`,
        "If you did not ask for it, do nothing: your password stays as it is.",
      ]),

    confirmAddress: ({ to, origin, token }) =>
      post(to, "Confirm your e-mail address for Latchkey", [
        `Somebody signed up for Latchkey at ${origin} with this e-mail address. If it was you, confirm it:`,
        `${origin}/verify-email#${token}`,
        "You are asked there for the password that you chose. If it was not you, do nothing: the sign-in cannot be used.",
      ]),

    signedUpUnproved: ({ to, origin, token }) =>
      post(to, "Choose a password for Latchkey", [
        `Somebody signed up for Latchkey at ${origin} with this e-mail address, and somebody did before, without confirming it. The password is still the first one.`,
        `If you want to sign in, choose a password with this link, which confirms the address too. It works once, for ${RESET_MINUTES} minutes:`,
        `${origin}/reset-password#${token}`,
        "If it was not you, do nothing: the sign-in cannot be used.",
      ]),

    signedUpAgain: ({ to, origin }) =>
      post(to, "You have a sign-in for Latchkey", [
        `Somebody signed up for Latchkey at ${origin} with this e-mail address, which has a sign-in already. Nothing was changed.`,
        `If it was you, sign in at ${origin}/sign-in. If you do not know the password, choose "Forgot your password?" there.`,
      ]),
  };
}
