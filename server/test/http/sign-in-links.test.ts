import { Failure } from "@latchkey/sdk/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSignInLink } from "../../src/domain/sign-in-links.ts";
import { ownOriginRule } from "../../src/http/origin.ts";
import { problemOf, problemResponse } from "../../src/http/problem.ts";
import { signInLinkOpening } from "../../src/http/sign-in-links.ts";
import type { Role } from "../../src/store/store.ts";
import { totpCode } from "../totp.ts";
import { EMAIL, ORIGIN, openSignInStage, PASSWORD, type SignInStage } from "./sign-in-stage.ts";
import { after } from "./visitor.ts";

const GRACE = "grace@example.com";
const OPERATOR = { type: "command_line", id: "test", name: "test" } as const;

let stage: SignInStage;
let routes: ReturnType<typeof signInLinkOpening>;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  stage = await openSignInStage({ signUpOpen: true });
  routes = node();
});
afterEach(async () => {
  await stage.close();
  vi.useRealTimers();
});

/** The route as one node serves it. */
function node() {
  const { store, signIn, deps } = stage;
  const routes = signInLinkOpening({
    store,
    signIn,
    ambient: deps.ambient,
    ownOrigin: ownOriginRule(null),
  });
  routes.onError((error) => problemResponse(problemOf(error, "req_1")));
  return routes;
}

const link = async (email = GRACE, role: Role = "member", name: string | null = "Grace") =>
  (
    await createSignInLink(
      { store: stage.store, ambient: stage.deps.ambient },
      "acme",
      { email, role, name },
      stage.origin(OPERATOR),
    )
  ).secret;

async function enter(
  secret: unknown,
  { headers = {}, to = routes, address = "192.0.2.1" }: Asked = {},
) {
  const request = new Request(`${ORIGIN}/v1/sign_in_links/open`, {
    method: "POST",
    headers: {
      Host: "127.0.0.1:4400",
      Origin: ORIGIN,
      "Content-Type": "application/json",
      ...headers,
    },
    body: JSON.stringify({ secret }),
  });
  const response = await to.fetch(request, { requestId: "req_1", address, userAgent: "test" });
  const body = await response.json();
  return { status: response.status, body, cookie: after(headers.Cookie ?? "", response) };
}

interface Asked {
  headers?: Record<string, string>;
  to?: typeof routes;
  address?: string;
}

const roleOf = async (email: string) => {
  const { id } = await stage.person(email);
  return (await stage.store.findMembership(id, "acme"))?.role;
};

const events = async () =>
  (
    await stage.db
      .selectFrom("audit_event")
      .select(["action", "actor_name", "account_id", "details"])
      .orderBy("id")
      .execute()
  ).filter(({ action }) => /^(sign_in_link|member)\./.test(action));

test("a link signs somebody new in to one account, and says so in the audit log", async () => {
  const secret = await link();
  const { status, body, cookie } = await enter(secret);
  expect([status, body]).toEqual([200, { account: { slug: "acme" } }]);
  const account = await stage.store.findAccount("acme");
  expect(await stage.who(cookie)).toMatchObject({
    name: "Grace",
    email: GRACE,
    twoFactor: false,
    confinedTo: account?.id,
  });
  expect(await roleOf(GRACE)).toBe("member");
  expect(await events()).toMatchObject([
    { action: "sign_in_link.created", actor_name: "test", account_id: account?.id },
    { action: "sign_in_link.opened", actor_name: "Grace", account_id: account?.id },
    { action: "member.joined", actor_name: "Grace", account_id: account?.id },
  ]);
  const kept = JSON.stringify([
    await events(),
    await stage.db.selectFrom("sign_in_link").selectAll().execute(),
    stage.log,
  ]);
  expect(kept).not.toContain(secret);
});

test("it works once, and for one of many who open it at once, on any node", async () => {
  const first = await link();
  expect((await enter(first)).status).toBe(200);
  expect((await enter(first)).status).toBe(404);

  const second = await link();
  const nodes = [routes, node(), node()];
  const heard = await Promise.all(
    [...nodes, ...nodes].map((to, index) => enter(second, { to, address: `192.0.2.${index}` })),
  );
  expect(heard.map(({ status }) => status).sort()).toEqual([200, 404, 404, 404, 404, 404]);
  expect(heard.filter(({ cookie }) => cookie !== "")).toHaveLength(1);
  expect(await stage.db.selectFrom("session").select("id").execute()).toHaveLength(2);
});

test("it works for sixty seconds, and unknown, used and expired read the same", async () => {
  const [good, late] = [await link(), await link()];
  stage.clock.nowMs += 59_999;
  const opened = await enter(good);
  stage.clock.nowMs += 1;
  const answers = await Promise.all([late, good, "nonsense"].map((each) => enter(each)));
  expect(opened.status).toBe(200);
  for (const { status, body } of answers)
    expect([status, body.message]).toEqual([404, answers[0]?.body.message]);
  expect(await stage.db.selectFrom("sign_in_link").select("id").execute()).toEqual([]);
});

test("what nobody opens is swept", async () => {
  await link();
  const kept = { minutesMs: 0, hoursMs: 0, daysMs: 0, refusalsMs: 0 };
  await stage.store.sweep(stage.clock.nowMs + 59_999, kept);
  expect(await stage.db.selectFrom("sign_in_link").select("id").execute()).toHaveLength(1);
  await stage.store.sweep(stage.clock.nowMs + 60_000, kept);
  expect(await stage.db.selectFrom("sign_in_link").select("id").execute()).toEqual([]);
});

test("a member keeps the role they have, and their other sessions and password", async () => {
  const mine = (await stage.enter()).cookie;
  const { status } = await enter(await link(EMAIL, "support"));
  expect([status, await roleOf(EMAIL)]).toEqual([200, "owner"]);
  expect(await stage.who(mine)).toMatchObject({ confinedTo: null });
  expect((await stage.enter()).failure).toBeNull();
  expect((await events()).map(({ action }) => action)).toEqual([
    "sign_in_link.created",
    "sign_in_link.opened",
  ]);
});

test("two links for one new address make one person", async () => {
  const secrets = [await link(), await link()];
  const heard = await Promise.all(secrets.map((secret) => enter(secret)));
  expect(heard.map(({ status }) => status)).toEqual([200, 200]);
  const people = await stage.db.selectFrom("person").select("email").execute();
  expect(people.filter(({ email }) => email === GRACE)).toHaveLength(1);
});

test("a session that was there before is not adopted, and a planted one is worth nothing", async () => {
  const eve = (await stage.enter()).cookie;
  const { cookie } = await enter(await link(), { headers: { Cookie: eve } });
  expect(cookie).not.toBe(eve);
  expect(await stage.who(cookie)).toMatchObject({ email: GRACE });
  expect(await stage.who(eve)).toMatchObject({ email: EMAIL });
});

test("a stranger who signed up first under an address has nothing of whoever comes by link", async () => {
  const body = { name: "Not Grace", email: GRACE, password: PASSWORD };
  const signedUp = await stage.ask("/sign-up/email", { body });
  const { cookie } = signedUp;
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  const code = totpCode(begun.body.totp_uri, stage.clock.nowMs);
  const stranger = await stage.ask("/two-factor/verify-totp", { cookie, body: { code } });
  expect(await stage.who(stranger.cookie)).toMatchObject({ twoFactor: true });
  const waiting = (await stage.enter(PASSWORD, GRACE)).cookie;
  expect(waiting).toContain("two_factor");

  const opened = await enter(await link());
  expect(await stage.who(opened.cookie)).toMatchObject({ email: GRACE, twoFactor: false });
  expect(await stage.who(stranger.cookie)).toBeNull();
  expect((await stage.enter(PASSWORD, GRACE)).code).toBe("invalid_credentials");
  const recovery = { code: begun.body.recovery_codes[0] };
  const late = { cookie: waiting, body: recovery };
  expect((await stage.ask("/two-factor/verify-backup-code", late)).code).toBe(
    "invalid_credentials",
  );
  expect((await stage.person(GRACE)).email_verified).toBe(1);
  expect(JSON.parse((await events())[1]?.details ?? "")).toMatchObject({
    replaced_unproved_sign_in: true,
  });
});

test("an account that requires a second factor gives out no link, and opens none", async () => {
  const early = await link();
  const { id = "" } = (await stage.store.findAccount("acme")) ?? {};
  await stage.store.account(id).setTwoFactorRequired(true, stage.origin(OPERATOR));
  await expect(link()).rejects.toMatchObject({ code: "conflict" });
  const { status, cookie } = await enter(early);
  expect([status, cookie]).toEqual([409, ""]);
  await expect(stage.person(GRACE)).rejects.toThrow();
});

test("no link is made for an account that is not there, or opened for one that is deleted", async () => {
  const { store, deps } = stage;
  const draft = { email: GRACE, role: "member", name: null } as const;
  const made = createSignInLink(
    { store, ambient: deps.ambient },
    "nobody",
    draft,
    stage.origin(OPERATOR),
  );
  await expect(made).rejects.toBeInstanceOf(Failure);
  const early = await link();
  await store.deleteAccount("acme", stage.origin(OPERATOR));
  expect((await enter(early)).status).toBe(404);
});

test("a page of another site opens nothing", async () => {
  const secret = await link();
  for (const Origin of ["https://evil.example", "null", "http://127.0.0.1:4401"])
    expect((await enter(secret, { headers: { Origin } })).status).toBe(403);
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  expect((await enter(secret, { headers: form })).status).toBe(415);
  expect((await enter(secret)).status).toBe(200);
});

test("one address opens sixty in a minute", async () => {
  for (let count = 0; count < 60; count++) await enter("nonsense");
  const good = await link();
  expect((await enter(good)).status).toBe(429);
  expect((await enter(good, { address: "192.0.2.2" })).status).toBe(200);
});

test("addresses of one IPv6 network of 64 bits are one, and another is another", async () => {
  for (let count = 0; count < 60; count++)
    await enter("nonsense", { address: `2001:db8:0:1::${count.toString(16)}` });
  const good = await link();
  expect((await enter(good, { address: "2001:db8:0:1:ffff::1" })).status).toBe(429);
  expect((await enter(good, { address: "2001:db8:0:2::1" })).status).toBe(200);
});

const FORBIDDEN: readonly [string, object][] = [
  ["/change-password", { current_password: PASSWORD, password: "another horse and battery" }],
  ["/update-user", { name: "Mallory" }],
  ["/two-factor/enable", { password: PASSWORD }],
  ["/two-factor/disable", { password: PASSWORD }],
  ["/two-factor/generate-backup-codes", { password: PASSWORD }],
  ["/two-factor/verify-totp", { code: "123456" }],
  ["GET /list-sessions", {}],
  ["/revoke-session", { id: `ses_${"0".repeat(32)}` }],
  ["/revoke-other-sessions", {}],
];

test.each(FORBIDDEN)("a confined session may not %s", async (path, body) => {
  const mine = (await stage.enter()).cookie;
  const { cookie } = await enter(await link(EMAIL));
  expect((await stage.ask(path, { cookie, body })).code).toBe("access_denied");
  expect(await stage.who(mine)).not.toBeNull();
  expect((await stage.enter()).body).toHaveProperty("person");
});

test("a confined session signs itself out, and stays confined when it is renewed", async () => {
  const { cookie } = await enter(await link());
  vi.setSystemTime(stage.clock.nowMs + 2 * 24 * 3_600_000);
  const renewed = await stage.signIn.renew(new Headers({ Cookie: cookie }));
  expect(renewed).toHaveLength(1);
  expect((await stage.who(cookie))?.confinedTo).toMatch(/^acc_/);
  await stage.ask("/sign-out", { cookie, body: {} });
  expect(await stage.who(cookie)).toBeNull();
});
