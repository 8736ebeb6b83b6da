import { z } from "@hono/zod-openapi";
import { type Ask, Failure, type Verdict, type Verify } from "@latchkey/sdk/core";
import { newEnvironmentSlug, nothing } from "./fields.ts";
import { asVerifier } from "./permit.ts";
import { type Route, route } from "./route.ts";
import { VERIFIER_PATH } from "./verifiers.ts";

const verdictJson = z
  .discriminatedUnion("valid", [
    z.object({
      valid: z.literal(true),
      account_id: z.string(),
      account_slug: z.string(),
      account_external_id: z.string().nullable(),
      environment: z.string(),
      environment_id: z.string(),
      key_id: z.string(),
      key_type: z.enum(["secret", "public"]),
      metadata: z.record(z.string(), z.string()),
    }),
    z.object({
      valid: z.literal(false),
      code: z.string(),
      message: z.string(),
      status: z.number().int(),
      type: z.string(),
      request_id: z.string(),
    }),
  ])
  .openapi("Verdict");

/** Characters of a presented token that are looked at; no token is nearly as long. */
const PRESENTED_CHARACTERS_MAX = 1_000;

/** Characters of a User-Agent that are taken; of a longer one than is kept the beginning is. */
const CALLER_CHARACTERS_MAX = 4_096;

const TYPES: Readonly<Record<"secret" | "public" | "any", Ask["types"]>> = {
  secret: ["secret"],
  public: ["public"],
  any: ["secret", "public"],
};

/** `POST /v1/api_keys/verify`: a verdict over HTTP, for servers that cannot run the SDK. */
export function verifyRoutes(verify: Verify): readonly Route[] {
  const verifyKey = route({
    method: "post",
    path: "/v1/api_keys/verify",
    summary: "Verify an API key on behalf of any account",
    permission: asVerifier,
    params: nothing,
    query: nothing,
    body: z.strictObject({
      api_key: z.string().min(1).max(PRESENTED_CHARACTERS_MAX),
      type: z.enum(["secret", "public", "any"]).default("secret"),
      environment: newEnvironmentSlug.optional(),
      caller: z
        .strictObject({
          address: z.union([z.ipv4(), z.ipv6()]).nullable().default(null),
          user_agent: z.string().max(CALLER_CHARACTERS_MAX).nullable().default(null),
        })
        .optional()
        .openapi({ description: "Who sent you the key, for its owner to see." }),
    }),
    response: verdictJson,
    statuses: [200],
    async handle({ body, requestId }) {
      const ask = { types: TYPES[body.type], environment: body.environment };
      const caller = body.caller && {
        address: body.caller.address,
        userAgent: body.caller.user_agent,
      };
      const verdict = await verify(body.api_key, ask, requestId, caller);
      return { status: 200, body: shapeVerdict(verdict) };
    },
  });
  return [verifyKey, plainRequest];
}

/** The front takes the WebSockets of this path; what comes here asked for none. */
const plainRequest = route({
  method: "get",
  path: VERIFIER_PATH,
  summary: "Verify in your own process: the SDK's WebSocket",
  permission: asVerifier,
  params: nothing,
  query: nothing,
  body: nothing,
  response: z.object({}),
  statuses: [101],
  async handle() {
    throw new Failure("upgrade_required", "This path is a WebSocket: connect with the SDK.");
  },
});

function shapeVerdict(verdict: Verdict): z.input<typeof verdictJson> {
  if (!verdict.ok) return { valid: false, ...verdict.refusal };
  const { key } = verdict;
  return {
    valid: true,
    account_id: key.account.id,
    account_slug: key.account.slug,
    account_external_id: key.account.externalId,
    environment: key.environment.slug,
    environment_id: key.environment.id,
    key_id: key.id,
    key_type: key.type,
    metadata: { ...key.metadata },
  };
}
