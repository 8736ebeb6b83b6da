import { z } from "@hono/zod-openapi";
import { exchangeToken } from "../domain/exchange.ts";
import type { KeyDeps } from "../domain/keys.ts";
import { environmentInQuery, nothing } from "./fields.ts";
import { asServiceToken } from "./permit.ts";
import { type Route, route } from "./route.ts";

/** `POST /v1/api_keys/exchange`. An `Idempotency-Key` means nothing here: no repetition could give the token again. */
export function exchangeRoutes(deps: KeyDeps): readonly Route[] {
  const exchange = route({
    method: "post",
    path: "/v1/api_keys/exchange",
    summary: "Exchange the service token for a secret API key that lives for an hour",
    permission: asServiceToken("keys:write"),
    params: nothing,
    query: z.strictObject({ environment: environmentInQuery }),
    body: nothing,
    response: z.object({ api_key: z.string() }),
    statuses: [200],
    async handle({ caller, query, origin }) {
      const by = origin(caller.actor);
      const { account, token } = caller;
      const api_key = await exchangeToken(deps, account, token, query.environment, by);
      return { status: 200, body: { api_key } };
    },
  });
  return [exchange];
}
