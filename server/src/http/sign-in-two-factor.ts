import { Failure } from "@latchkey/sdk/core";
import { z } from "zod";
import { GroundsChanged, type PersonAction } from "../store/store.ts";
import {
  afterwards,
  type Caller,
  carry,
  type Door,
  failureOf,
  respond,
  type SignInRoute,
  type SignInRoutes,
} from "./sign-in-door.ts";
import { bodyOf, givenPassword, SIGN_IN_ANSWER, shapePerson } from "./sign-in-passwords.ts";

const PASSWORD = z.strictObject({ password: givenPassword });
const TOTP = z.strictObject({ code: z.string().regex(/^[0-9]{6}$/, "Must be 6 digits.") });
const RECOVERY = z.strictObject({
  code: z
    .string()
    .trim()
    .regex(/^[0-9A-Za-z]{5}-[0-9A-Za-z]{5}$/, "Must have the form xxxxx-xxxxx."),
});

const ENROLMENT = z.object({ totpURI: z.string(), backupCodes: z.array(z.string()) });
const RECOVERY_CODES = z.object({ backupCodes: z.array(z.string()) });

const RECOVERY_PATH = "/two-factor/verify-backup-code";

const WRONG_CODE = "The code is wrong, was used already, or came too late.";
const TOO_MANY_CODES = "Too many wrong codes: sign in with your password again.";
const WRONG_PASSWORD = "The password is wrong.";

/** Turning the second factor on and off, and signing in with it. Nothing here trusts a device. */
export function twoFactorRoutes(door: Door): SignInRoutes {
  const post = (
    answer: (door: Door, request: Request, caller: Caller) => Promise<Response>,
  ): SignInRoute => ({ method: "POST", answer: (...asked) => answer(door, ...asked) });
  return {
    "/two-factor/enable": post(begin),
    "/two-factor/disable": post(disable),
    "/two-factor/generate-backup-codes": post(replaceCodes),
    "/two-factor/verify-totp": post(verifyTotp),
    [RECOVERY_PATH]: post(verifyRecoveryCode),
  };
}

/** The factor counts for nothing until a code of it has come. */
async function begin(door: Door, request: Request, caller: Caller): Promise<Response> {
  const answer = await withPassword(door, request, caller, "/two-factor/enable", null);
  const { totpURI, backupCodes } = ENROLMENT.parse(await answer.json());
  return respond({ totp_uri: totpURI, recovery_codes: backupCodes });
}

async function disable(door: Door, request: Request, caller: Caller): Promise<Response> {
  const action = "person.two_factor_disabled";
  const answer = await withPassword(door, request, caller, "/two-factor/disable", action);
  return respond({}, answer);
}

async function replaceCodes(door: Door, request: Request, caller: Caller): Promise<Response> {
  const path = "/two-factor/generate-backup-codes";
  const action = "person.recovery_codes_replaced";
  const answer = await withPassword(door, request, caller, path, action);
  return respond({ recovery_codes: RECOVERY_CODES.parse(await answer.json()).backupCodes });
}

/**
 * Asks for what the password of whoever is signed in has to prove.
 *
 * @param action What is done to a second factor that is on; `null` for what only prepares one while it is off.
 */
async function withPassword(
  door: Door,
  request: Request,
  caller: Caller,
  path: string,
  action: PersonAction | null,
): Promise<Response> {
  const from = request.headers;
  const person = await door.themselves(from);
  const body = await bodyOf(PASSWORD, request);
  const answer = await door.guess(`password ${person.email}`, () =>
    door.deed(
      person.personId,
      async () => {
        await expectFactor(door, from, action !== null);
        return door.ask("POST", path, { from, caller, body });
      },
      async () => {
        if (action !== null) await door.record(action, person, caller);
      },
    ),
  );
  if (!answer.ok) throw failureOf(answer, WRONG_PASSWORD);
  return answer;
}

/**
 * Looks within a deed, and so on its grounds, which whoever turns the factor on or off meanwhile changes.
 *
 * @throws Failure `conflict` when the second factor is not as it has to be.
 */
async function expectFactor(door: Door, from: Headers, isOn: boolean): Promise<void> {
  const { twoFactor } = await door.stillThemselves(from);
  if (twoFactor && !isOn) throw new Failure("conflict", "The second factor is on already.");
  if (!twoFactor && isOn) throw new Failure("conflict", "The second factor is off.");
}

/** Ends an enrolment where somebody is signed in, else a sign-in that waits. */
async function verifyTotp(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const body = await bodyOf(TOTP, request);
  if ((await door.session(from)) === null)
    return signIn(door, { from, caller, path: "/two-factor/verify-totp", body });
  const person = await door.themselves(from);
  const answer = await door.guess(`code ${person.personId}`, async () => {
    await takeCode(door, person.personId, body.code);
    return door.deed(
      person.personId,
      async () => {
        await expectFactor(door, from, false);
        const answer = await door.ask("POST", "/two-factor/verify-totp", { from, caller, body });
        if (answer.ok) await endOtherSessions(door, afterwards(from, answer), caller);
        return answer;
      },
      () => door.record("person.two_factor_enabled", person, caller),
    );
  });
  if (answer.status === 400) throw new Failure("conflict", "Begin with turning it on.");
  if (!answer.ok) throw failureOf(answer, WRONG_CODE);
  return respond({}, answer);
}

async function verifyRecoveryCode(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const body = await bodyOf(RECOVERY, request);
  if ((await door.session(from)) !== null)
    throw new Failure("conflict", "A recovery code is for signing in; you are signed in.");
  return signIn(door, { from, caller, path: RECOVERY_PATH, body });
}

interface CodeSaid {
  readonly from: Headers;
  readonly caller: Caller;
  readonly path: string;
  readonly body: { readonly code: string };
}

/** Codes are counted by the person whom they are guessed of. */
async function signIn(door: Door, said: CodeSaid): Promise<Response> {
  const { personId } = await door.library.api.waitingPerson({ headers: carry(said.from) });
  if (personId === null)
    throw new Failure("invalid_credentials", "Sign in with your password first.");
  // The library looks anew for what waits: with the password that is among the grounds read here.
  const answer = await door.signingIn({ id: personId }, WRONG_CODE, (grounds) =>
    door.guess(`code ${personId}`, async () => {
      if (said.path === RECOVERY_PATH) return useRecoveryCode(door, grounds ?? { personId }, said);
      await takeCode(door, personId, said.body.code);
      return door.ask("POST", said.path, said);
    }),
  );
  if (answer.status === 400) throw new Failure("invalid_credentials", TOO_MANY_CODES);
  if (!answer.ok) throw failureOf(answer, WRONG_CODE);
  return respond(shapePerson(signedInBy(await answer.json())), answer);
}

/** The code is spent with its entry in the log, or not at all. What counts a wrong one is kept. */
async function useRecoveryCode(
  door: Door,
  whose: { readonly personId: string },
  said: CodeSaid,
): Promise<Response> {
  try {
    return await door.deps.store.jointly(whose, async () => {
      const answer = await door.ask("POST", said.path, said);
      if (!answer.ok) return answer;
      const { id, name } = signedInBy(await answer.clone().json());
      await door.record("person.recovery_code_used", { personId: id, name }, said.caller);
      return answer;
    });
  } catch (error) {
    if (error instanceof GroundsChanged) throw new Failure("invalid_credentials", WRONG_CODE);
    throw error;
  }
}

function signedInBy(answer: unknown) {
  const said = SIGN_IN_ANSWER.parse(answer);
  if (!("user" in said)) throw new Error("a second factor was right, and yet is due");
  return said.user;
}

/** @see RFC 6238, section 5.2: a code is good once. */
async function takeCode(door: Door, personId: string, code: string): Promise<void> {
  const { taken } = await door.library.api.takeCode({ body: { personId, code } });
  if (!taken) throw new Failure("invalid_credentials", WRONG_CODE);
}

/** Ends every session of a person but the one of these headers. */
export async function endOtherSessions(
  door: Door,
  from: Headers,
  caller: Caller,
): Promise<Response> {
  const answer = await door.ask("POST", "/revoke-other-sessions", { from, caller, body: {} });
  if (!answer.ok) throw failureOf(answer, "You are not signed in.");
  return answer;
}
