import { type KyselyPlugin, sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSignIn } from "../../src/http/sign-in.ts";
import { ORIGIN, openSignInStage, PASSWORD, type SignInStage } from "./sign-in-stage.ts";

let stage: SignInStage;
beforeEach(async () => {
  stage = await openSignInStage();
});
afterEach(() => stage.close());

const list = async (cookie: string) =>
  (await stage.ask("GET /list-sessions", { cookie })).body.entries;

test("sessions are listed with where they come from, and without their tokens", async () => {
  const other = (await stage.enter(undefined, undefined, { address: "192.0.2.1" })).cookie;
  const mine = (await stage.enter(undefined, undefined, { address: "192.0.2.2" })).cookie;
  const heard = await stage.ask("GET /list-sessions", { cookie: mine });
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
  const entry = {
    id: expect.stringMatching(/^ses_[0-9a-f]{32}$/),
    created_at: time,
    last_used_at: time,
    expires_at: time,
    user_agent: "test",
    account: null,
  };
  expect(heard.body).toEqual({
    entries: [
      { ...entry, address: "192.0.2.2", current: true },
      { ...entry, address: "192.0.2.1", current: false },
    ],
  });
  for (const cookie of [mine, other]) {
    const token = decodeURIComponent(cookie).split(/[=.]/)[2] ?? "";
    expect(token.length).toBeGreaterThan(20);
    expect(JSON.stringify(heard.body)).not.toContain(token);
  }
});

test("one session is ended by its id, and no other", async () => {
  const [mine, other, third] = await Promise.all([stage.enter(), stage.enter(), stage.enter()]);
  const entries: { id: string; current: boolean }[] = await list(other.cookie);
  const { id } = entries.find(({ current }) => current) ?? { id: "" };
  const done = await stage.ask("/revoke-session", { cookie: mine.cookie, body: { id } });
  expect(done.body).toEqual({});
  expect(await stage.who(other.cookie)).toBeNull();
  expect(await stage.who(mine.cookie)).not.toBeNull();
  expect(await stage.who(third.cookie)).not.toBeNull();
  const again = await stage.ask("/revoke-session", { cookie: mine.cookie, body: { id } });
  expect(again.code).toBe("resource_missing");
  expect(await stage.actions()).toEqual(["person.sessions_ended"]);
});

test("another person's session is not there", async () => {
  const eve = { id: "per_eve", name: "Eve", email: "eve@example.com" };
  await stage.addPerson(eve);
  const account = await stage.store.findAccount("acme");
  const caller = { requestId: "req_1", address: "192.0.2.9", userAgent: null };
  const cookies = await stage.signIn.beginConfined(eve.id, account?.id ?? "", caller);
  const theirs = cookies[0]?.split(";")[0] ?? "";
  const { sessionId = "" } = (await stage.who(theirs)) ?? {};
  const mine = (await stage.enter()).cookie;
  const refused = await stage.ask("/revoke-session", { cookie: mine, body: { id: sessionId } });
  expect(refused.code).toBe("resource_missing");
  expect(await stage.who(theirs)).not.toBeNull();
  await stage.ask("/revoke-other-sessions", { cookie: mine, body: {} });
  expect(await stage.who(theirs)).not.toBeNull();
  expect(await list(mine)).toHaveLength(1);
});

test("all others are ended at once, and this one stays", async () => {
  const [mine, ...others] = await Promise.all([stage.enter(), stage.enter(), stage.enter()]);
  await stage.ask("/revoke-other-sessions", { cookie: mine?.cookie ?? "", body: {} });
  for (const { cookie } of others) expect(await stage.who(cookie)).toBeNull();
  expect(await stage.who(mine?.cookie ?? "")).not.toBeNull();
});

test("nobody who is not signed in sees or ends a session", async () => {
  for (const path of ["GET /list-sessions", "/revoke-session", "/revoke-other-sessions"])
    expect((await stage.ask(path)).code).toBe("authentication_required");
});

test("nobody is told that they are signed out while sessions cannot be read", async () => {
  const { cookie } = await stage.enter();
  await sql`alter table session rename to session_away`.execute(stage.db);
  const asked = [
    ["GET /get-session", {}],
    ["GET /list-sessions", {}],
    ["/sign-out", {}],
    ["/revoke-other-sessions", {}],
    ["/change-password", { current_password: PASSWORD, password: `${PASSWORD} 2` }],
    ["/two-factor/enable", { password: PASSWORD }],
    ["/update-user", { name: "Ada Lovelace" }],
  ] as const;
  for (const [to, body] of asked)
    expect([to, (await stage.ask(to, { cookie, body })).code]).toEqual([to, "service_unavailable"]);
  await expect(stage.who(cookie)).rejects.toMatchObject({ code: "service_unavailable" });
  await sql`alter table session_away rename to session`.execute(stage.db);
  expect(await stage.who(cookie)).toMatchObject({ name: "Ada" });
  expect(await stage.actions()).toEqual([]);
});

test("what the library logs without words is logged, and answered like any database that is away", async () => {
  const { cookie } = await stage.enter();
  // Lets the session be found, and the list of them not be read.
  const away: KyselyPlugin = {
    transformQuery({ node }) {
      const said = JSON.stringify(node);
      if (said.includes('"session"') && !said.includes('"token"')) throw new Error("it is away");
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const signIn = createSignIn({ ...stage.deps, db: stage.db.withPlugin(away) });
  const request = new Request(`${ORIGIN}/auth/list-sessions`, { headers: { Cookie: cookie } });
  const caller = { requestId: "req_1", address: "192.0.2.1", userAgent: "test" };
  await expect(signIn.handle(request, caller)).rejects.toMatchObject({
    code: "service_unavailable",
  });
  expect(stage.log.join("")).toContain("Error: it is away");
});
