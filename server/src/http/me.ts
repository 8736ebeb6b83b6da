import { z } from "@hono/zod-openapi";
import type { MeJson } from "@latchkey/sdk/client";
import { permissionsOf } from "../domain/permissions.ts";
import type { Membership, Store } from "../store/store.ts";
import { nothing, role } from "./fields.ts";
import { signedIn } from "./permit.ts";
import { type Route, route } from "./route.ts";

const meJson = z
  .object({
    person: z.object({
      id: z.string(),
      name: z.string(),
      email: z.string(),
      two_factor: z.boolean(),
      confined: z.boolean().openapi({
        description: "Whether a sign-in link began the session: it reaches one account.",
      }),
    }),
    operator: z.boolean().openapi({ description: "Whether they run this installation." }),
    sign_up: z.enum(["invite", "open"]),
    accounts: z.array(
      z.object({
        id: z.string(),
        slug: z.string(),
        name: z.string(),
        role,
        permissions: z.array(z.string()),
        two_factor_required: z.boolean(),
      }),
    ),
  })
  .openapi("Me");

function shapeMembership(membership: Membership): MeJson["accounts"][number] {
  const { account, role, twoFactorRequired } = membership;
  return {
    id: account.id,
    slug: account.slug,
    name: account.name,
    role,
    permissions: [...permissionsOf(role)],
    two_factor_required: twoFactorRequired,
  };
}

/** `GET /v1/me`: who is signed in, and where they belong. */
export function meRoutes(deps: {
  readonly store: Store;
  readonly signUpOpen: boolean;
}): readonly Route[] {
  const { store, signUpOpen } = deps;
  const me = route({
    method: "get",
    path: "/v1/me",
    summary: "Read who is signed in, and the accounts they belong to",
    permission: signedIn,
    params: nothing,
    query: nothing,
    body: nothing,
    response: meJson,
    statuses: [200],
    async handle({ caller: { person } }) {
      const { personId: id, name, email, twoFactor, confinedTo } = person;
      const memberships = await store.listMemberships(id);
      const confined = confinedTo !== null;
      const signUp: MeJson["sign_up"] = signUpOpen ? "open" : "invite";
      return {
        status: 200,
        body: {
          person: { id, name, email, two_factor: twoFactor, confined },
          operator: !confined && (await store.isOperator(id)),
          sign_up: signUp,
          accounts: memberships
            .filter(({ account }) => !confined || account.id === confinedTo)
            .map(shapeMembership),
        },
      };
    },
  });
  return [me];
}
