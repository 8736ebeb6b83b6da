import { z } from "@hono/zod-openapi";
import { Failure } from "@latchkey/sdk/core";
import { type AccountDeps, openOwnAccount } from "../domain/accounts.ts";
import { answerProvisioned, provisionedJson } from "./accounts.ts";
import { name, newAccountSlug, nothing } from "./fields.ts";
import { asThemselves } from "./permit.ts";
import { type Route, route } from "./route.ts";

export interface OwnAccountsDeps extends AccountDeps {
  /** Whether people make their own accounts: LATCHKEY_SIGNUP=open. */
  readonly signUpOpen: boolean;
}

/** `/v1/me/accounts`: accounts that people make for themselves. */
export function ownAccountsRoutes(deps: OwnAccountsDeps): readonly Route[] {
  const create = route({
    method: "post",
    path: "/v1/me/accounts",
    summary:
      "Create an account of one's own, with two environments, their keys and a service token",
    permission: asThemselves,
    params: nothing,
    query: nothing,
    body: z.strictObject({ name, slug: newAccountSlug }),
    response: provisionedJson,
    statuses: [201],
    once: true,
    async handle({ caller: { person }, body, origin, once }) {
      if (!deps.signUpOpen)
        throw new Failure("access_denied", "Accounts are made by whoever runs this server.");
      const by = origin({ type: "person", id: person.personId, name: person.name });
      const draft = { ...body, ownerId: person.personId };
      return answerProvisioned(await openOwnAccount(deps, draft, by, once));
    },
  });
  return [create];
}
