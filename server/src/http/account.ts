import { z } from "@hono/zod-openapi";
import type { OwnAccountJson } from "@latchkey/sdk/client";
import { getOwnAccount, requireTwoFactor, setKeyMaxAge } from "../domain/accounts.ts";
import type { KeyDeps } from "../domain/keys.ts";
import type { OwnAccount } from "../store/store.ts";
import { isTwoFactor } from "./callers.ts";
import { nothing } from "./fields.ts";
import { inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import { isoTime, timeJson } from "./shapes.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Ten years: whoever means longer means none. */
const MAX_AGE_DAYS_MAX = 3_650;

const MAX_AGE_MESSAGE = `Must be a whole number from 1 to ${MAX_AGE_DAYS_MAX}, or null.`;

const ownAccountJson = z
  .object({
    id: z.string(),
    name: z.string(),
    slug: z.string(),
    created_at: timeJson,
    api_key_max_age_days: z.number().int().nullable(),
    require_two_factor: z.boolean(),
  })
  .openapi("OwnAccount");

function shapeOwnAccount(account: OwnAccount): OwnAccountJson {
  const { keyMaxAgeMs } = account;
  return {
    id: account.id,
    name: account.name,
    slug: account.slug,
    created_at: isoTime(account.createdAtMs),
    api_key_max_age_days: keyMaxAgeMs === null ? null : keyMaxAgeMs / DAY_MS,
    require_two_factor: account.twoFactorRequired,
  };
}

/** `/v1/account`: the caller's own. */
export function ownAccountRoutes(deps: KeyDeps): readonly Route[] {
  return [get, update(deps)];
}

const get = route({
  method: "get",
  path: "/v1/account",
  summary: "Read the account itself",
  permission: inAccount("account:read"),
  params: nothing,
  query: nothing,
  body: nothing,
  response: ownAccountJson,
  statuses: [200],
  async handle({ caller }) {
    return { status: 200, body: shapeOwnAccount(await getOwnAccount(caller.account)) };
  },
});

const update = (deps: KeyDeps): Route =>
  route({
    method: "patch",
    path: "/v1/account",
    summary:
      "Set how long API keys of the account may live, answered when the ends that it brought forward are known everywhere; close it to people without a second factor",
    permission: inAccount("account:write"),
    params: nothing,
    query: nothing,
    body: z
      .strictObject({
        api_key_max_age_days: z
          .int(MAX_AGE_MESSAGE)
          .min(1, MAX_AGE_MESSAGE)
          .max(MAX_AGE_DAYS_MAX, MAX_AGE_MESSAGE)
          .nullable()
          .optional(),
        require_two_factor: z.boolean().optional(),
      })
      .refine((edit) => Object.keys(edit).length === 1, "Has to change one thing at a time."),
    response: ownAccountJson,
    statuses: [200],
    async handle({ caller, body, origin }) {
      const { require_two_factor: required, api_key_max_age_days: days } = body;
      const { account, actor, person } = caller;
      const hasTwoFactor = person !== null && isTwoFactor(person);
      if (required !== undefined)
        await requireTwoFactor(account, required, hasTwoFactor, origin(actor));
      if (days !== undefined)
        await setKeyMaxAge(deps, account, days === null ? null : days * DAY_MS, origin(actor));
      return { status: 200, body: shapeOwnAccount(await getOwnAccount(account)) };
    },
  });
