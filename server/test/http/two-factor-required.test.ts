import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Heard, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

type Who = "owner" | "admin" | "member" | "support";

const as = (who: Who, to: string, body?: unknown, account = "acme"): Promise<Heard> =>
  world.call(to, {
    headers: world.browser(world.acme.people[who].cookie, account),
    ...(body === undefined ? {} : { body }),
  });

/** Changes what a person's session is. */
function become(who: Who, change: { twoFactor?: boolean; confinedTo?: string | null }): void {
  const { cookie } = world.acme.people[who];
  const session = world.sessions.get(cookie);
  if (session === undefined) throw new Error(`${who} has no session`);
  world.sessions.set(cookie, { ...session, ...change });
}

const require2 = (required: boolean) =>
  as("owner", "PATCH /v1/account", { require_two_factor: required });

describe("an account that requires the second factor", () => {
  beforeEach(async () => {
    become("owner", { twoFactor: true });
    expect((await require2(true)).body).toMatchObject({ require_two_factor: true });
  });

  const READS = [
    "GET /v1/account",
    "GET /v1/environments",
    "GET /v1/api_keys?environment=development",
    "GET /v1/service_tokens",
    "GET /v1/members",
    "GET /v1/audit_logs",
    "GET /v1/usage",
  ];

  test.each(READS)("is closed to whoever has none: %s", async (to) => {
    const { status, body } = await as("admin", to);
    expect([status, body.code]).toEqual([403, "two_factor_required"]);
    become("admin", { twoFactor: true });
    expect((await as("admin", to)).status).toBe(200);
  });

  test("is closed to sessions that a link began, whatever the person has", async () => {
    become("admin", { twoFactor: true, confinedTo: world.acme.id });
    const { status, body } = await as("admin", "GET /v1/account");
    expect([status, body.code]).toEqual([403, "two_factor_required"]);
  });

  test("is in the list of whoever has none, who so can turn one on", async () => {
    const { body } = await as("member", "GET /v1/me");
    expect(body.person.two_factor).toBe(false);
    expect(body.accounts).toMatchObject([{ slug: "acme", two_factor_required: true }]);
  });

  test("is open to its programs, and does not concern other accounts", async () => {
    const token = world.acme.serviceToken;
    expect((await world.call("GET /v1/account", { token })).status).toBe(200);
    const { cookie } = world.rival.people.member;
    const headers = world.browser(cookie, "rival");
    expect((await world.call("GET /v1/account", { headers })).status).toBe(200);
  });

  test("is opened again by an owner who can come in, and by nobody else", async () => {
    become("admin", { twoFactor: true });
    const refused = await as("admin", "PATCH /v1/account", { require_two_factor: false });
    expect([refused.status, refused.body.code]).toEqual([403, "access_denied"]);
    become("owner", { twoFactor: false });
    expect((await require2(false)).body.code).toBe("two_factor_required");
    become("owner", { twoFactor: true });
    expect((await require2(false)).body).toMatchObject({ require_two_factor: false });
    expect((await as("member", "GET /v1/account")).status).toBe(200);
  });

  test("is told once in the audit log, and setting it again tells nothing", async () => {
    await require2(true);
    const events = await world.db
      .selectFrom("audit_event")
      .select(["action", "details"])
      .where("action", "=", "account.updated")
      .execute();
    expect(events.map(({ details }) => JSON.parse(details))).toEqual([
      { require_two_factor: true, require_two_factor_before: false },
    ]);
  });

  test("refuses a stranger as if it were not there", async () => {
    const headers = world.browser(world.rival.people.owner.cookie, "acme");
    expect((await world.call("GET /v1/account", { headers })).status).toBe(404);
  });
});

test("nobody closes the door on themselves: without a factor, or by a link", async () => {
  expect((await require2(true)).body.code).toBe("conflict");
  become("owner", { twoFactor: true, confinedTo: world.acme.id });
  expect((await require2(true)).body.code).toBe("conflict");
  expect((await as("member", "GET /v1/account")).body.require_two_factor).toBe(false);
});

test("one call sets one rule of the account: none and two are refused, and change nothing", async () => {
  become("owner", { twoFactor: true });
  const both = { require_two_factor: true, api_key_max_age_days: 30 };
  for (const body of [{}, both])
    expect((await as("owner", "PATCH /v1/account", body)).status).toBe(422);
  const neither = { require_two_factor: false, api_key_max_age_days: null };
  expect((await as("owner", "GET /v1/account")).body).toMatchObject(neither);
  const token = world.acme.serviceToken;
  const byToken = await world.call("PATCH /v1/account", {
    token,
    body: { require_two_factor: false },
  });
  expect(byToken.status).toBe(403);
});

describe("a session that a link began", () => {
  test("reaches its account as the role allows, and every other not at all", async () => {
    const { id } = world.acme.people.owner;
    await world.db
      .insertInto("member")
      .values({ account_id: world.rival.id, person_id: id, role: "owner", created_at: 0 })
      .execute();
    expect((await as("owner", "GET /v1/account", undefined, "rival")).status).toBe(200);
    become("owner", { confinedTo: world.acme.id });
    expect((await as("owner", "GET /v1/account")).status).toBe(200);
    expect((await as("owner", "GET /v1/account", undefined, "rival")).status).toBe(404);
    const { body } = await as("owner", "GET /v1/me");
    expect(body.person.confined).toBe(true);
    expect(body.accounts).toMatchObject([{ slug: "acme" }]);
  });

  test("is never the operator's", async () => {
    const { cookie } = world.operator;
    const headers = world.browser(cookie, "first");
    expect((await world.call("GET /v1/tokens", { headers })).status).toBe(200);
    const session = world.sessions.get(cookie);
    if (session === undefined) throw new Error("the operator has no session");
    world.sessions.set(cookie, { ...session, confinedTo: world.acme.id });
    for (const to of ["GET /v1/tokens", "GET /v1/operator/refusals", "GET /v1/operator/audit_logs"])
      expect((await world.call(to, { headers })).body.code).toBe("access_denied");
    const body = { kind: "operator", name: "Mine" };
    expect((await world.call("POST /v1/tokens", { headers, body })).status).toBe(403);
    expect((await world.call("GET /v1/me", { headers })).body.operator).toBe(false);
  });

  test("makes no account of its own", async () => {
    become("owner", { confinedTo: world.acme.id });
    const heard = await as("owner", "POST /v1/me/accounts", { name: "Mine", slug: "mine" });
    expect([heard.status, heard.body.code]).toEqual([403, "access_denied"]);
  });
});

describe("a link for a new password", () => {
  const make = (body: unknown, headers = {}) =>
    world.call("POST /v1/password_reset_links", {
      token: world.tokens.operator,
      body,
      headers: { Host: "127.0.0.1:4400", ...headers },
    });

  test("is of the person, for half an hour, and leads to this dashboard and nowhere else", async () => {
    const heard = await make({ email: "OWNER@acme.example" }, { Host: "evil.example" });
    expect(heard.status).toBe(201);
    expect(Object.keys(heard.body).sort()).toEqual(["expires_at", "url"]);
    const [kept] = world.resetTokens;
    expect(heard.body.url).toBe(`http://127.0.0.1:4400/reset-password#${kept?.token}`);
    expect(kept).toMatchObject({
      personId: world.acme.people.owner.id,
      expiresAtMs: world.clock.nowMs + 30 * 60_000,
    });
    expect(kept?.token).toMatch(/^[\w-]{32}$/);
    expect((await make({ email: "nobody@acme.example" })).status).toBe(404);
    expect(world.resetTokens).toHaveLength(1);
  });

  test("turns a lost second factor off where that is asked for", async () => {
    const { id } = world.acme.people.owner;
    await world.db
      .updateTable("person")
      .set({ two_factor_enabled: 1 })
      .where("id", "=", id)
      .execute();
    const secret = { secret: "x", backup_codes: "x", verified: 1 };
    await world.db
      .insertInto("two_factor")
      .values({
        id: "tfa_1",
        person_id: id,
        ...secret,
        failed_verification_count: 0,
        locked_until: null,
      })
      .execute();
    const factors = () => world.db.selectFrom("two_factor").select("id").execute();
    await make({ email: "owner@acme.example" });
    expect(await factors()).toHaveLength(1);
    await make({ email: "owner@acme.example", remove_two_factor: true });
    expect(await factors()).toEqual([]);
    const events = await world.db
      .selectFrom("audit_event")
      .select(["action", "actor_type"])
      .where("subject_id", "=", id)
      .where("account_id", "is", null)
      .orderBy("id")
      .execute();
    expect(events.map(({ action }) => action)).toEqual([
      "password_reset_link.created",
      "password_reset_link.created",
      "person.two_factor_disabled",
    ]);
    expect(new Set(events.map(({ actor_type }) => actor_type))).toEqual(new Set(["operator"]));
  });
});

test("a sign-in link leads to this dashboard, whatever host and way back the caller names", async () => {
  const body = { email: "Grace@Acme.example", role: "member" };
  const token = world.tokens.operator;
  const headers = { Host: "evil.example", Origin: "https://evil.example" };
  const to = "POST /v1/accounts/acme/sign_in_links";
  const heard = await world.call(to, { token, body, headers });
  expect(heard.status).toBe(201);
  expect(heard.body).toEqual({
    id: expect.stringMatching(/^sil_[0-9a-f]{32}$/),
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:4400\/sign-in-link#[\w-]{32}$/),
    expires_at: new Date(world.clock.nowMs + 60_000).toISOString(),
  });
  const redirecting = { ...body, redirect_to: "https://evil.example" };
  expect((await world.call(to, { token, body: redirecting })).status).toBe(422);
});
