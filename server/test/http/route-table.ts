import type { Role } from "../../src/store/store.ts";

/**
 * One good request for every route of the API, and the roles that may send it, written by hand: what is derived from the
 * server's own table could not find it wrong. access.test.ts holds this table and the routes together.
 */
export interface Sample {
  readonly route: string;
  /** Method and path; `{key}` is a key of acme's, `{token}` a token of the operator's; see access-stage.ts. */
  readonly to: string;
  readonly body?: object;
  readonly status: number;
  /** Roles that may; only for routes of an account. */
  readonly roles?: readonly Role[];
}

export const EVERYBODY: readonly Role[] = ["owner", "admin", "member", "support"];
const READERS: readonly Role[] = ["owner", "admin", "member"];
const ADMINS: readonly Role[] = ["owner", "admin"];
export const KEYS = "/v1/api_keys?environment=development";
const slug = "staging";

export const OF_ACCOUNT: readonly Sample[] = [
  { route: "get /v1/environments", to: "GET /v1/environments", status: 200, roles: EVERYBODY },
  {
    route: "post /v1/environments",
    to: "POST /v1/environments",
    body: { name: "Staging", slug },
    status: 201,
    roles: ADMINS,
  },
  {
    route: "patch /v1/environments/:slug",
    to: "PATCH /v1/environments/production",
    body: { name: "Live" },
    status: 200,
    roles: ADMINS,
  },
  {
    route: "delete /v1/environments/:slug",
    to: "DELETE /v1/environments/production",
    status: 200,
    roles: ADMINS,
  },
  { route: "get /v1/api_keys", to: `GET ${KEYS}`, status: 200, roles: READERS },
  {
    route: "post /v1/api_keys",
    to: `POST ${KEYS}`,
    body: { type: "secret" },
    status: 201,
    roles: ADMINS,
  },
  { route: "get /v1/api_keys/:id", to: "GET /v1/api_keys/{key}", status: 200, roles: READERS },
  {
    route: "patch /v1/api_keys/:id",
    to: "PATCH /v1/api_keys/{key}",
    body: { description: "new" },
    status: 200,
    roles: ADMINS,
  },
  {
    route: "post /v1/api_keys/:id/revoke",
    to: "POST /v1/api_keys/{key}/revoke",
    body: {},
    status: 200,
    roles: ADMINS,
  },
  {
    route: "post /v1/api_keys/:id/rotate",
    to: "POST /v1/api_keys/{key}/rotate",
    body: { overlap_seconds: 60 },
    status: 201,
    roles: ADMINS,
  },
  { route: "get /v1/members", to: "GET /v1/members", status: 200, roles: EVERYBODY },
  {
    route: "get /v1/members/:id",
    to: "GET /v1/members/{member}",
    status: 200,
    roles: EVERYBODY,
  },
  {
    route: "patch /v1/members/:id",
    to: "PATCH /v1/members/{member}",
    body: { role: "support" },
    status: 200,
    roles: ADMINS,
  },
  // Of somebody else: everybody may leave, see members.test.ts.
  {
    route: "delete /v1/members/:id",
    to: "DELETE /v1/members/{member}",
    status: 200,
    roles: ADMINS,
  },
  { route: "get /v1/invitations", to: "GET /v1/invitations", status: 200, roles: EVERYBODY },
  {
    route: "post /v1/invitations",
    to: "POST /v1/invitations",
    body: { email: "new@acme.example", role: "admin" },
    status: 201,
    roles: ADMINS,
  },
  {
    route: "post /v1/invitations/:id/send",
    to: "POST /v1/invitations/{invitation}/send",
    status: 200,
    roles: ADMINS,
  },
  {
    route: "delete /v1/invitations/:id",
    to: "DELETE /v1/invitations/{invitation}",
    status: 200,
    roles: ADMINS,
  },
  { route: "get /v1/account", to: "GET /v1/account", status: 200, roles: EVERYBODY },
  { route: "get /v1/usage", to: "GET /v1/usage", status: 200, roles: READERS },
  {
    route: "get /v1/api_keys/:id/usage",
    to: "GET /v1/api_keys/{key}/usage",
    status: 200,
    roles: READERS,
  },
  { route: "get /v1/refusals", to: "GET /v1/refusals", status: 200, roles: READERS },
  {
    route: "get /v1/refusals/:request_id",
    to: "GET /v1/refusals/{refusal}",
    status: 200,
    roles: READERS,
  },
  { route: "get /v1/audit_logs", to: "GET /v1/audit_logs", status: 200, roles: ADMINS },
  { route: "get /v1/service_tokens", to: "GET /v1/service_tokens", status: 200, roles: ADMINS },
  {
    route: "post /v1/service_tokens",
    to: "POST /v1/service_tokens",
    body: { name: "Deploys" },
    status: 201,
    roles: ADMINS,
  },
  {
    route: "delete /v1/service_tokens/:id",
    to: "DELETE /v1/service_tokens/{serviceToken}",
    status: 200,
    roles: ADMINS,
  },
];

/** For the account's owners in person: a service token has the rights of an admin. */
export const OF_OWNER: readonly Sample[] = [
  {
    route: "patch /v1/account",
    to: "PATCH /v1/account",
    body: { api_key_max_age_days: 90 },
    status: 200,
    roles: ["owner"],
  },
];

/** For a service token alone. */
export const OF_PROGRAM: readonly Sample[] = [
  {
    route: "post /v1/api_keys/exchange",
    to: "POST /v1/api_keys/exchange?environment=development",
    status: 200,
  },
];

export const OF_OPERATOR: readonly Sample[] = [
  { route: "get /v1/accounts", to: "GET /v1/accounts", status: 200 },
  {
    route: "post /v1/accounts",
    to: "POST /v1/accounts",
    body: { name: "New", slug: "newcomer" },
    status: 201,
  },
  {
    route: "patch /v1/accounts/:slug",
    to: "PATCH /v1/accounts/acme",
    body: { name: "Acme Inc." },
    status: 200,
  },
  {
    route: "post /v1/accounts/:slug/sign_in_links",
    to: "POST /v1/accounts/acme/sign_in_links",
    body: { email: "grace@acme.example", role: "member" },
    status: 201,
  },
  {
    route: "post /v1/password_reset_links",
    to: "POST /v1/password_reset_links",
    body: { email: "owner@acme.example" },
    status: 201,
  },
  { route: "delete /v1/accounts/:slug", to: "DELETE /v1/accounts/acme", status: 200 },
];

/** For the operator's session too. */
export const OF_OPERATOR_IN_PERSON: readonly Sample[] = [
  { route: "get /v1/tokens", to: "GET /v1/tokens", status: 200 },
  {
    route: "post /v1/tokens",
    to: "POST /v1/tokens",
    body: { kind: "verifier", name: "Edge" },
    status: 201,
  },
  { route: "delete /v1/tokens/:id", to: "DELETE /v1/tokens/{token}", status: 200 },
  { route: "get /v1/operator/refusals", to: "GET /v1/operator/refusals", status: 200 },
  {
    route: "get /v1/operator/refusals/:request_id",
    to: "GET /v1/operator/refusals/{nobodys}",
    status: 200,
  },
  { route: "get /v1/operator/audit_logs", to: "GET /v1/operator/audit_logs", status: 200 },
];

export const OF_VERIFIER: readonly Sample[] = [
  {
    route: "post /v1/api_keys/verify",
    to: "POST /v1/api_keys/verify",
    body: { api_key: "sk_nonsense" },
    status: 200,
  },
  // A plain request; the front takes the WebSockets.
  { route: "get /v1/verifier", to: "GET /v1/verifier", status: 426 },
];

export const OF_SESSION: readonly Sample[] = [
  { route: "get /v1/me", to: "GET /v1/me", status: 200 },
  {
    route: "post /v1/me/accounts",
    to: "POST /v1/me/accounts",
    body: { name: "Mine", slug: "mine" },
    status: 201,
  },
];
export const OF_HOLDER: readonly Sample[] = [
  { route: "get /v1/whoami", to: "GET /v1/whoami", status: 200 },
];

export const WITH_TOKEN = [
  ...OF_ACCOUNT,
  ...OF_PROGRAM,
  ...OF_OPERATOR,
  ...OF_OPERATOR_IN_PERSON,
  ...OF_VERIFIER,
];
export const ALL = [...WITH_TOKEN, ...OF_OWNER, ...OF_SESSION, ...OF_HOLDER];
