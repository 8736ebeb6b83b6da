import { z } from "@hono/zod-openapi";
import type { TokenJson } from "@latchkey/sdk/client";
import { createAccessToken, deleteAccessToken, listAccessTokens } from "../domain/access-tokens.ts";
import type { AccountDeps } from "../domain/accounts.ts";
import type { IssuedToken } from "../store/store.ts";
import { nothing, pageAsk, pageQuery, tokenIdInPath, tokenName, wait } from "./fields.ts";
import { asOperatorInPerson } from "./permit.ts";
import { type Route, route } from "./route.ts";
import {
  actorJson,
  answerReceipt,
  isoTime,
  pageJson,
  receiptJson,
  shapeActor,
  shapePage,
  timeJson,
} from "./shapes.ts";

/** Those of the operator: a service token is its account's. */
const kind = z.enum(["verifier", "operator"]);

/** What every access token tells of itself. */
export const issuedTokenFields = {
  id: z.string(),
  name: z.string(),
  hint: z.string().openapi({ example: "vt_…9fQ2" }),
  token: z.string().optional(),
  created_at: timeJson,
  created_by: actorJson,
  last_used_at: timeJson.nullable(),
};

const tokenJson = z.object({ ...issuedTokenFields, kind }).openapi("Token");

/** @param token Goes into the answer this once; `null`: the answer has none. */
export function shapeIssued(issued: IssuedToken, token: string | null) {
  return {
    id: issued.id,
    name: issued.name,
    hint: issued.hint,
    ...(token === null ? {} : { token }),
    created_at: isoTime(issued.createdAtMs),
    created_by: shapeActor(issued.createdBy),
    last_used_at: isoTime(issued.lastUsedAtMs),
  };
}

function shapeToken(issued: IssuedToken, token: string | null = null): TokenJson {
  return { ...shapeIssued(issued, token), kind: kind.parse(issued.kind) };
}

/** `/v1/tokens`: the operator's own verifier and operator tokens. */
export function tokenRoutes(deps: AccountDeps): readonly Route[] {
  return [list(deps), create(deps), remove(deps)];
}

const list = ({ store }: AccountDeps): Route =>
  route({
    method: "get",
    path: "/v1/tokens",
    summary: "List the operator's verifier and operator tokens",
    permission: asOperatorInPerson,
    params: nothing,
    query: z.strictObject(pageQuery),
    body: nothing,
    response: pageJson(tokenJson),
    statuses: [200],
    async handle({ query }) {
      const page = await listAccessTokens(store.operatorTokens, pageAsk(query));
      return { status: 200, body: shapePage(page, query.page_size, (token) => shapeToken(token)) };
    },
  });

const create = (deps: AccountDeps): Route =>
  route({
    method: "post",
    path: "/v1/tokens",
    summary: "Create a verifier or operator token; it is in this answer and never again",
    permission: asOperatorInPerson,
    params: nothing,
    query: nothing,
    body: z.strictObject({ kind, name: tokenName }),
    response: tokenJson,
    statuses: [201],
    once: true,
    async handle({ caller, body, origin, once }) {
      const draft = { ...body, accountId: null };
      const by = origin(caller.actor);
      const created = await createAccessToken(deps, deps.store.operatorTokens, draft, by, once);
      const token = created.replayed ? null : created.token;
      return { status: 201, body: shapeToken(created.issued, token), replayed: created.replayed };
    },
  });

const remove = (deps: AccountDeps): Route =>
  route({
    method: "delete",
    path: "/v1/tokens/:id",
    summary: "Delete a verifier or operator token; answers when its sessions have ended everywhere",
    permission: asOperatorInPerson,
    params: tokenIdInPath,
    query: z.strictObject({ wait }),
    body: nothing,
    response: receiptJson,
    statuses: [200, 202],
    async handle({ caller, params, query, origin }) {
      const ask = { id: params.id, wait: query.wait === "true" };
      const by = origin(caller.actor);
      return answerReceipt(await deleteAccessToken(deps, deps.store.operatorTokens, ask, by));
    },
  });
