import { z } from "@hono/zod-openapi";
import type { RefusalJson, RefusedApiKeyJson } from "@latchkey/sdk/client";
import { type RefusalReason, refuse } from "@latchkey/sdk/core";
import type { Ambient } from "../ambient.ts";
import { explanationOf, lateByMs } from "../domain/usage/explanation.ts";
import {
  getRefusal,
  getUnattributedRefusal,
  listRefusals,
  listUnattributedRefusals,
  statusOf,
} from "../domain/usage/refusals.ts";
import type { ApiKey, Refused, Store } from "../store/store.ts";
import {
  environmentInQuery,
  keyId,
  nothing,
  pageAsk,
  requestId,
  requestPageQuery,
} from "./fields.ts";
import { keyType } from "./keys.ts";
import { asOperatorInPerson, inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import { actorJson, isoTime, pageJson, shapeActor, shapePage, timeJson } from "./shapes.ts";

export interface RefusalDeps {
  readonly store: Store;
  readonly ambient: Ambient;
}

/** Of refusals of a known key. */
const keyReason = z.enum(["revoked", "expired", "incorrect_token_type", "environment_mismatch"]);

/** Of refusals that belong to no account. */
const otherReason = z.enum(["authentication_required", "malformed", "wrong_kind", "unknown"]);

const refusedKeyJson = z.object({
  id: z.string(),
  hint: z.string(),
  type: keyType,
  description: z.string(),
  environment: z.string(),
  status: z.enum(["active", "revoked", "expired"]),
  expires_at: timeJson.nullable(),
  revoked_at: timeJson.nullable(),
  revoked_by: actorJson.nullable(),
  revoked_reason: z.string().nullable(),
  rotated_to: z.string().nullable(),
});

const refusalJson = z
  .object({
    request_id: z.string(),
    at: timeJson,
    reason: z.union([keyReason, otherReason]),
    status: z.union([z.literal(401), z.literal(403)]),
    code: z.string().openapi({ description: "What the caller was told." }),
    explanation: z.string().openapi({ description: "What the caller was not told." }),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    asked: z.object({ types: z.array(keyType), environment: z.string().nullable() }),
    api_key: refusedKeyJson.nullable(),
    late_by_ms: z.number().int().nullable(),
  })
  .openapi("Refusal");

const requestIdInPath = z.strictObject({ request_id: requestId });

/** `/v1/refusals` and `/v1/operator/refusals`: why requests were refused, for whoever may know. */
export function refusalRoutes(deps: RefusalDeps): readonly Route[] {
  return [list(deps), get(deps), listOfOperator(deps), getOfOperator(deps)];
}

const list = ({ ambient }: RefusalDeps): Route =>
  route({
    method: "get",
    path: "/v1/refusals",
    summary: "List requests that were refused although their API key is known",
    permission: inAccount("keys:read"),
    params: nothing,
    query: z.strictObject({
      environment: environmentInQuery.optional(),
      api_key_id: keyId.optional(),
      reason: keyReason.optional(),
      ...requestPageQuery,
    }),
    body: nothing,
    response: pageJson(refusalJson),
    statuses: [200],
    async handle({ caller, query }) {
      const { environment = null, api_key_id = null, reason } = query;
      const filter = {
        environment,
        keyId: api_key_id,
        reason: reason === undefined ? null : REASON_INSIDE[reason],
      };
      const page = await listRefusals(caller.account, filter, pageAsk(query));
      const shape = (refused: Refused) => shapeRefusal(refused, ambient.nowMs());
      return { status: 200, body: shapePage(page, query.page_size, shape) };
    },
  });

const get = ({ ambient }: RefusalDeps): Route =>
  route({
    method: "get",
    path: "/v1/refusals/:request_id",
    summary: "Find out why a request was refused, by the request id that its caller got",
    permission: inAccount("keys:read"),
    params: requestIdInPath,
    query: nothing,
    body: nothing,
    response: refusalJson,
    statuses: [200],
    async handle({ caller, params }) {
      const refused = await getRefusal(caller.account, params.request_id);
      return { status: 200, body: shapeRefusal(refused, ambient.nowMs()) };
    },
  });

const listOfOperator = ({ store, ambient }: RefusalDeps): Route =>
  route({
    method: "get",
    path: "/v1/operator/refusals",
    summary: "List requests that were refused because they had no known API key",
    permission: asOperatorInPerson,
    params: nothing,
    query: z.strictObject({ reason: otherReason.optional(), ...requestPageQuery }),
    body: nothing,
    response: pageJson(refusalJson),
    statuses: [200],
    async handle({ query }) {
      const reason = query.reason === undefined ? null : REASON_INSIDE[query.reason];
      const page = await listUnattributedRefusals(store, reason, pageAsk(query));
      const shape = (refused: Refused) => shapeRefusal(refused, ambient.nowMs());
      return { status: 200, body: shapePage(page, query.page_size, shape) };
    },
  });

const getOfOperator = ({ store, ambient }: RefusalDeps): Route =>
  route({
    method: "get",
    path: "/v1/operator/refusals/:request_id",
    summary: "Find out why a request without a known API key was refused, by its request id",
    permission: asOperatorInPerson,
    params: requestIdInPath,
    query: nothing,
    body: nothing,
    response: refusalJson,
    statuses: [200],
    async handle({ params }) {
      const refused = await getUnattributedRefusal(store, params.request_id);
      return { status: 200, body: shapeRefusal(refused, ambient.nowMs()) };
    },
  });

function shapeRefusal(refused: Refused, nowMs: number): RefusalJson {
  const { requestId, atMs, reason, types, environment, address, userAgent, key } = refused;
  // The very words of the verifier, so that what is said here of what the caller was told cannot differ from it.
  const { status, code } = refuse(reason, { types }, null, requestId).refusal;
  return {
    request_id: requestId,
    at: isoTime(atMs),
    reason: REASON_ON_WIRE[reason],
    status,
    code,
    explanation: explanationOf(refused),
    address,
    user_agent: userAgent,
    asked: { types: [...types], environment },
    api_key: key === null ? null : shapeRefusedKey(key, nowMs),
    late_by_ms: lateByMs(refused),
  };
}

const REASON_ON_WIRE: Readonly<Record<RefusalReason, RefusalJson["reason"]>> = {
  revoked: "revoked",
  expired: "expired",
  type: "incorrect_token_type",
  environment: "environment_mismatch",
  no_credentials: "authentication_required",
  malformed: "malformed",
  wrong_kind: "wrong_kind",
  unknown: "unknown",
};

const REASON_INSIDE: Readonly<Record<RefusalJson["reason"], RefusalReason>> = {
  revoked: "revoked",
  expired: "expired",
  incorrect_token_type: "type",
  environment_mismatch: "environment",
  authentication_required: "no_credentials",
  malformed: "malformed",
  wrong_kind: "wrong_kind",
  unknown: "unknown",
};

function shapeRefusedKey(key: ApiKey, nowMs: number): RefusedApiKeyJson {
  return {
    id: key.id,
    hint: key.hint,
    type: key.type,
    description: key.description,
    environment: key.environment.slug,
    status: statusOf(key, nowMs),
    expires_at: isoTime(key.expiresAtMs),
    revoked_at: isoTime(key.revokedAtMs),
    revoked_by: key.revokedBy === null ? null : shapeActor(key.revokedBy),
    revoked_reason: key.revokedReason,
    rotated_to: key.rotatedTo,
  };
}
