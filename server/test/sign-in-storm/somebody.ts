import { expect } from "vitest";
import type { Random } from "../simulator/random.ts";
import {
  type Attempt,
  attempt,
  isGranted,
  isLost,
  judgeEntries,
  type ReadEntries,
  stateAfter,
} from "./attempts.ts";
import {
  call,
  callUntilAnswered,
  changePassword,
  type Deed,
  type Enrolment,
  endOtherSessions,
  endSession,
  makeResetLink,
  NOBODY,
  replaceRecoveryCodes,
  resetPassword,
  type Session,
  signUp,
  turnOff,
  turnOn,
} from "./deeds.ts";

/** Where somebody is. */
export interface Place {
  readonly random: Random;
  readonly operatorToken: string;
  readonly entries: ReadEntries;
  /** Servers of one installation. */
  readonly urls: readonly string[];
  /** Is told of each deed that was answered, or whose answer was lost. */
  heard?(): void;
}

/** Sessions that somebody has before they begin. */
const SESSIONS = 3;

/** Deeds that somebody asks for at once. */
export const DEEDS = 5;

/** Sessions whose end is looked at once more. */
const REMEMBERED = 10;

/** What became of what somebody asked for, to be counted. */
export interface Told {
  readonly granted: number;
  readonly refused: number;
  /** Nobody was told, or that the database is away. */
  readonly lost: number;
  /** Of those, done nevertheless. */
  readonly lostAndDone: number;
  readonly entries: number;
}

/** Somebody who does things to their own sign-in, several at once, and knows what has to be the case afterwards. */
export interface Somebody {
  /** Signs in and makes ready what the next deeds need. */
  prepare(): Promise<void>;
  /** Asks for several deeds at once, of any server, and does not look whether they are done. */
  crowd(): Promise<void>;
  /**
   * Holds what became of them against the audit log, and the sign-in against both, on every server. Repeats what it looks
   * at for as long as the database is away.
   */
  settle(): Promise<Told>;
}

/** @param name Of its own: what is said of them in the audit log is found by it. */
export function createSomebody(place: Place, name: string): Somebody {
  const { random } = place;
  const email = `${name}@example.com`;
  let state = NOBODY;
  let attempts: Attempt[] = [];
  let enrolment: Enrolment | null = null;
  let link: string | null = null;
  let known: Session[] = [];
  let passwords = 0;
  let crowds = 0;

  const somewhere = (): string => random.pick(place.urls);
  const newPassword = (): string => `the long password ${++passwords} of ${name}`;

  /** Signs in, with a recovery code where one is wanted. @returns `null` where none is known. */
  async function enter(url: string, password: string): Promise<Session | null> {
    const first = await callUntilAnswered(url, "POST /auth/sign-in/email", {
      body: { email, password },
    });
    expect([name, first.status, first.body.two_factor === true]).toEqual([
      name,
      200,
      state.hasSecondFactor,
    ]);
    let { cookie } = first;
    if (state.hasSecondFactor) {
      const [code, ...recoveryCodes] = state.recoveryCodes;
      if (code === undefined) return null;
      state = { ...state, recoveryCodes };
      const to = "POST /auth/two-factor/verify-backup-code";
      const second = await call(url, to, { cookie, body: { code } });
      if (second.status === 503) return enter(url, password); // whether it is used up, nobody knows
      expect([name, to, second.status, second.body.message]).toEqual([name, to, 200, undefined]);
      cookie = second.cookie;
    }
    const { body } = await callUntilAnswered(url, "GET /auth/list-sessions", { cookie });
    const own = body.entries.find((entry: { current: boolean }) => entry.current);
    return { cookie, id: own.id };
  }

  /** What somebody in this state may ask for, at whom a choice is made. */
  function choices(): readonly (() => Deed)[] {
    const { password, hasSecondFactor, sessions } = state;
    const { operatorToken } = place;
    if (password === null) return [() => signUp(email, newPassword())];
    const linking = (removesSecondFactor: boolean) => () =>
      makeResetLink(operatorToken, { email, removesSecondFactor }, (secret) => {
        link = secret;
      });
    const always = [() => signUp(email, newPassword()), linking(false), linking(true)];
    const held = link;
    if (held !== null) {
      const reset = () => resetPassword(held, newPassword());
      always.push(reset, reset);
    }
    if (sessions.length === 0) return always;
    const by = () => random.pick(sessions);
    const others = sessions.filter(({ id }) => id !== null);
    const change = () => changePassword(by(), password, newPassword());
    const bySession: (() => Deed)[] = [change, change, () => endOtherSessions(by())];
    if (others.length > 0) bySession.push(() => endSession(by(), random.pick(others)));
    const off = () => turnOff(by(), password);
    bySession.push(off);
    if (hasSecondFactor) bySession.push(off, () => replaceRecoveryCodes(by(), password));
    const begun = enrolment;
    if (begun !== null) {
      const on = () => turnOn(by(), begun, random.pick([0, 30_000]));
      bySession.push(on, on, on);
    }
    return [...always, ...bySession];
  }

  /** No session of theirs lives that should not, and none is dead that should live: on every server. */
  async function judgeSessions(): Promise<void> {
    const alive = new Set(state.sessions.map(({ cookie }) => cookie));
    const met = new Map([...known, ...state.sessions].map((session) => [session.cookie, session]));
    known = [...met.values()].slice(-REMEMBERED);
    for (const url of place.urls) {
      const statuses = await Promise.all(
        known.map(
          async ({ cookie }) => (await callUntilAnswered(url, "GET /v1/me", { cookie })).status,
        ),
      );
      const expected = known.map(({ cookie }) => (alive.has(cookie) ? 200 : 401));
      expect({ name, url, statuses }).toEqual({ name, url, statuses: expected });
    }
  }

  /** The password signs in that was set last, as that wants it, and no other that was tried: on every server. */
  async function judgePassword(): Promise<void> {
    const tried = `the long password ${passwords} of ${name}`;
    const others = [tried].filter((one) => one !== state.password);
    for (const url of place.urls) {
      for (const password of others) {
        const body = { email, password };
        const { status } = await callUntilAnswered(url, "POST /auth/sign-in/email", { body });
        expect([name, "another password", status]).toEqual([name, "another password", 401]);
      }
      if (state.password === null) continue;
      const session = await enter(url, state.password);
      if (session !== null) state = { ...state, sessions: [...state.sessions, session] };
    }
  }

  return {
    async prepare() {
      const { password } = state;
      if (password === null) return;
      while (state.sessions.length < SESSIONS) {
        const session = await enter(somewhere(), password);
        if (session === null) break;
        state = { ...state, sessions: [...state.sessions, session] };
      }
      enrolment = null;
      const [by] = state.sessions;
      if (by === undefined || state.hasSecondFactor) return;
      const asked = { cookie: by.cookie, body: { password } };
      const to = "POST /auth/two-factor/enable";
      const { body, status } = await callUntilAnswered(somewhere(), to, asked);
      expect([name, to, status]).toEqual([name, to, 200]);
      enrolment = { uri: body.totp_uri, recoveryCodes: body.recovery_codes };
    },

    async crowd() {
      crowds += 1;
      const offered = choices();
      const deeds = Array.from({ length: DEEDS }, () => random.pick(offered)());
      attempts = await Promise.all(
        deeds.map((deed, index) =>
          attempt(somewhere(), `${name}, crowd ${crowds}, deed ${index}`, deed).finally(
            place.heard,
          ),
        ),
      );
    },

    async settle() {
      const entries = await place.entries(`${name}, crowd ${crowds}, `);
      judgeEntries(attempts, entries);
      expect(new Set(entries.map((entry) => entry.subject_id)).size).toBeLessThanOrEqual(1);
      state = stateAfter(state, attempts, entries);
      await judgeSessions();
      await judgePassword();
      const lost = attempts.filter(isLost).length;
      const granted = attempts.filter(isGranted).length;
      return {
        granted,
        lost,
        lostAndDone: attempts.filter(
          (tried) => isLost(tried) && entries.some((entry) => entry.user_agent === tried.name),
        ).length,
        refused: attempts.length - lost - granted,
        entries: entries.length,
      };
    },
  };
}
