import { Failure } from "@latchkey/sdk/core";
import { z } from "zod";
import { PASSWORD_MAX, SETUP_FIELDS } from "../domain/setup.ts";
import { readJsonBody } from "./body.ts";
import { email } from "./fields.ts";
import { parseWith } from "./parse.ts";
import { type Caller, type Door, failureOf, respond, type SignInRoutes } from "./sign-in-door.ts";

/** A password that is to be right. */
export const givenPassword = z
  .string()
  .min(1, "Must not be empty.")
  .max(PASSWORD_MAX, `At most ${PASSWORD_MAX} characters.`);

const newPassword = SETUP_FIELDS.shape.password;

const linkToken = z.string().min(1, "Must not be empty.").max(2_048, "At most 2048 characters.");

const SIGN_IN = z.strictObject({ email, password: givenPassword });
const SIGN_UP = z.strictObject({
  name: SETUP_FIELDS.shape.name,
  email,
  password: newPassword,
});
const ASK_RESET = z.strictObject({ email });
const RESET = z.strictObject({ token: linkToken, password: newPassword });
const CHANGE = z.strictObject({ current_password: givenPassword, password: newPassword });
const CONFIRM = z.strictObject({ token: linkToken, password: givenPassword });

const PERSON = z.object({ id: z.string(), name: z.string(), email: z.string() });

/** Told of a wrong password, an unknown address, and a password that was changed while it was checked. */
export const WRONG_SIGN_IN = "The e-mail address or the password is wrong.";

/** What a sign-in answers: who, or that a second factor is due. */
export const SIGN_IN_ANSWER = z.union([
  z.object({ twoFactorRedirect: z.literal(true) }),
  z.object({ user: PERSON }),
]);

/** A person as every route of sign-in tells them. */
export function shapePerson({ id, name, email }: z.infer<typeof PERSON>) {
  return { person: { id, name, email } };
}

/** The body of a request. @throws Failure for one of another shape. */
export async function bodyOf<Schema extends z.ZodType>(
  schema: Schema,
  request: Request,
): Promise<z.output<Schema>> {
  return parseWith(schema, (await readJsonBody(request)).value);
}

/** Signing in and up by e-mail address and password, and setting another one. */
export function passwordRoutes(door: Door): SignInRoutes {
  const { signUpOpen = false, mails = null } = door.deps;
  return {
    "/sign-in/email": { method: "POST", answer: (...asked) => signIn(door, ...asked) },
    ...(signUpOpen
      ? { "/sign-up/email": { method: "POST", answer: (...asked) => signUp(door, ...asked) } }
      : {}),
    ...(mails === null
      ? {}
      : { "/verify-email": { method: "POST", answer: (...asked) => confirm(door, ...asked) } }),
    "/request-password-reset": {
      method: "POST",
      answer: (...asked) => askForReset(door, ...asked),
    },
    "/reset-password": { method: "POST", answer: (...asked) => reset(door, ...asked) },
    "/change-password": { method: "POST", answer: (...asked) => change(door, ...asked) },
  };
}

/** The same for an unknown address and a wrong password: nobody learns who has an account. */
async function signIn(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const body = await bodyOf(SIGN_IN, request);
  const answer = await door.signingIn({ email: body.email }, WRONG_SIGN_IN, () =>
    door.guess(`password ${body.email}`, () =>
      door.ask("POST", "/sign-in/email", { from, caller, body }),
    ),
  );
  if (answer.status === 403)
    throw new Failure(
      "access_denied",
      "Confirm your e-mail address first: we have just sent you a link.",
    );
  if (!answer.ok) throw failureOf(answer, WRONG_SIGN_IN);
  const said = SIGN_IN_ANSWER.parse(await answer.json());
  return respond("user" in said ? shapePerson(said.user) : { two_factor: true }, answer);
}

/** With a mail server the answer is the same for a taken address, whose owner is told by mail. */
async function signUp(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const body = await bodyOf(SIGN_UP, request);
  const isMailed = door.deps.mails !== null && door.deps.mails !== undefined;
  const ask = () =>
    door.deed(
      null,
      () => door.ask("POST", "/sign-up/email", { from, caller, body }),
      async (answer) => {
        const user = await signedUp(answer.clone());
        // What the library says of a taken address names a person who is not there.
        if (user !== null && (await door.deps.store.findPerson(body.email))?.id === user.id)
          await door.record("person.signed_up", { personId: user.id, name: user.name }, caller);
      },
    );
  // Each is a mail to somebody who may not have asked for it, whether or not the address is taken.
  const answer = await (isMailed ? door.bounded(`sign-up ${body.email}`, ask) : ask());
  // The library says 422 of every person that it could not make, also of one whose address somebody took at that moment.
  const isTaken =
    answer.status === 422 && (await door.deps.store.findPerson(body.email)) !== undefined;
  if (isTaken && !isMailed)
    throw new Failure("conflict", "A person with this e-mail address exists.");
  if (!answer.ok && !isTaken) throw failureOf(answer, "This is not accepted.");
  const user = await signedUp(answer);
  if (isMailed) return respond({ confirmation_mailed: true });
  if (user === null) throw new Error("the sign-in library told nobody who signed up");
  return respond(shapePerson(user), answer);
}

async function signedUp(answer: Response): Promise<z.infer<typeof PERSON> | null> {
  const said = SIGN_IN_ANSWER.safeParse(await answer.json()).data;
  return said !== undefined && "user" in said ? said.user : null;
}

/** Says the same whoever asks, and as soon. */
async function askForReset(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const body = await bodyOf(ASK_RESET, request);
  const { mails = null } = door.deps;
  if (mails === null) return respond({});
  const ask = () => door.ask("POST", "/request-password-reset", { from, caller, body });
  const answer = await door.bounded(`reset ${body.email}`, ask);
  if (!answer.ok) throw failureOf(answer, "This is not accepted.");
  return respond({});
}

async function reset(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const { token, password } = await bodyOf(RESET, request);
  const { person } = await door.library.api.resetPerson({ body: { token } });
  // Asked also for a token that is known to be none: the library counts who tries.
  const body = { token, newPassword: password };
  const ask = () => door.ask("POST", "/reset-password", { from, caller, body });
  const answer =
    person === null
      ? await ask()
      : await door.deed({ personId: person.personId }, ask, () =>
          door.recordPassword("person.password_reset", person, caller),
        );
  if (!answer.ok || person === null)
    throw failureOf(answer, "This link is unknown, was used already, or has expired.");
  return respond({});
}

/** Every other session ends, and this one goes on under a new token. */
async function change(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const person = await door.themselves(from);
  const { current_password: currentPassword, password } = await bodyOf(CHANGE, request);
  const body = { currentPassword, newPassword: password, revokeOtherSessions: true };
  const answer = await door.guess(`password ${person.email}`, () =>
    door.deed(
      person.personId,
      async () => {
        await door.stillThemselves(from);
        return door.ask("POST", "/change-password", { from, caller, body });
      },
      () => door.recordPassword("person.password_changed", person, caller),
    ),
  );
  if (!answer.ok) throw failureOf(answer, "The current password is wrong.");
  return respond({}, answer);
}

/**
 * Reading the mail proves the address only for whoever chose the password of the sign-in that the link is about. Somebody
 * else may have signed up under the reader's address before them, and would sign in once they had clicked.
 */
async function confirm(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  const { token, password } = await bodyOf(CONFIRM, request);
  const { person } = await door.library.api.confirmingPerson({ body: { token } });
  // Asked also with a token that is none, when there is nothing to confirm: the library counts who tries.
  const ask = (isRight: boolean) => {
    const path = `/verify-email?token=${isRight ? encodeURIComponent(token) : ""}`;
    return door.ask("GET", path, { from, caller });
  };
  const answer =
    person === null
      ? await ask(false)
      : await door.guess(`password ${person.email}`, () =>
          door.deed(
            person.personId,
            async () => {
              const body = { personId: person.personId, password };
              return ask((await door.library.api.judgePassword({ body })).isRight);
            },
            () => door.record("person.address_confirmed", person, caller),
          ),
        );
  if (!answer.ok)
    throw failureOf(
      answer,
      "The link has expired, or the password is not the one that its sign-in was made with.",
    );
  return respond({});
}
