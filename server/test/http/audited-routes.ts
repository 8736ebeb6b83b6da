import type { AuditAction } from "../../src/store/store.ts";
import type { Heard, World } from "./world.ts";

/** A call as whoever a row names makes it. */
export interface Call {
  /** Method and path. */
  readonly to: string;
  readonly body?: object;
  /** Of a browser, instead of the row's token. */
  readonly headers?: Record<string, string>;
}

/** What a row finds when it begins. */
export interface Scene {
  readonly world: World;
  /** Active keys of acme's in development. */
  readonly secretKeyId: string;
  readonly publicKeyId: string;
  /** Asks with acme's service token, or as the operator, and resolves to the body. */
  ask(call: Call, by?: "service_token" | "operator"): Promise<Heard["body"]>;
}

/** Who a row's calls are made by, which is the type of actor that the log has to name. */
export type By = "service_token" | "operator" | "person" | "verifier";

/** A route that may change something, and what its calls leave in the audit log. */
export interface AuditedRoute {
  readonly route: string;
  readonly by: By;
  /** The entries of the call that changes something, oldest first; none where the route never does. */
  readonly leaves: readonly AuditAction[];
  /** What the change answers to the owner of another account; 404 unless it says so. */
  readonly outsider?: number;
  /** The call that changes something, and after it calls that are refused or alter nothing, each with its status. */
  calls(scene: Scene): Promise<{ change: Call; idle: readonly (readonly [number, Call])[] }>;
}

const NO_KEY = `key_${"0".repeat(32)}`;
const NO_TOKEN = `tok_${"0".repeat(32)}`;
const KEYS = "/v1/api_keys?environment=development";

/** Every route of the management API but those that only read. A route that is missing here fails the test. */
export const AUDITED_ROUTES: readonly AuditedRoute[] = [
  {
    route: "post /v1/environments",
    by: "service_token",
    leaves: ["environment.created"],
    calls: async () => ({
      change: { to: "POST /v1/environments", body: { name: "Staging", slug: "staging" } },
      idle: [
        [409, { to: "POST /v1/environments", body: { name: "Taken", slug: "staging" } }],
        [422, { to: "POST /v1/environments", body: { name: "", slug: "other" } }],
      ],
    }),
  },
  {
    route: "patch /v1/environments/:slug",
    by: "service_token",
    leaves: ["environment.renamed"],
    calls: async () => ({
      change: { to: "PATCH /v1/environments/production", body: { name: "Live" } },
      idle: [
        [200, { to: "PATCH /v1/environments/production", body: { name: "Live" } }],
        [404, { to: "PATCH /v1/environments/nowhere", body: { name: "Live" } }],
      ],
    }),
  },
  {
    route: "delete /v1/environments/:slug",
    by: "service_token",
    leaves: ["environment.deleted"],
    calls: async () => ({
      change: { to: "DELETE /v1/environments/production" },
      idle: [[404, { to: "DELETE /v1/environments/production" }]],
    }),
  },
  {
    route: "post /v1/api_keys",
    by: "service_token",
    leaves: ["api_key.created"],
    calls: async () => ({
      change: { to: `POST ${KEYS}`, body: { type: "secret", description: "CI" } },
      idle: [
        [422, { to: `POST ${KEYS}`, body: { type: "private" } }],
        [404, { to: "POST /v1/api_keys?environment=nowhere", body: { type: "secret" } }],
      ],
    }),
  },
  {
    route: "patch /v1/api_keys/:id",
    by: "service_token",
    leaves: ["api_key.edited"],
    calls: async ({ secretKeyId }) => {
      const to = `PATCH /v1/api_keys/${secretKeyId}`;
      const body = { description: "new", metadata: { a: "b", c: "d" } };
      return {
        change: { to, body },
        idle: [
          [200, { to, body }],
          [200, { to, body: { metadata: { c: "d", a: "b" } } }],
          [422, { to, body: { expires_at: "2001-01-01T00:00:00Z" } }],
          [404, { to: `PATCH /v1/api_keys/${NO_KEY}`, body }],
        ],
      };
    },
  },
  {
    route: "post /v1/api_keys/:id/revoke",
    by: "service_token",
    leaves: ["api_key.revoked"],
    calls: async ({ secretKeyId }) => ({
      change: { to: `POST /v1/api_keys/${secretKeyId}/revoke`, body: { reason: "Leaked" } },
      idle: [
        [200, { to: `POST /v1/api_keys/${secretKeyId}/revoke`, body: { reason: "Again" } }],
        [404, { to: `POST /v1/api_keys/${NO_KEY}/revoke`, body: {} }],
      ],
    }),
  },
  {
    route: "post /v1/api_keys/:id/rotate",
    by: "service_token",
    leaves: ["api_key.rotated", "api_key.created"],
    calls: async ({ secretKeyId }) => {
      const to = `POST /v1/api_keys/${secretKeyId}/rotate`;
      return { change: { to, body: { overlap_seconds: 60 } }, idle: [[422, { to, body: {} }]] };
    },
  },
  {
    route: "post /v1/api_keys/exchange",
    by: "service_token",
    leaves: ["api_key.created"],
    outsider: 401,
    calls: async () => ({
      change: { to: "POST /v1/api_keys/exchange?environment=development" },
      idle: [[404, { to: "POST /v1/api_keys/exchange?environment=nowhere" }]],
    }),
  },
  {
    route: "post /v1/api_keys/verify",
    by: "verifier",
    leaves: [],
    outsider: 401,
    calls: async ({ world }) => ({
      change: { to: "POST /v1/api_keys/verify", body: { api_key: world.acme.secretKey } },
      idle: [[200, { to: "POST /v1/api_keys/verify", body: { api_key: "sk_nonsense" } }]],
    }),
  },
  {
    route: "patch /v1/account",
    by: "person",
    leaves: ["account.updated"],
    calls: async ({ world }) => {
      const { owner, admin } = world.acme.people;
      const call = (cookie: string, api_key_max_age_days: number): Call => ({
        to: "PATCH /v1/account",
        body: { api_key_max_age_days },
        headers: world.browser(cookie, "acme"),
      });
      return {
        change: call(owner.cookie, 90),
        idle: [
          [200, call(owner.cookie, 90)],
          [422, call(owner.cookie, -1)],
          [403, call(admin.cookie, 30)],
        ],
      };
    },
  },
  {
    route: "post /v1/service_tokens",
    by: "service_token",
    leaves: ["access_token.created"],
    calls: async () => ({
      change: { to: "POST /v1/service_tokens", body: { name: "Deploys" } },
      idle: [[422, { to: "POST /v1/service_tokens", body: { name: "" } }]],
    }),
  },
  {
    // It was exchanged for a key, which ends with it.
    route: "delete /v1/service_tokens/:id",
    by: "service_token",
    leaves: ["access_token.deleted", "api_key.revoked"],
    calls: async ({ ask, world }) => {
      const body = { name: "Idle" };
      const { id, token } = await ask({ to: "POST /v1/service_tokens", body });
      await world.call("POST /v1/api_keys/exchange?environment=development", { token });
      const call = { to: `DELETE /v1/service_tokens/${id}` };
      return {
        change: call,
        idle: [
          [404, call],
          [404, { to: `DELETE /v1/service_tokens/${NO_TOKEN}` }],
        ],
      };
    },
  },
  {
    route: "post /v1/accounts",
    by: "operator",
    leaves: ["account.created"],
    outsider: 401,
    calls: async () => ({
      change: { to: "POST /v1/accounts", body: { name: "New", slug: "newcomer" } },
      idle: [[409, { to: "POST /v1/accounts", body: { name: "New", slug: "newcomer" } }]],
    }),
  },
  {
    route: "patch /v1/accounts/:slug",
    by: "operator",
    leaves: ["account.suspended"],
    outsider: 401,
    calls: async () => {
      const call = {
        to: "PATCH /v1/accounts/acme",
        body: { name: "Acme Inc.", suspended: true },
      };
      return {
        change: call,
        idle: [
          [200, call],
          [404, { to: "PATCH /v1/accounts/nobody", body: { name: "Nobody" } }],
        ],
      };
    },
  },
  {
    route: "delete /v1/accounts/:slug",
    by: "operator",
    leaves: ["account.deleted"],
    outsider: 401,
    calls: async () => {
      const call = { to: "DELETE /v1/accounts/acme" };
      return { change: call, idle: [[404, call]] };
    },
  },
  {
    route: "post /v1/tokens",
    by: "operator",
    leaves: ["access_token.created"],
    outsider: 403,
    calls: async () => ({
      change: { to: "POST /v1/tokens", body: { kind: "verifier", name: "Edge" } },
      idle: [[422, { to: "POST /v1/tokens", body: { kind: "service", name: "Edge" } }]],
    }),
  },
  {
    route: "delete /v1/tokens/:id",
    by: "operator",
    leaves: ["access_token.deleted"],
    outsider: 403,
    calls: async ({ ask }) => {
      const body = { kind: "verifier", name: "Idle" };
      const { id } = await ask({ to: "POST /v1/tokens", body }, "operator");
      const call = { to: `DELETE /v1/tokens/${id}` };
      return {
        change: call,
        idle: [
          [404, call],
          [404, { to: `DELETE /v1/tokens/${NO_TOKEN}` }],
        ],
      };
    },
  },
  {
    route: "post /v1/me/accounts",
    by: "person",
    leaves: ["account.created"],
    // The slug is taken by then: an account of one's own is nobody's to refuse.
    outsider: 409,
    calls: async ({ world }) => {
      const call = {
        to: "POST /v1/me/accounts",
        body: { name: "Mine", slug: "mine" },
        headers: world.browser(world.acme.people.member.cookie, "acme"),
      };
      return { change: call, idle: [[409, call]] };
    },
  },
  {
    route: "patch /v1/members/:id",
    by: "service_token",
    leaves: ["member.role_changed"],
    calls: async ({ world }) => {
      const { member, owner } = world.acme.people;
      const call = (id: string, role: string): Call => ({
        to: `PATCH /v1/members/${id}`,
        body: { role },
      });
      return {
        change: call(member.id, "admin"),
        idle: [
          [200, call(member.id, "admin")],
          [403, call(member.id, "owner")],
          [403, call(owner.id, "member")],
        ],
      };
    },
  },
  {
    // They had sent the link of an open invitation, which goes with them.
    route: "delete /v1/members/:id",
    by: "service_token",
    leaves: ["member.removed", "invitation.cancelled"],
    calls: async ({ ask, world }) => {
      const { admin, owner } = world.acme.people;
      await ask({
        to: "POST /v1/invitations",
        body: { email: "theirs@acme.example", role: "member" },
        headers: world.browser(admin.cookie, "acme"),
      });
      const call = { to: `DELETE /v1/members/${admin.id}` };
      return {
        change: call,
        idle: [
          [404, call],
          [403, { to: `DELETE /v1/members/${owner.id}` }],
        ],
      };
    },
  },
  {
    route: "post /v1/invitations",
    by: "service_token",
    leaves: ["invitation.created"],
    calls: async () => {
      const call = (email: string, role: string): Call => ({
        to: "POST /v1/invitations",
        body: { email, role },
      });
      return {
        change: call("new@acme.example", "admin"),
        idle: [
          [403, call("new@acme.example", "owner")],
          [409, call("member@acme.example", "admin")],
        ],
      };
    },
  },
  {
    route: "post /v1/invitations/:id/send",
    by: "service_token",
    leaves: ["invitation.sent"],
    calls: async ({ ask }) => {
      const body = { email: "new@acme.example", role: "admin" };
      const { id } = await ask({ to: "POST /v1/invitations", body });
      return {
        change: { to: `POST /v1/invitations/${id}/send` },
        idle: [[404, { to: `POST /v1/invitations/inv_${"0".repeat(32)}/send` }]],
      };
    },
  },
  {
    route: "delete /v1/invitations/:id",
    by: "service_token",
    leaves: ["invitation.cancelled"],
    calls: async ({ ask }) => {
      const body = { email: "new@acme.example", role: "admin" };
      const { id } = await ask({ to: "POST /v1/invitations", body });
      const call = { to: `DELETE /v1/invitations/${id}` };
      return { change: call, idle: [[404, call]] };
    },
  },
  {
    route: "post /v1/accounts/:slug/sign_in_links",
    by: "operator",
    leaves: ["sign_in_link.created"],
    outsider: 401,
    calls: async () => {
      const body = { email: "customer@acme.example", role: "member" };
      return {
        change: { to: "POST /v1/accounts/acme/sign_in_links", body },
        idle: [
          [404, { to: "POST /v1/accounts/nobody/sign_in_links", body }],
          [422, { to: "POST /v1/accounts/acme/sign_in_links", body: { ...body, role: "king" } }],
        ],
      };
    },
  },
  {
    route: "post /v1/password_reset_links",
    by: "operator",
    leaves: ["password_reset_link.created"],
    outsider: 401,
    calls: async () => ({
      change: { to: "POST /v1/password_reset_links", body: { email: "owner@acme.example" } },
      idle: [
        [404, { to: "POST /v1/password_reset_links", body: { email: "nobody@acme.example" } }],
      ],
    }),
  },
];
