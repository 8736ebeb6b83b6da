import { z } from "@hono/zod-openapi";
import type { ApiKeyJson } from "@latchkey/sdk/client";
import { editKey, getKey, issueKey, type KeyDeps, listKeys, revokeKey } from "../domain/keys.ts";
import { wrong } from "../domain/outcomes.ts";
import type { ApiKey, KeyFilter } from "../store/store.ts";
import {
  description,
  environmentInQuery,
  keyIdInPath,
  line,
  makerId,
  metadata,
  nothing,
  overlapSeconds,
  pageAsk,
  pageQuery,
  time,
  wait,
} from "./fields.ts";
import { inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import {
  actorJson,
  isoTime,
  pageJson,
  revocationJson,
  shapeActor,
  shapePage,
  shapeRevocation,
  timeJson,
} from "./shapes.ts";

export const keyType = z.enum(["secret", "public"]);

export const apiKeyJson = z
  .object({
    id: z.string(),
    environment: z.string(),
    type: keyType,
    description: z.string(),
    metadata: z.record(z.string(), z.string()),
    hint: z.string().openapi({ example: "sk_…9fQ2" }),
    api_key: z.string().optional(),
    created_at: timeJson,
    created_by: actorJson,
    expires_at: timeJson.nullable(),
    last_used_at: timeJson.nullable(),
    revoked_at: timeJson.nullable(),
    revoked_by: actorJson.nullable(),
    revoked_reason: z.string().nullable(),
    revocation: revocationJson.nullable(),
    rotated_from: z.string().nullable(),
    rotated_to: z.string().nullable(),
    overlap: z.object({ seconds: z.number(), started_at: timeJson.nullable() }).nullable(),
  })
  .openapi("ApiKey");

/** @param token Goes into the answer as `api_key`; `null`: the answer has none. */
export function shapeKey(key: ApiKey, token: string | null = key.token): ApiKeyJson {
  return {
    id: key.id,
    environment: key.environment.slug,
    type: key.type,
    description: key.description,
    metadata: { ...key.metadata },
    hint: key.hint,
    ...(token === null ? {} : { api_key: token }),
    created_at: isoTime(key.createdAtMs),
    created_by: shapeActor(key.createdBy),
    expires_at: isoTime(key.expiresAtMs),
    last_used_at: isoTime(key.lastUsedAtMs),
    revoked_at: isoTime(key.revokedAtMs),
    revoked_by: key.revokedBy === null ? null : shapeActor(key.revokedBy),
    revoked_reason: key.revokedReason,
    revocation: key.revocation === null ? null : shapeRevocation(key.revocation),
    rotated_from: key.rotatedFrom,
    rotated_to: key.rotatedTo,
    overlap:
      key.overlap === null
        ? null
        : {
            seconds: Math.round(key.overlap.lengthMs / 1_000),
            started_at: isoTime(key.overlap.startedAtMs),
          },
  };
}

/** `/v1/api_keys`: an account's keys. */
export function keyRoutes(deps: KeyDeps): readonly Route[] {
  return [list(deps), create(deps), get, edit(deps), revoke(deps)];
}

const list = ({ ambient }: KeyDeps): Route =>
  route({
    method: "get",
    path: "/v1/api_keys",
    summary: "List the API keys of an environment, or those that somebody made",
    permission: inAccount("keys:read"),
    params: nothing,
    query: z.strictObject({
      environment: environmentInQuery.optional(),
      created_by: makerId.optional().openapi({
        description: "Who made them. Then no environment need be named: all are meant.",
      }),
      status: z.enum(["active", "revoked", "expired", "all"]).default("active"),
      last_used: z.enum(["never", "over_90_days_ago"]).optional().openapi({
        description:
          "`never`: never accepted. `over_90_days_ago`: not since then, and made before; or never.",
      }),
      expires: z.enum(["within_7_days", "within_30_days", "never"]).optional().openapi({
        description: "When it ends, if that is still to come.",
      }),
      q: line(0, 100).default("").openapi({ description: "Searches hint, description and id." }),
      ...pageQuery,
    }),
    body: nothing,
    response: pageJson(apiKeyJson),
    statuses: [200],
    async handle({ caller, query }) {
      const { environment, status, last_used: lastUsed = "any", expires = "any", q: text } = query;
      const createdBy = query.created_by;
      if (environment === undefined && createdBy === undefined)
        throw wrong("environment", "Is needed, unless created_by is given.");
      const filter: KeyFilter = {
        environment: environment ?? null,
        ...(createdBy === undefined ? {} : { createdBy }),
        status,
        lastUsed,
        expires,
        text,
        nowMs: ambient.nowMs(),
      };
      const page = await listKeys(caller.account, filter, pageAsk(query));
      return { status: 200, body: shapePage(page, query.page_size, (key) => shapeKey(key)) };
    },
  });

const create = (deps: KeyDeps): Route =>
  route({
    method: "post",
    path: "/v1/api_keys",
    summary: "Create an API key; its token is in this answer and never again",
    permission: inAccount("keys:write"),
    params: nothing,
    query: z.strictObject({ environment: environmentInQuery }),
    body: z.strictObject({
      type: keyType,
      description: description.default(""),
      metadata: metadata.optional(),
      expires_at: time.optional().openapi({ type: "string", format: "date-time" }),
    }),
    response: apiKeyJson,
    statuses: [201],
    once: true,
    async handle({ caller, query, body, origin, once }) {
      const { type, description, metadata = {}, expires_at: expiresAtMs = null } = body;
      const draft = { type, description, metadata, expiresAtMs };
      const by = origin(caller.actor);
      const issued = await issueKey(deps, caller.account, query.environment, draft, by, once);
      const token = issued.replayed ? null : issued.token;
      return { status: 201, body: shapeKey(issued.key, token), replayed: issued.replayed };
    },
  });

const get = route({
  method: "get",
  path: "/v1/api_keys/:id",
  summary: "Read an API key",
  permission: inAccount("keys:read"),
  params: keyIdInPath,
  query: nothing,
  body: nothing,
  response: apiKeyJson,
  statuses: [200],
  async handle({ caller, params }) {
    return { status: 200, body: shapeKey(await getKey(caller.account, params.id)) };
  },
});

const edit = (deps: KeyDeps): Route =>
  route({
    method: "patch",
    path: "/v1/api_keys/:id",
    summary:
      "Edit an API key; an end that is brought forward is answered when it is known everywhere",
    permission: inAccount("keys:write"),
    params: keyIdInPath,
    query: nothing,
    body: z
      .strictObject({
        description: description.optional(),
        metadata: metadata.optional(),
        expires_at: time
          .nullable()
          .optional()
          .openapi({ type: ["string", "null"], format: "date-time" }),
        overlap_seconds: overlapSeconds(1).optional(),
      })
      .refine((edit) => Object.keys(edit).length > 0, "Has to change something.")
      .refine((edit) => edit.expires_at === undefined || edit.overlap_seconds === undefined, {
        path: ["overlap_seconds"],
        message: "Cannot be given together with expires_at.",
      }),
    response: apiKeyJson,
    statuses: [200],
    async handle({ caller, params, body, origin }) {
      const { description, metadata, expires_at: expiresAtMs, overlap_seconds: seconds } = body;
      const edit = {
        ...(description === undefined ? {} : { description }),
        ...(metadata === undefined ? {} : { metadata }),
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
        ...(seconds === undefined ? {} : { overlapMs: seconds * 1_000 }),
      };
      const key = await editKey(deps, caller.account, params.id, edit, origin(caller.actor));
      return { status: 200, body: shapeKey(key) };
    },
  });

const revoke = (deps: KeyDeps): Route =>
  route({
    method: "post",
    path: "/v1/api_keys/:id/revoke",
    summary: "Revoke an API key; answers when no verifier anywhere accepts it any more",
    permission: inAccount("keys:write"),
    params: keyIdInPath,
    query: z.strictObject({
      wait,
    }),
    body: z.strictObject({ reason: line(0, 256).optional() }),
    response: apiKeyJson,
    statuses: [200, 202],
    once: true,
    async handle({ caller, params, query, body, origin, once }) {
      const ask = { reason: body.reason ?? null, wait: query.wait === "true" };
      const by = origin(caller.actor);
      const key = await revokeKey(deps, caller.account, params.id, ask, by, once);
      const pending = key.revocation?.effectiveAtMs === null;
      return { status: pending ? 202 : 200, body: shapeKey(key) };
    },
  });
