import { z } from "@hono/zod-openapi";
import type { AccountJson, ProvisionedJson } from "@latchkey/sdk/client";
import {
  type AccountDeps,
  deleteAccount,
  listAccounts,
  type Provisioned,
  type ProvisionedAccount,
  provisionAccount,
  updateAccount,
} from "../domain/accounts.ts";
import type { Account } from "../store/store.ts";
import {
  externalId,
  name,
  newAccountSlug,
  nothing,
  pageAsk,
  pageQuery,
  slugInPath,
} from "./fields.ts";
import { asOperator } from "./permit.ts";
import { type Route, route } from "./route.ts";
import {
  isoTime,
  pageJson,
  receiptJson,
  revocationJson,
  shapePage,
  shapeRevocation,
  timeJson,
} from "./shapes.ts";

const accountJson = z
  .object({
    id: z.string(),
    name: z.string(),
    slug: z.string(),
    external_id: z.string().nullable(),
    created_at: timeJson,
    suspended_at: timeJson.nullable(),
    revocation: revocationJson.nullable(),
  })
  .openapi("Account");

/** Tokens are there in the first answer only, not in a replay of it. */
export const provisionedJson = z
  .object({
    account: z.object({ id: z.string(), name: z.string(), slug: z.string() }),
    environments: z.array(
      z.object({
        id: z.string(),
        slug: z.string(),
        public_key: z.string().optional(),
        secret_key: z.string().optional(),
      }),
    ),
    service_token: z.string().optional(),
    verifier_token: z.string().optional(),
    operator_token: z.string().optional(),
    replaced_unproved_sign_in: z.literal(true).optional().openapi({
      description:
        "The owner had not proved their address: what they signed in with is gone. Hand them a link to choose a password.",
    }),
  })
  .openapi("Provisioned");

/** Provisioning's answer; set-up's too, which adds the operator's own tokens. */
export function shapeProvisioned({
  account,
  environments,
  serviceToken,
}: Provisioned): ProvisionedJson {
  return {
    account: { ...account },
    environments: environments.map(({ id, slug, publicKey, secretKey }) => ({
      id,
      slug,
      public_key: publicKey,
      secret_key: secretKey,
    })),
    service_token: serviceToken,
  };
}

/** The answer of whatever makes an account; a replay has no token. */
export function answerProvisioned(done: ProvisionedAccount) {
  const status = 201 as const;
  if (!done.replayed) {
    const replaced = done.replacedSignIn ? { replaced_unproved_sign_in: true as const } : {};
    return { status, body: { ...shapeProvisioned(done.provisioned), ...replaced } };
  }
  const { id, name, slug } = done.account;
  const environments = done.environments.map(({ id, slug }) => ({ id, slug }));
  return { status, body: { account: { id, name, slug }, environments }, replayed: true };
}

function shapeAccount(account: Account): AccountJson {
  return {
    id: account.id,
    name: account.name,
    slug: account.slug,
    external_id: account.externalId,
    created_at: isoTime(account.createdAtMs),
    suspended_at: isoTime(account.suspendedAtMs),
    revocation: account.revocation === null ? null : shapeRevocation(account.revocation),
  };
}

/** `/v1/accounts`: the operator's customers. */
export function accountRoutes(deps: AccountDeps): readonly Route[] {
  return [list(deps), create(deps), update(deps), remove(deps)];
}

const list = ({ store }: AccountDeps): Route =>
  route({
    method: "get",
    path: "/v1/accounts",
    summary: "List all accounts",
    permission: asOperator,
    params: nothing,
    query: z.strictObject(pageQuery),
    body: nothing,
    response: pageJson(accountJson),
    statuses: [200],
    async handle({ query }) {
      const page = await listAccounts(store, pageAsk(query));
      return { status: 200, body: shapePage(page, query.page_size, shapeAccount) };
    },
  });

const create = (deps: AccountDeps): Route =>
  route({
    method: "post",
    path: "/v1/accounts",
    summary: "Provision an account with two environments, their first keys and a service token",
    permission: asOperator,
    params: nothing,
    query: nothing,
    body: z.strictObject({
      name,
      slug: newAccountSlug,
      external_id: externalId.optional(),
      owner_email: z.email("Must be an e-mail address.").max(254).optional(),
    }),
    response: provisionedJson,
    statuses: [201],
    once: true,
    async handle({ caller, body, origin, once }) {
      const draft = {
        name: body.name,
        slug: body.slug,
        externalId: body.external_id ?? null,
        ownerEmail: body.owner_email ?? null,
      };
      const done = await provisionAccount(deps, draft, origin(caller.actor), once);
      return answerProvisioned(done);
    },
  });

const update = (deps: AccountDeps): Route =>
  route({
    method: "patch",
    path: "/v1/accounts/:slug",
    summary:
      "Rename, suspend or unsuspend an account; suspending answers when its keys are refused everywhere",
    permission: asOperator,
    params: slugInPath,
    query: nothing,
    body: z
      .strictObject({
        name: name.optional(),
        external_id: externalId.nullable().optional(),
        suspended: z.boolean().optional(),
      })
      .refine((edit) => Object.keys(edit).length > 0, "Has to change something."),
    response: accountJson,
    statuses: [200],
    async handle({ caller, params, body, origin }) {
      const edit = {
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.external_id === undefined ? {} : { externalId: body.external_id }),
        ...(body.suspended === undefined ? {} : { suspended: body.suspended }),
      };
      const account = await updateAccount(deps, params.slug, edit, origin(caller.actor));
      return { status: 200, body: shapeAccount(account) };
    },
  });

const remove = (deps: AccountDeps): Route =>
  route({
    method: "delete",
    path: "/v1/accounts/:slug",
    summary: "Delete an account; answers when none of its keys is accepted anywhere any more",
    permission: asOperator,
    params: slugInPath,
    query: nothing,
    body: nothing,
    response: receiptJson,
    statuses: [200],
    async handle({ caller, params, origin }) {
      const receipt = await deleteAccount(deps, params.slug, origin(caller.actor));
      return { status: 200, body: { revocation: shapeRevocation(receipt) } };
    },
  });
