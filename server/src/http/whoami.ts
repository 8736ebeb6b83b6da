import { z } from "@hono/zod-openapi";
import { Failure } from "@latchkey/sdk/core";
import type { Account, Store } from "../store/store.ts";
import { nothing } from "./fields.ts";
import { asHolder } from "./permit.ts";
import { type Route, route } from "./route.ts";

const whoamiJson = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("api_key"),
      account_id: z.string(),
      account_name: z.string(),
      account_slug: z.string(),
      environment: z.string(),
      environment_id: z.string(),
      key_id: z.string(),
      key_type: z.enum(["secret", "public"]),
      metadata: z.record(z.string(), z.string()),
      account_features: z.object({}),
    }),
    z.object({
      type: z.literal("service_token"),
      account_name: z.string(),
      account_slug: z.string(),
      service_token_name: z.string(),
      account_features: z.object({}),
    }),
  ])
  .openapi("Whoami");

/** `GET /v1/whoami`: what a credential is, said to whoever holds it. */
export function whoamiRoutes(store: Store): readonly Route[] {
  /** It was there a moment ago, for the credential was good. */
  async function accountOf(id: string): Promise<Account> {
    const account = await store.findAccount(id);
    if (account === undefined) throw new Failure("resource_missing", "There is no such account.");
    return account;
  }

  const whoami = route({
    method: "get",
    path: "/v1/whoami",
    summary: "Read what the API key or service token of this request is",
    permission: asHolder,
    params: nothing,
    query: nothing,
    body: nothing,
    response: whoamiJson,
    statuses: [200],
    async handle({ caller: { holds } }) {
      if ("serviceToken" in holds) {
        const account = await accountOf(holds.serviceToken.accountId);
        const body = {
          type: "service_token" as const,
          account_name: account.name,
          account_slug: account.slug,
          service_token_name: holds.serviceToken.name,
          account_features: {},
        };
        return { status: 200, body };
      }
      if (!holds.verdict.ok) return holds.verdict;
      const { key } = holds.verdict;
      const body = {
        type: "api_key" as const,
        account_id: key.account.id,
        account_name: (await accountOf(key.account.id)).name,
        account_slug: key.account.slug,
        environment: key.environment.slug,
        environment_id: key.environment.id,
        key_id: key.id,
        key_type: key.type,
        metadata: { ...key.metadata },
        account_features: {},
      };
      return { status: 200, body };
    },
  });
  return [whoami];
}
