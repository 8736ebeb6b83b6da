import { z } from "@hono/zod-openapi";
import type { EnvironmentJson } from "@latchkey/sdk/client";
import {
  createEnvironment,
  deleteEnvironment,
  type FirstTokens,
  listEnvironments,
  renameEnvironment,
} from "../domain/environments.ts";
import type { KeyDeps } from "../domain/keys.ts";
import type { Environment } from "../store/store.ts";
import { name, newEnvironmentSlug, nothing, pageAsk, pageQuery, slugInPath } from "./fields.ts";
import { inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import { isoTime, pageJson, receiptJson, shapePage, shapeRevocation, timeJson } from "./shapes.ts";

const environmentJson = z
  .object({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    created_at: timeJson,
    public_key: z.string().optional(),
    secret_key: z.string().optional(),
  })
  .openapi("Environment");

function shapeEnvironment(environment: Environment, tokens?: FirstTokens): EnvironmentJson {
  return {
    id: environment.id,
    slug: environment.slug,
    name: environment.name,
    created_at: isoTime(environment.createdAtMs),
    ...(tokens === undefined ? {} : { public_key: tokens.publicKey, secret_key: tokens.secretKey }),
  };
}

/** `/v1/environments`: an account's environments. */
export function environmentRoutes(deps: KeyDeps): readonly Route[] {
  return [list, create(deps), rename, remove(deps)];
}

const list = route({
  method: "get",
  path: "/v1/environments",
  summary: "List the environments of the account",
  permission: inAccount("environments:read"),
  params: nothing,
  query: z.strictObject(pageQuery),
  body: nothing,
  response: pageJson(environmentJson),
  statuses: [200],
  async handle({ caller, query }) {
    const page = await listEnvironments(caller.account, pageAsk(query));
    return { status: 200, body: shapePage(page, query.page_size, (one) => shapeEnvironment(one)) };
  },
});

const create = (deps: KeyDeps): Route =>
  route({
    method: "post",
    path: "/v1/environments",
    summary: "Create an environment, with one public and one secret key to start with",
    permission: inAccount("environments:write"),
    params: nothing,
    query: nothing,
    body: z.strictObject({ name, slug: newEnvironmentSlug }),
    response: environmentJson,
    statuses: [201],
    once: true,
    async handle({ caller, body, origin, once }) {
      const by = origin(caller.actor);
      const created = await createEnvironment(deps, caller.account, body, by, once);
      const { environment, replayed } = created;
      const tokens = created.replayed ? undefined : created.tokens;
      return { status: 201, body: shapeEnvironment(environment, tokens), replayed };
    },
  });

const rename = route({
  method: "patch",
  path: "/v1/environments/:slug",
  summary: "Rename an environment; its slug stays",
  permission: inAccount("environments:write"),
  params: slugInPath,
  query: nothing,
  body: z.strictObject({ name }),
  response: environmentJson,
  statuses: [200],
  async handle({ caller, params, body, origin }) {
    const by = origin(caller.actor);
    const environment = await renameEnvironment(caller.account, params.slug, body.name, by);
    return { status: 200, body: shapeEnvironment(environment) };
  },
});

const remove = (deps: KeyDeps): Route =>
  route({
    method: "delete",
    path: "/v1/environments/:slug",
    summary: "Delete an environment; answers when none of its keys is accepted anywhere any more",
    permission: inAccount("environments:write"),
    params: slugInPath,
    query: nothing,
    body: nothing,
    response: receiptJson,
    statuses: [200],
    async handle({ caller, params, origin }) {
      const by = origin(caller.actor);
      const receipt = await deleteEnvironment(deps, caller.account, params.slug, by);
      return { status: 200, body: { revocation: shapeRevocation(receipt) } };
    },
  });
