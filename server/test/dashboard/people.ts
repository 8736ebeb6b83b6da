import type { InvitationJson, MeJson, MemberJson, SessionJson } from "@latchkey/sdk/client";
import type { Page } from "playwright-core";
import { DAY_MS, fromNow, HOUR_MS } from "./lives.ts";

const READ = ["account:read", "environments:read", "members:read"];
const ADMIN = [
  ...READ,
  "keys:read",
  "keys:write",
  "environments:write",
  "service_tokens:read",
  "service_tokens:write",
  "members:write",
  "audit_logs:read",
];

/** What each role may do, by hand: what the server says is held to its own table elsewhere. */
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  owner: [...ADMIN, "account:write", "owners:write"],
  admin: ADMIN,
  member: [...READ, "keys:read"],
  support: READ,
};

/** Retells who is signed in; what the server allows stays as it is. */
export async function retellMe(page: Page, tell: (me: MeJson) => void): Promise<void> {
  await page.route("**/v1/me", async (route) => {
    const answer = await route.fetch();
    if (!answer.ok()) return route.fulfill({ response: answer });
    const me: MeJson = await answer.json();
    tell(me);
    return route.fulfill({ json: me });
  });
}

/** Gives one another role, and what that allows, in what {@link retellMe} retells. */
export function giveRole({ accounts }: MeJson, role: string): void {
  for (const account of accounts)
    Object.assign(account, { role, permissions: PERMISSIONS[role] ?? [] });
}

/** Tells that one has another role in the account, and what that allows. */
export const tellRole = (page: Page, role: string): Promise<void> =>
  retellMe(page, (me) => giveRole(me, role));

const member = (
  name: string,
  role: MemberJson["role"],
  rest: Partial<MemberJson> = {},
): MemberJson => ({
  id: `per_${name.toLowerCase()}`,
  name,
  email: `${name.toLowerCase()}@example.com`,
  role,
  two_factor: false,
  joined_at: fromNow(-40 * DAY_MS),
  active_api_keys: 0,
  active_service_tokens: 0,
  ...rest,
});

/** People as a busy account has them; the first is who {@link OWNER} signs in. */
export const PEOPLE: readonly MemberJson[] = [
  member("Ada", "owner", {
    two_factor: true,
    active_api_keys: 12,
    joined_at: fromNow(-400 * DAY_MS),
  }),
  member("Grace", "admin", { two_factor: true, active_api_keys: 7, active_service_tokens: 2 }),
  member("Linus", "member", { active_api_keys: 1_204 }),
  member("Radia", "support"),
  member("Wolfeschlegelsteinhausenbergerdorff", "member", {
    email: `${"a-very-long-address-of-somebody-".repeat(3)}@example.com`,
  }),
];

const grace = { type: "person", id: "per_grace", name: "Grace" } as const;

/** Invitations of each kind. */
export const INVITATIONS: readonly InvitationJson[] = [
  {
    id: "inv_1",
    email: "margaret@example.com",
    role: "admin",
    created_at: fromNow(-2 * HOUR_MS),
    created_by: grace,
    expires_at: fromNow(7 * DAY_MS - 2 * HOUR_MS),
    mailed: true,
  },
  {
    id: "inv_2",
    email: "barbara@example.com",
    role: "support",
    created_at: fromNow(-6 * DAY_MS),
    created_by: grace,
    expires_at: fromNow(DAY_MS),
    mailed: false,
  },
];

const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

const session = (id: string, agoMs: number, rest: Partial<SessionJson>): SessionJson => ({
  id,
  created_at: fromNow(-agoMs - DAY_MS),
  last_used_at: fromNow(-agoMs),
  expires_at: fromNow(7 * DAY_MS),
  address: "192.0.2.7",
  user_agent: CHROME,
  current: false,
  account: null,
  ...rest,
});

/** Sessions on several devices. */
export const SESSIONS: readonly SessionJson[] = [
  session("ses_2", 3 * HOUR_MS, { user_agent: SAFARI, address: "2001:db8:85a3::8a2e:370:7334" }),
  session("ses_1", 0, { current: true }),
  session("ses_3", 2 * DAY_MS, { user_agent: "curl/8.14.1", address: "198.51.100.24" }),
  session("ses_4", 5 * DAY_MS, { user_agent: null, address: null, account: "acme" }),
];

/** A list as the API answers it, all on one page. */
export const pageOf = (entries: readonly unknown[]) => ({
  entries,
  page_info: { after: null, before: null, page_size: 25 },
});
