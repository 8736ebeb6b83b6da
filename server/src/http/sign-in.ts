import { Failure } from "@latchkey/sdk/core";
import { z } from "zod";
import { attemptCounter } from "../domain/attempts.ts";
import { PASSWORD_MAX } from "../domain/setup.ts";
import { readJsonBody } from "./body.ts";
import type { HttpBindings } from "./front.ts";
import { isOwnOrigin, type OwnOrigin } from "./origin.ts";
import { parseQuery, parseWith } from "./parse.ts";
import {
  ADDRESS_HEADER,
  openSignInLibrary,
  SIGN_IN_PATH,
  type SignInDeps,
} from "./sign-in-library.ts";

/**
 * Wrong passwords for one e-mail address, wherever they come from: rotating addresses do not help a guesser. The cost
 * is that a stranger can keep somebody from signing in; API keys are not touched by that.
 */
const GUESSES_PER_EMAIL = { max: 10, windowMs: 15 * 60_000 } as const;

/** E-mail addresses whose wrong passwords are counted. */
const EMAILS_MAX = 10_000;

/** Passwords checked at once. Each takes 16 MiB or more and tens of milliseconds of a thread (scrypt). */
const CHECKS_MAX = 16;

const NO_PARAMETERS = z.strictObject({});

const SIGN_IN_BODY = z.strictObject({
  email: z
    .string()
    .max(254, "At most 254 characters.")
    .toLowerCase()
    .pipe(z.email("Must be an e-mail address.")),
  password: z
    .string()
    .min(1, "Must not be empty.")
    .max(PASSWORD_MAX, `At most ${PASSWORD_MAX} characters.`),
});

/** Who is signed in. */
export interface SignedIn {
  readonly personId: string;
  readonly name: string;
  readonly email: string;
}

/** What sign-in needs to know of the request that it answers. */
export type Caller = Pick<HttpBindings, "address" | "userAgent">;

/** Dashboard sign-in: see {@link createSignIn}. */
export interface SignIn {
  /** Answers every request under `/auth`. @throws Failure for whatever is not a success. */
  handle(request: Request, caller: Caller): Promise<Response>;
  /** Whose session the cookies of a request are; `null` for none, ended or expired. Reads only. */
  session(headers: Headers): Promise<SignedIn | null>;
  /** `Set-Cookie` values that carry a session in use past its week; empty when there is nothing to renew. */
  renew(headers: Headers): Promise<readonly string[]>;
  /** Signs somebody in whose password was just set. @returns The `Set-Cookie` values of the new session. */
  begin(credentials: { email: string; password: string }, caller: Caller): Promise<string[]>;
}

/**
 * Puts our door before better-auth: an allow-list of three routes, our origin rule, strict bodies, flat errors. The
 * library sees only requests that are built here from what was checked, and its answers leave without the session's
 * token, which belongs in the HttpOnly cookie alone.
 */
export function createSignIn(deps: SignInDeps & { readonly ownOrigin: OwnOrigin }): SignIn {
  const { library, baseURL } = openSignInLibrary(deps);
  const guesses = attemptCounter(EMAILS_MAX);
  let checks = 0;

  const routes: Readonly<Record<string, Route>> = {
    "/sign-in/email": { method: "POST", answer: signIn },
    "/sign-out": { method: "POST", answer: signOut },
    "/get-session": { method: "GET", answer: getSession },
  };

  async function handle(request: Request, caller: Caller): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const path = pathname.slice(SIGN_IN_PATH.length);
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined || !pathname.startsWith(SIGN_IN_PATH))
      throw new Failure("resource_missing", "There is nothing at this address.");
    if (request.method !== route.method)
      throw new Failure("method_not_allowed", `Use ${route.method}.`);
    if (route.method === "POST" && !isOwnOrigin(request.headers, deps.ownOrigin))
      throw new Failure("access_denied", "The request does not come from the dashboard's origin.");
    parseQuery(NO_PARAMETERS, search);
    return route.answer(request, caller);
  }

  async function signIn(request: Request, caller: Caller): Promise<Response> {
    const body = parseWith(SIGN_IN_BODY, (await readJsonBody(request)).value);
    const waitMs = guesses.take(body.email, GUESSES_PER_EMAIL, deps.ambient.nowMs());
    if (waitMs > 0) throw tooMany(Math.ceil(waitMs / 1000));
    if (checks >= CHECKS_MAX) {
      guesses.giveBack(body.email);
      throw tooMany(1);
    }
    checks += 1;
    let answer: Response;
    try {
      answer = await ask("POST", "/sign-in/email", request.headers, caller, body);
    } finally {
      checks -= 1;
    }
    if (answer.status === 429) {
      guesses.giveBack(body.email);
      throw tooMany(Number(answer.headers.get("X-Retry-After")) || 60);
    }
    if (!answer.ok) throw failureOf(answer.status);
    guesses.forget(body.email);
    const { user } = SIGN_IN_ANSWER.parse(await answer.json());
    return respond(personJson({ personId: user.id, ...user }), answer.headers.getSetCookie());
  }

  async function signOut(request: Request, caller: Caller): Promise<Response> {
    parseWith(NO_PARAMETERS, (await readJsonBody(request)).value);
    const answer = await ask("POST", "/sign-out", request.headers, caller, {});
    if (!answer.ok) throw failureOf(answer.status);
    // The library says "signed out" also when it could not delete the session.
    if ((await session(request.headers)) !== null)
      throw new Failure("service_unavailable", "You are still signed in. Try again.");
    return respond(null, answer.headers.getSetCookie());
  }

  async function getSession(request: Request, caller: Caller): Promise<Response> {
    const answer = await ask("GET", "/get-session", request.headers, caller);
    if (!answer.ok) throw failureOf(answer.status);
    const found = SESSION_ANSWER.parse(await answer.json());
    const person = found === null ? null : { personId: found.user.id, ...found.user };
    return respond(person === null ? null : personJson(person), answer.headers.getSetCookie());
  }

  /** Asks the library as ourselves: of the caller's headers only the cookies and the browser's name go along. */
  function ask(
    method: "GET" | "POST",
    path: string,
    from: Headers,
    caller: Caller,
    body?: unknown,
  ): Promise<Response> {
    const headers = carry(from, caller);
    headers.set("Origin", baseURL);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    return library.handler(
      new Request(`${baseURL}${SIGN_IN_PATH}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  }

  async function session(headers: Headers): Promise<SignedIn | null> {
    if (!headers.has("Cookie")) return null;
    const found = await library.api.getSession({
      headers: carry(headers),
      query: { disableRefresh: true },
    });
    return found === null
      ? null
      : { personId: found.user.id, name: found.user.name, email: found.user.email };
  }

  return {
    handle,
    session,
    async renew(headers) {
      if (!headers.has("Cookie")) return [];
      const found = await library.api.getSession({ headers: carry(headers), returnHeaders: true });
      return found.response === null ? [] : found.headers.getSetCookie();
    },
    async begin(credentials, caller) {
      const begun = await library.api.signInEmail({
        body: credentials,
        headers: carry(new Headers(), caller),
        returnHeaders: true,
      });
      return begun.headers.getSetCookie();
    },
  };
}

interface Route {
  readonly method: "GET" | "POST";
  answer(request: Request, caller: Caller): Promise<Response>;
}

const PERSON = z.object({ id: z.string(), name: z.string(), email: z.string() });
const SIGN_IN_ANSWER = z.object({ user: PERSON });
const SESSION_ANSWER = z.object({ user: PERSON }).nullable();

function carry(from: Headers, caller?: Caller): Headers {
  const headers = new Headers();
  const cookie = from.get("Cookie");
  if (cookie !== null) headers.set("Cookie", cookie);
  if (caller !== undefined) headers.set(ADDRESS_HEADER, caller.address);
  if (caller?.userAgent) headers.set("User-Agent", caller.userAgent);
  return headers;
}

function personJson({ personId: id, name, email }: SignedIn) {
  return { person: { id, name, email } };
}

function respond(body: unknown, cookies: readonly string[]): Response {
  const response = Response.json(body, { headers: { "Cache-Control": "no-store" } });
  for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
  return response;
}

/** The same for an unknown address and a wrong password: nobody learns who has an account. */
function failureOf(status: number): Failure {
  if (status === 401 || status === 400)
    return new Failure("invalid_credentials", "The e-mail address or the password is wrong.");
  if (status === 403) return new Failure("access_denied", "This is not allowed.");
  if (status === 429) return tooMany(60);
  const cause = new Error(`the sign-in library answered ${status}`);
  return new Failure("internal_error", "Something went wrong on our side.", { cause });
}

function tooMany(retryAfterSeconds: number): Failure {
  return new Failure("rate_limited", "Too many attempts to sign in. Wait, then try again.", {
    retryAfterSeconds,
  });
}
