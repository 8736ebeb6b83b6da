import { waitFor } from "../child.ts";
import { secretOf, visit } from "../http/visitor.ts";
import type { Heard } from "../http/world.ts";
import { totpCode } from "../totp.ts";

/** A session as the browser that holds it knows it; `id` once it has been looked up. */
export interface Session {
  readonly cookie: string;
  readonly id: string | null;
}

/** What is the case of somebody's sign-in. */
export interface SignInState {
  /** `null`: there is nobody yet. */
  readonly password: string | null;
  readonly hasSecondFactor: boolean;
  /** Of the sessions that are known, those that live. */
  readonly sessions: readonly Session[];
  /** Codes that were not used; none where nobody heard them. */
  readonly recoveryCodes: readonly string[];
}

/** Of somebody who is not there yet. */
export const NOBODY: SignInState = {
  password: null,
  hasSecondFactor: false,
  sessions: [],
  recoveryCodes: [],
};

/** An answer, and what the browser holds afterwards. */
export type Answer = Heard & { readonly cookie: string };

/** One way to change a sign-in. */
export interface Deed {
  /** The entry that it leaves in the audit log. */
  readonly action: string;
  /** An entry that it leaves besides where there was something to take away. */
  readonly besides?: string;
  /** Whether it may find nothing left to alter: then it is granted, and leaves no entry. */
  readonly mayAlterNothing?: boolean;
  ask(url: string, name: string): Promise<Answer>;
  /** What is the case once it is done. `answer` is `null` where nobody heard one. */
  effect(state: SignInState, answer: Answer | null): SignInState;
}

/** One call from a browser that holds these cookies and goes by `name`, from an address of its own. */
export async function call(
  url: string,
  to: string,
  said: { body?: object; cookie?: string; name?: string; token?: string } = {},
): Promise<Answer> {
  const { body, cookie = "", name = "nobody in particular", token } = said;
  const visitor = visit(url, "", { cookie });
  const bearer = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const heard = await visitor.call(to, body, { "User-Agent": name, ...bearer });
  return { ...heard, cookie: visitor.cookie() };
}

/**
 * The same of what may be repeated, and is for as long as the database is away (503), or too many passwords are checked at
 * once (429).
 */
export async function callUntilAnswered(...asked: Parameters<typeof call>): Promise<Answer> {
  return waitFor(
    "an answer",
    async () => {
      const answer = await call(...asked);
      return [429, 503].includes(answer.status) ? undefined : answer;
    },
    { withinMs: 30_000, everyMs: 100 },
  );
}

/** The session that takes the place of the one that a deed was done by; none where nobody heard of it. */
const successor = (answer: Answer | null): readonly Session[] =>
  answer === null ? [] : [{ cookie: answer.cookie, id: null }];

const without = (sessions: readonly Session[], gone: Session) =>
  sessions.filter(({ cookie }) => cookie !== gone.cookie);

export function signUp(email: string, password: string): Deed {
  return {
    action: "person.signed_up",
    ask: (url, name) =>
      call(url, "POST /auth/sign-up/email", { name, body: { name: "Somebody", email, password } }),
    effect: (_, answer) => ({ ...NOBODY, password, sessions: successor(answer) }),
  };
}

export function changePassword(by: Session, current: string, password: string): Deed {
  const body = { current_password: current, password };
  return {
    action: "person.password_changed",
    ask: (url, name) => call(url, "POST /auth/change-password", { name, cookie: by.cookie, body }),
    effect: (state, answer) => ({ ...state, password, sessions: successor(answer) }),
  };
}

export function resetPassword(secret: string, password: string): Deed {
  const body = { token: secret, password };
  return {
    action: "person.password_reset",
    ask: (url, name) => call(url, "POST /auth/reset-password", { name, body }),
    effect: (state) => ({ ...state, password, sessions: [] }),
  };
}

/** What turns a second factor on, once it was begun. */
export interface Enrolment {
  readonly uri: string;
  readonly recoveryCodes: readonly string[];
}

/** @param aheadMs Makes it another code: one is good once, and the next half minute's is taken a little early. */
export function turnOn(by: Session, { uri, recoveryCodes }: Enrolment, aheadMs: number): Deed {
  return {
    action: "person.two_factor_enabled",
    ask(url, name) {
      const body = { code: totpCode(uri, Date.now() + aheadMs) };
      return call(url, "POST /auth/two-factor/verify-totp", { name, cookie: by.cookie, body });
    },
    effect: (state, answer) => ({
      ...state,
      hasSecondFactor: true,
      recoveryCodes,
      sessions: successor(answer),
    }),
  };
}

export function turnOff(by: Session, password: string): Deed {
  return {
    action: "person.two_factor_disabled",
    ask: (url, name) =>
      call(url, "POST /auth/two-factor/disable", { name, cookie: by.cookie, body: { password } }),
    effect: (state, answer) => ({
      ...state,
      hasSecondFactor: false,
      recoveryCodes: [],
      sessions: [...without(state.sessions, by), ...successor(answer)],
    }),
  };
}

export function replaceRecoveryCodes(by: Session, password: string): Deed {
  const { cookie } = by;
  return {
    action: "person.recovery_codes_replaced",
    ask: (url, name) =>
      call(url, "POST /auth/two-factor/generate-backup-codes", {
        name,
        cookie,
        body: { password },
      }),
    effect: (state, answer) => ({ ...state, recoveryCodes: answer?.body.recovery_codes ?? [] }),
  };
}

export function endSession(by: Session, other: Session): Deed {
  return {
    action: "person.sessions_ended",
    mayAlterNothing: true,
    ask: (url, name) =>
      call(url, "POST /auth/revoke-session", { name, cookie: by.cookie, body: { id: other.id } }),
    effect: (state) => ({ ...state, sessions: without(state.sessions, other) }),
  };
}

export function endOtherSessions(by: Session): Deed {
  return {
    action: "person.sessions_ended",
    mayAlterNothing: true,
    ask: (url, name) =>
      call(url, "POST /auth/revoke-other-sessions", { name, cookie: by.cookie, body: {} }),
    effect: (state) => ({
      ...state,
      sessions: state.sessions.filter(({ cookie }) => cookie === by.cookie),
    }),
  };
}

/** @param hear Is told the secret of the link. */
export function makeResetLink(
  operatorToken: string,
  ask: { email: string; removesSecondFactor: boolean },
  hear: (secret: string) => void = () => {},
): Deed {
  const { email, removesSecondFactor } = ask;
  const action = "password_reset_link.created";
  return {
    action,
    ...(removesSecondFactor ? { besides: "person.two_factor_disabled" } : {}),
    async ask(url, name) {
      const body = { email, remove_two_factor: removesSecondFactor };
      const answer = await call(url, "POST /v1/password_reset_links", {
        name,
        token: operatorToken,
        body,
      });
      if (answer.status === 201) hear(secretOf(answer.body.url));
      return answer;
    },
    effect: (state) =>
      removesSecondFactor ? { ...state, hasSecondFactor: false, recoveryCodes: [] } : state,
  };
}
