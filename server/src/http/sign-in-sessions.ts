import { Failure } from "@latchkey/sdk/core";
import { isAPIError } from "better-auth/api";
import { z } from "zod";
import { nothing } from "./fields.ts";
import { isoTime } from "./shapes.ts";
import {
  type Caller,
  carry,
  type Door,
  failureOf,
  READING,
  respond,
  type SignInRoutes,
  unreadable,
} from "./sign-in-door.ts";
import { bodyOf, shapePerson } from "./sign-in-passwords.ts";
import { endOtherSessions } from "./sign-in-two-factor.ts";

const REVOKE = z.strictObject({ id: z.string().regex(/^ses_[0-9a-f]{32}$/, "Is not a session.") });

/** The sessions of whoever is signed in, and their ends. */
export function sessionRoutes(door: Door): SignInRoutes {
  return {
    "/sign-out": { method: "POST", answer: (...asked) => signOut(door, ...asked) },
    "/get-session": { method: "GET", answer: (...asked) => getSession(door, ...asked) },
    "/list-sessions": { method: "GET", answer: (request) => listSessions(door, request) },
    "/revoke-session": { method: "POST", answer: (...asked) => revokeSession(door, ...asked) },
    "/revoke-other-sessions": {
      method: "POST",
      answer: (...asked) => revokeOthers(door, ...asked),
    },
  };
}

async function signOut(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  await bodyOf(nothing, request);
  const answer = await door.ask("POST", "/sign-out", { from, caller, body: {} });
  if (!answer.ok) throw failureOf(answer, "You are not signed in.");
  // The library says "signed out" also when it could not delete the session.
  if ((await door.session(from)) !== null)
    throw new Failure("service_unavailable", "You are still signed in. Try again.");
  return respond(null, answer);
}

const SESSION_ANSWER = z
  .object({ user: z.object({ id: z.string(), name: z.string(), email: z.string() }) })
  .nullable();

async function getSession(door: Door, request: Request, caller: Caller): Promise<Response> {
  const answer = await door.ask("GET", "/get-session", { from: request.headers, caller });
  if (!answer.ok) throw failureOf(answer, "You are not signed in.");
  const found = SESSION_ANSWER.parse(await answer.json());
  return respond(found === null ? null : shapePerson(found.user), answer);
}

async function listSessions(door: Door, request: Request): Promise<Response> {
  const person = await door.themselves(request.headers);
  const sessions = await sessionsOf(door, request.headers);
  const newestFirst = sessions.toSorted((one, other) => (one.id < other.id ? 1 : -1));
  const entries = await Promise.all(
    newestFirst.map(async ({ id, createdAt, updatedAt, expiresAt, ...session }) => ({
      id,
      created_at: isoTime(createdAt.getTime()),
      last_used_at: isoTime(updatedAt.getTime()),
      expires_at: isoTime(expiresAt.getTime()),
      address: session.ipAddress || null,
      user_agent: session.userAgent || null,
      current: id === person.sessionId,
      account: await slugOf(door, session.accountId),
    })),
  );
  return respond({ entries });
}

/** @throws Failure when the session of these headers has just been ended, or they cannot be read. */
async function sessionsOf(door: Door, headers: Headers) {
  try {
    return await door.library.api.listSessions({ headers: carry(headers), query: READING });
  } catch (error) {
    if (!isAPIError(error)) throw error;
    // The library says 401 of both.
    await door.themselves(headers);
    throw unreadable(error);
  }
}

/** Of the one account that a session reaches. */
async function slugOf(door: Door, accountId: string | null | undefined): Promise<string | null> {
  if (!accountId) return null;
  return (await door.deps.store.findAccount(accountId))?.slug ?? null;
}

async function revokeSession(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const person = await door.themselves(from);
  const { id } = await bodyOf(REVOKE, request);
  const sessions = await sessionsOf(door, from);
  const found = sessions.find((session) => session.id === id);
  if (found === undefined) throw new Failure("resource_missing", "There is no such session.");
  const body = { token: found.token };
  const answer = await door.deed(
    { personId: person.personId },
    () => door.ask("POST", "/revoke-session", { from, caller, body }),
    () => door.record("person.sessions_ended", person, caller),
  );
  if (!answer.ok) throw failureOf(answer, "You are not signed in.");
  return respond({}, answer);
}

async function revokeOthers(door: Door, request: Request, caller: Caller): Promise<Response> {
  const person = await door.themselves(request.headers);
  await bodyOf(nothing, request);
  await door.deed(
    { personId: person.personId },
    () => endOtherSessions(door, request.headers, caller),
    () => door.record("person.sessions_ended", person, caller),
  );
  return respond({});
}
