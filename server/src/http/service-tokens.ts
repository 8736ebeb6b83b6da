import { z } from "@hono/zod-openapi";
import type { ServiceTokenJson } from "@latchkey/sdk/client";
import { createAccessToken, deleteAccessToken, listAccessTokens } from "../domain/access-tokens.ts";
import type { KeyDeps } from "../domain/keys.ts";
import type { AccountStore, IssuedToken } from "../store/store.ts";
import { nothing, pageAsk, pageQuery, time, tokenIdInPath, tokenName, wait } from "./fields.ts";
import { inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import { answerReceipt, isoTime, pageJson, receiptJson, shapePage, timeJson } from "./shapes.ts";
import { issuedTokenFields, shapeIssued } from "./tokens.ts";

const serviceTokenJson = z
  .object({
    ...issuedTokenFields,
    hint: z.string().openapi({ example: "st_…9fQ2" }),
    expires_at: timeJson.nullable(),
    exchanged_keys: z.number().int(),
  })
  .openapi("ServiceToken");

/** How many keys live that tokens were exchanged for, by the token's id. */
type Exchanged = ReadonlyMap<string, number>;

const NONE: Exchanged = new Map();

/** @param token Goes into the answer this once; `null`: the answer has none. */
function shapeServiceToken(
  issued: IssuedToken,
  exchanged: Exchanged,
  token: string | null = null,
): ServiceTokenJson {
  return {
    ...shapeIssued(issued, token),
    expires_at: isoTime(issued.expiresAtMs),
    exchanged_keys: exchanged.get(issued.id) ?? 0,
  };
}

function countExchanged(
  { ambient }: KeyDeps,
  account: AccountStore,
  tokens: readonly IssuedToken[],
): Promise<Exchanged> {
  const ids = tokens.map(({ id }) => id);
  return account.countExchangedKeys(ids, ambient.nowMs());
}

/** `/v1/service_tokens`: an account's own. */
export function serviceTokenRoutes(deps: KeyDeps): readonly Route[] {
  return [list(deps), create(deps), remove(deps)];
}

const list = (deps: KeyDeps): Route =>
  route({
    method: "get",
    path: "/v1/service_tokens",
    summary: "List the account's service tokens",
    permission: inAccount("service_tokens:read"),
    params: nothing,
    query: z.strictObject(pageQuery),
    body: nothing,
    response: pageJson(serviceTokenJson),
    statuses: [200],
    async handle({ caller: { account }, query }) {
      const page = await listAccessTokens(account.tokens, pageAsk(query));
      const exchanged = await countExchanged(deps, account, page.entries);
      const shape = (token: IssuedToken) => shapeServiceToken(token, exchanged);
      return { status: 200, body: shapePage(page, query.page_size, shape) };
    },
  });

const create = (deps: KeyDeps): Route =>
  route({
    method: "post",
    path: "/v1/service_tokens",
    summary: "Create a service token; it is in this answer and never again",
    permission: inAccount("service_tokens:write"),
    params: nothing,
    query: nothing,
    body: z.strictObject({
      name: tokenName,
      expires_at: time.optional().openapi({ type: "string", format: "date-time" }),
    }),
    response: serviceTokenJson,
    statuses: [201],
    once: true,
    async handle({ caller: { account, actor }, body, origin, once }) {
      const { name, expires_at: expiresAtMs = null } = body;
      const draft = { kind: "service" as const, accountId: account.accountId, name, expiresAtMs };
      const created = await createAccessToken(deps, account.tokens, draft, origin(actor), once);
      const { issued, replayed } = created;
      const token = created.replayed ? null : created.token;
      // A replay may come long after the creation.
      const exchanged = replayed ? await countExchanged(deps, account, [issued]) : NONE;
      return { status: 201, body: shapeServiceToken(issued, exchanged, token), replayed };
    },
  });

const remove = (deps: KeyDeps): Route =>
  route({
    method: "delete",
    path: "/v1/service_tokens/:id",
    summary:
      "Delete a service token and revoke the keys that it was exchanged for; answers when all are refused everywhere",
    permission: inAccount("service_tokens:write"),
    params: tokenIdInPath,
    query: z.strictObject({ wait }),
    body: nothing,
    response: receiptJson,
    statuses: [200, 202],
    async handle({ caller: { account, actor }, params, query, origin }) {
      const ask = { id: params.id, wait: query.wait === "true" };
      return answerReceipt(await deleteAccessToken(deps, account.tokens, ask, origin(actor)));
    },
  });
