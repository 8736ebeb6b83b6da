import { Failure } from "@latchkey/sdk/core";
import { isAPIError } from "better-auth/api";
import { attemptCounter, spendAttempt } from "../domain/attempts.ts";
import { type Grounds, GroundsChanged, type PersonAction, type Store } from "../store/store.ts";
import { unauthenticated } from "./bearer.ts";
import { unconfined } from "./callers.ts";
import type { HttpBindings } from "./front.ts";
import type { OwnOrigin } from "./origin.ts";
import { originOf } from "./route.ts";
import {
  ADDRESS_HEADER,
  openSignInLibrary,
  SIGN_IN_PATH,
  type SignInDeps,
} from "./sign-in-library.ts";
import type { SignedIn } from "./signed-in.ts";

/**
 * Wrong passwords for one e-mail address, and wrong codes of one person, wherever they come from: rotating addresses do
 * not help a guesser. The cost is that a stranger can keep somebody from signing in; API keys are not touched by that.
 */
const GUESSES = { max: 10, windowMs: 15 * 60_000 } as const;

/** Addresses and people whose wrong guesses are counted. */
const GUESSED_MAX = 10_000;

/**
 * Asks the library to renew no session that is due: it would wherever it looks for one, and so write before it hashes a
 * password.
 */
export const READING = { disableRefresh: true } as const;

/** The one route of the library's that may. */
const RENEWING_PATH = "/get-session";

const TOO_MANY = "Too many attempts to sign in. Wait, then try again.";

/** What sign-in needs to know of the request that it answers. */
export type Caller = HttpBindings;

/** What the door of sign-in is built from. */
export interface DoorDeps extends SignInDeps {
  readonly ownOrigin: OwnOrigin;
  readonly store: Pick<
    Store,
    | "jointly"
    | "recordPersonDeed"
    | "recordPasswordSet"
    | "findPerson"
    | "findAccount"
    | "findGrounds"
    | "confirmGrounds"
    | "renewGrounds"
  >;
}

/** One route of the allow-list. */
export interface SignInRoute {
  readonly method: "GET" | "POST";
  answer(request: Request, caller: Caller): Promise<Response>;
}

/** Routes by their path below `/auth`. */
export type SignInRoutes = Readonly<Record<string, SignInRoute>>;

/** What stands between our routes and the library's. */
export type Door = ReturnType<typeof openDoor>;

/** Opens the library behind our door: it sees only requests that are built here from what was checked. */
export function openDoor(deps: DoorDeps) {
  const { ambient, store } = deps;
  const { library, baseURL } = openSignInLibrary(deps);
  const guesses = attemptCounter(GUESSED_MAX);

  /** Asks the library as ourselves: of the caller's headers only the cookies and the browser's name go along. */
  function ask(method: "GET" | "POST", path: string, said: Said): Promise<Response> {
    const { from, caller, body } = said;
    const headers = carry(from, caller);
    headers.set("Origin", baseURL);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    const url = new URL(`${baseURL}${SIGN_IN_PATH}${path}`);
    if (path !== RENEWING_PATH)
      for (const [name, value] of Object.entries(READING)) url.searchParams.set(name, `${value}`);
    return library.handler(
      new Request(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  }

  async function session(headers: Headers): Promise<SignedIn | null> {
    if (!headers.has("Cookie")) return null;
    const found = await library.api
      .getSession({ headers: carry(headers), query: READING })
      .catch((error: unknown) => {
        // The library says so of whatever kept it from reading.
        throw isAPIError(error) && error.statusCode === 500 ? unreadable(error) : error;
      });
    return found === null ? null : signedInOf(found);
  }

  const origin = ({ personId, name }: Named, caller: Caller) =>
    originOf(ambient, caller, { type: "person", id: personId, name });

  function take(key: string): void {
    spendAttempt(guesses, key, GUESSES, ambient.nowMs(), TOO_MANY);
  }

  return {
    deps,
    library,
    ask,
    session,

    /** Counts what may be a wrong guess, before it is known: many at once get no more than one after the other. */
    async guess(key: string, work: () => Promise<Response>): Promise<Response> {
      take(key);
      let isJudged = false;
      try {
        const answer = await work();
        isJudged = answer.status !== 429;
        if (answer.ok) guesses.forget(key);
        return answer;
      } finally {
        if (!isJudged) guesses.giveBack(key);
      }
    },

    /**
     * Begins a session, or a sign-in that waits for its second factor, by `work`; unless what it rests on has changed
     * meanwhile, by a new password, a second factor, or a link: then whoever changed it could not see it, and it is ended.
     *
     * @throws Failure then, with `wrong`, and without the cookies that the answer would have carried.
     */
    async signingIn<T extends { readonly headers: Headers }>(
      of: { readonly id: string } | { readonly email: string },
      wrong: string,
      work: (grounds: Grounds | undefined) => Promise<T>,
    ): Promise<T> {
      const grounds = await store.findGrounds(of);
      const answer = await work(grounds);
      if (answer.headers.getSetCookie().length === 0) return answer;
      const begun = await session(afterwards(new Headers(), answer));
      if (grounds !== undefined && (await store.confirmGrounds(grounds, begun?.sessionId ?? null)))
        return answer;
      throw new Failure("invalid_credentials", wrong);
    },

    /** Bounds how often something is done about one person, whoever asks for it. */
    bounded(key: string, work: () => Promise<Response>): Promise<Response> {
      take(key);
      return work();
    },

    /** Who is signed in. @throws Failure for nobody, and for a session that a sign-in link began. */
    async themselves(headers: Headers): Promise<SignedIn> {
      const person = await session(headers);
      if (person === null) throw unauthenticated("session");
      return unconfined(person);
    },

    /**
     * Who is signed in, asked within a deed of whoever was when it began.
     *
     * @throws Failure `conflict` when the session was ended meanwhile, e.g. replaced by what another tab did.
     */
    async stillThemselves(headers: Headers): Promise<SignedIn> {
      const person = await session(headers);
      if (person === null) throw changedMeanwhile();
      return unconfined(person);
    },

    /**
     * Does something to a sign-in by the library, and writes it into the audit log, in one transaction. Of what the
     * library refuses nothing is kept, and what altered nothing is not written down.
     *
     * @param whose The id of a person whose password and second factor are to be those that they are now; or whom it is done
     *   to, whatever those are; `null` for somebody who is not there yet.
     * @param record Writes it down.
     * @throws Failure `conflict` when the password or the second factor was changed since this began.
     */
    async deed(
      whose: string | { readonly personId: string } | null,
      work: () => Promise<Response>,
      record: (answer: Response) => Promise<void>,
    ): Promise<Response> {
      const grounds =
        typeof whose === "string" ? await store.findGrounds({ id: whose }) : undefined;
      const held = grounds ?? (typeof whose === "string" ? { personId: whose } : whose);
      try {
        return await store.jointly<Response>(held, async ({ hasWritten, undo }) => {
          const answer = await work();
          if (!answer.ok) return undo(answer);
          if (!hasWritten()) return answer;
          await record(answer);
          if (grounds !== undefined) await store.renewGrounds(grounds, ambient.nowMs());
          return answer;
        });
      } catch (error) {
        if (!(error instanceof GroundsChanged)) throw error;
        throw changedMeanwhile();
      }
    },

    record: (
      action: PersonAction,
      person: Named,
      caller: Caller,
      details?: Parameters<Store["recordPersonDeed"]>[3],
    ) => store.recordPersonDeed(action, person.personId, origin(person, caller), details),

    recordPassword: (
      action: "person.password_changed" | "person.password_reset",
      person: Named,
      caller: Caller,
    ) => store.recordPasswordSet(action, person.personId, origin(person, caller)),
  };
}

type Named = Pick<SignedIn, "personId" | "name">;

interface Said {
  readonly from: Headers;
  readonly caller: Caller;
  readonly body?: unknown;
}

interface Found {
  readonly user: {
    readonly id: string;
    readonly name: string;
    readonly email: string;
    readonly twoFactorEnabled?: boolean | null | undefined;
  };
  readonly session: { readonly id: string; readonly accountId?: string | null | undefined };
}

function signedInOf({ user, session }: Found): SignedIn {
  return {
    personId: user.id,
    name: user.name,
    email: user.email,
    sessionId: session.id,
    twoFactor: user.twoFactorEnabled === true,
    confinedTo: session.accountId ?? null,
  };
}

/** The headers that the library sees of a caller's. */
export function carry(from: Headers, caller?: Caller): Headers {
  const headers = new Headers();
  const cookie = from.get("Cookie");
  if (cookie !== null) headers.set("Cookie", cookie);
  if (caller !== undefined) headers.set(ADDRESS_HEADER, caller.address);
  if (caller?.userAgent) headers.set("User-Agent", caller.userAgent);
  return headers;
}

/** An answer with the library's cookies, which carry what no body of ours does: the session's token. */
export function respond(body: unknown, from?: Response): Response {
  const response = Response.json(body, { headers: { "Cache-Control": "no-store" } });
  for (const cookie of from?.headers.getSetCookie() ?? [])
    response.headers.append("Set-Cookie", cookie);
  return response;
}

/** Headers of a browser that has taken the cookies of an answer. */
export function afterwards(from: Headers, answer: { readonly headers: Headers }): Headers {
  const cookies = new Map(
    [...(from.get("Cookie")?.split("; ") ?? []), ...answer.headers.getSetCookie()].map((cookie) => {
      const [pair = ""] = cookie.split(";");
      return [pair.slice(0, pair.indexOf("=")), pair];
    }),
  );
  const headers = new Headers(from);
  headers.set("Cookie", [...cookies.values()].join("; "));
  return headers;
}

/**
 * What the library refused, as we say it.
 *
 * @param wrong What a 400 or 401 means here, and a 409: whoever comes second with a recovery code used at once with it.
 */
export function failureOf(answer: Response, wrong: string): Failure {
  const { status } = answer;
  if (status === 400 || status === 401 || status === 409)
    return new Failure("invalid_credentials", wrong);
  if (status === 403) return new Failure("access_denied", "This is not allowed.");
  if (status === 429) return tooMany(Number(answer.headers.get("X-Retry-After")) || 60);
  const cause = new Error(`the sign-in library answered ${status}`);
  if (status === 500) return unreadable(cause);
  return new Failure("internal_error", "Something went wrong on our side.", { cause });
}

/** Not "signed out", which a browser would take for the end of its session. */
export function unreadable(cause: unknown): Failure {
  return new Failure("service_unavailable", "The database does not answer. Try again.", { cause });
}

function changedMeanwhile(): Failure {
  return new Failure("conflict", "Your sign-in was changed meanwhile. Try again.");
}

function tooMany(retryAfterSeconds: number): Failure {
  return new Failure("rate_limited", TOO_MANY, { retryAfterSeconds });
}
