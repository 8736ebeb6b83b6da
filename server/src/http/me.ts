import { z } from "@hono/zod-openapi";
import type { Store } from "../store/store.ts";
import { nothing } from "./fields.ts";
import { signedIn } from "./permit.ts";
import { type Route, route } from "./route.ts";

const meJson = z
  .object({
    person: z.object({ id: z.string(), name: z.string(), email: z.string() }),
    operator: z.boolean().openapi({ description: "Whether they run this installation." }),
    accounts: z.array(
      z.object({
        id: z.string(),
        slug: z.string(),
        name: z.string(),
        role: z.enum(["owner", "admin", "member", "support"]),
      }),
    ),
  })
  .openapi("Me");

/** `GET /v1/me`: who is signed in, and where they belong. */
export function meRoutes(store: Store): readonly Route[] {
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
      const memberships = await store.listMemberships(person.personId);
      const operator = await store.isOperator(person.personId);
      const accounts = memberships.map(({ account: { id, slug, name }, role }) => ({
        id,
        slug,
        name,
        role,
      }));
      const { personId: id, name, email } = person;
      return { status: 200, body: { person: { id, name, email }, operator, accounts } };
    },
  });
  return [me];
}
