import { z } from "zod";
import { SETUP_FIELDS } from "../domain/setup.ts";
import { type Caller, type Door, failureOf, respond, type SignInRoutes } from "./sign-in-door.ts";
import { bodyOf, shapePerson } from "./sign-in-passwords.ts";

const RENAME = z.strictObject({ name: SETUP_FIELDS.shape.name });

/** What people are called: by themselves, also where a stranger had chosen it for them. */
export function nameRoutes(door: Door): SignInRoutes {
  return {
    "/update-user": { method: "POST", answer: (...asked) => rename(door, ...asked) },
  };
}

/** Every session goes on, and tells the new name from its next request on. */
async function rename(door: Door, request: Request, caller: Caller): Promise<Response> {
  const from = request.headers;
  let person = await door.themselves(from);
  const { name } = await bodyOf(RENAME, request);
  const answer = await door.deed(
    person.personId,
    async () => {
      // On the grounds of the deed, which another name given meanwhile changes: so this is the name that is replaced.
      person = await door.stillThemselves(from);
      if (name === person.name) return respond({});
      return door.ask("POST", "/update-user", { from, caller, body: { name } });
    },
    () => door.record("person.renamed", person, caller, { name, name_before: person.name }),
  );
  if (!answer.ok) throw failureOf(answer, "You are not signed in.");
  return respond(shapePerson({ id: person.personId, name, email: person.email }));
}
