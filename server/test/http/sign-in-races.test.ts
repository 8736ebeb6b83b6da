import { AsyncLocalStorage } from "node:async_hooks";
import { digestToken } from "@latchkey/sdk/core";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createResetLink } from "../../src/domain/sign-in-links.ts";
import { totpCode } from "../totp.ts";
import { EMAIL, openSignInStage, PASSWORD, type SignInStage } from "./sign-in-stage.ts";

const OTHER = "another horse, another battery";
const EVE = "eve@example.com";

let stage: SignInStage;
/** Happens once, while a password is checked that is right. */
let meanwhile: (() => Promise<unknown>) | null;
/** As another request does it, not the one whose password is checked. */
const outside = AsyncLocalStorage.snapshot();

beforeEach(async () => {
  meanwhile = null;
  const passwords = {
    hash: hashPassword,
    async verify(data: { hash: string; password: string }) {
      const isRight = await verifyPassword(data);
      const happens = meanwhile;
      meanwhile = null;
      if (happens !== null) await outside(happens);
      return isRight;
    },
  };
  stage = await openSignInStage({ signUpOpen: true, change: { passwords } });
});
afterEach(() => stage.close());

const sessions = async () => (await stage.db.selectFrom("session").select("id").execute()).length;

/** Turns Ada's second factor on. */
async function withSecondFactor(): Promise<{ cookie: string; uri: string }> {
  const { cookie } = await stage.enter();
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  const uri: string = begun.body.totp_uri;
  const body = { code: totpCode(uri, stage.clock.nowMs) };
  return { uri, cookie: (await stage.ask("/two-factor/verify-totp", { cookie, body })).cookie };
}

/** Signs in while something else happens, and is refused without a cookie. */
async function refusedWhile(happens: () => Promise<unknown>, email = EMAIL): Promise<void> {
  meanwhile = happens;
  const heard = await stage.enter(PASSWORD, email);
  expect(meanwhile).toBeNull();
  expect([heard.code, heard.cookie, heard.failure?.detail]).toEqual([
    "invalid_credentials",
    "",
    "The e-mail address or the password is wrong.",
  ]);
}

test("a sign-in under way ends with a reset of the password", async () => {
  const { id } = await stage.person();
  await stage.signIn.keepResetToken(id, "a-link", stage.clock.nowMs + 60_000);
  await refusedWhile(() =>
    stage.ask("/reset-password", { body: { token: "a-link", password: OTHER } }),
  );
  expect(await sessions()).toBe(0);
  expect((await stage.enter(OTHER)).failure).toBeNull();
});

test("a sign-in under way ends with a change of the password, and who changed it stays", async () => {
  const { cookie } = await stage.enter();
  let mine = "";
  await refusedWhile(async () => {
    const body = { current_password: PASSWORD, password: OTHER };
    mine = (await stage.ask("/change-password", { cookie, body })).cookie;
  });
  expect(await stage.who(mine)).toMatchObject({ email: EMAIL });
  expect(await sessions()).toBe(1);
});

test("a sign-in under way is to be tried again when its person takes another name, and ends no other", async () => {
  const { cookie } = await stage.enter();
  await refusedWhile(() => stage.ask("/update-user", { cookie, body: { name: "Ada Lovelace" } }));
  expect(await stage.who(cookie)).toMatchObject({ name: "Ada Lovelace" });
  expect(await sessions()).toBe(1);
  expect((await stage.enter()).failure).toBeNull();
});

test("a sign-in under way, which asked for no code, ends with the enrolment of a second factor", async () => {
  const { cookie } = await stage.enter();
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  let mine = "";
  await refusedWhile(async () => {
    const body = { code: totpCode(begun.body.totp_uri, stage.clock.nowMs) };
    mine = (await stage.ask("/two-factor/verify-totp", { cookie, body })).cookie;
  });
  expect(await stage.who(mine)).toMatchObject({ twoFactor: true });
  expect(await sessions()).toBe(1);
});

test("a stranger's sign-in under way ends with the opening of a sign-in link", async () => {
  const body = { name: "Eve", email: EVE, password: PASSWORD };
  await stage.ask("/sign-up/email", { body });
  const origin = () => stage.origin({ type: "command_line", id: "", name: "" });
  const digest = digestToken("a link's secret");
  const link = { id: "sil_1", email: EVE, name: "Eve", role: "member", digest } as const;
  const expiresAtMs = stage.clock.nowMs + 60_000;
  await stage.store.createSignInLink("acme", { ...link, expiresAtMs }, origin());
  await refusedWhile(
    () =>
      stage.store.openSignInLink(digest, {
        newPersonId: "per_1",
        atMs: stage.clock.nowMs,
        originOf: origin,
      }),
    EVE,
  );
  expect(await sessions()).toBe(0);
});

test("a second factor that a sign-in waits for is worth nothing when the password changes under way", async () => {
  await withSecondFactor();
  const { id } = await stage.person();

  await stage.signIn.keepResetToken(id, "a-link", stage.clock.nowMs + 60_000);
  await refusedWhile(() =>
    stage.ask("/reset-password", { body: { token: "a-link", password: OTHER } }),
  );
  expect(await sessions()).toBe(0);
});

test("who is signed in because they were just made is not, when that ended meanwhile", async () => {
  const { id } = await stage.person();
  await stage.signIn.keepResetToken(id, "a-link", stage.clock.nowMs + 60_000);
  meanwhile = () => stage.ask("/reset-password", { body: { token: "a-link", password: OTHER } });
  const caller = { requestId: "req_1", address: "192.0.2.1", userAgent: "test" };
  await expect(stage.signIn.begin({ email: EMAIL, password: PASSWORD }, caller)).rejects.toThrow();
  expect(await sessions()).toBe(0);
});

test("a change of the password under way gives way to a reset: the reset's password stands", async () => {
  const { cookie } = await stage.enter();
  const { id } = await stage.person();
  await stage.signIn.keepResetToken(id, "a-link", stage.clock.nowMs + 60_000);
  meanwhile = () => stage.ask("/reset-password", { body: { token: "a-link", password: OTHER } });
  const body = { current_password: PASSWORD, password: "the third of them, and longest" };
  const heard = await stage.ask("/change-password", { cookie, body });
  expect([heard.code, heard.failure?.detail]).toEqual([
    "conflict",
    "Your sign-in was changed meanwhile. Try again.",
  ]);
  expect(await sessions()).toBe(0);
  expect(await stage.actions()).toEqual(["person.password_reset"]);
  expect((await stage.enter(OTHER)).failure).toBeNull();
});

test("turning the second factor off under way gives way to a reset, and begins no session", async () => {
  const { cookie } = await withSecondFactor();
  const { id } = await stage.person();
  await stage.signIn.keepResetToken(id, "a-link", stage.clock.nowMs + 60_000);
  meanwhile = () => stage.ask("/reset-password", { body: { token: "a-link", password: OTHER } });
  const heard = await stage.ask("/two-factor/disable", { cookie, body: { password: PASSWORD } });
  expect(heard.code).toBe("conflict");
  expect(await sessions()).toBe(0);
  expect((await stage.enter(OTHER)).body).toEqual({ two_factor: true });
});

test("a second factor that is turned off in two places at once is turned off once", async () => {
  const { cookie: first, uri } = await withSecondFactor();
  const { cookie } = await stage.enter();
  const body = { code: totpCode(uri, stage.clock.nowMs + 30_000) };
  const { cookie: second } = await stage.ask("/two-factor/verify-totp", { cookie, body });
  const off = (cookie: string) =>
    stage.ask("/two-factor/disable", { cookie, body: { password: PASSWORD } });
  let meantime: Awaited<ReturnType<typeof off>> | undefined;
  meanwhile = async () => {
    meantime = await off(second);
  };
  expect((await off(first)).code).toBe("conflict");
  expect(meantime?.failure).toBeNull();
  const entries = (await stage.actions()).filter((action) => action.endsWith("factor_disabled"));
  expect(entries).toHaveLength(1);
});

test("of changes of the password at once one is made, and it tells once", async () => {
  const cookies = [];
  for (let count = 0; count < 4; count++) cookies.push((await stage.enter()).cookie);
  const heard = await Promise.all(
    cookies.map((cookie, index) => {
      const body = { current_password: PASSWORD, password: `${OTHER} ${index}` };
      return stage.ask("/change-password", { cookie, body });
    }),
  );
  const done = heard.findIndex(({ failure }) => failure === null);
  expect(heard.filter(({ failure }) => failure === null)).toHaveLength(1);
  expect(await stage.who(heard[done]?.cookie ?? "")).toMatchObject({ email: EMAIL });
  expect(await sessions()).toBe(1);
  expect(await stage.actions()).toEqual(["person.password_changed"]);
  expect((await stage.enter(`${OTHER} ${done}`)).failure).toBeNull();
});

test("a link of the operator's is there with its entry and what it takes away, or not at all", async () => {
  await withSecondFactor();
  const { id } = await stage.person();
  await sql`create trigger no_links before insert on verification
    begin select raise(abort, 'the disk is full'); end`.execute(stage.db);
  const { ambient } = stage.deps;
  const deps = { store: stage.store, ambient, keepResetToken: stage.signIn.keepResetToken };
  const origin = () => stage.origin({ type: "command_line", id: "", name: "" });
  const make = () => createResetLink(deps, { email: EMAIL, removesTwoFactor: true }, origin);
  await expect(make()).rejects.toThrow("the disk is full");
  const told = () =>
    stage.db
      .selectFrom("audit_event")
      .select("action")
      .where("subject_id", "=", id)
      .where("action", "in", ["password_reset_link.created", "person.two_factor_disabled"])
      .orderBy("id")
      .execute();
  expect(await told()).toEqual([]);
  await sql`drop trigger no_links`.execute(stage.db);
  expect((await stage.enter()).body).toEqual({ two_factor: true });
  await make();
  expect((await told()).map(({ action }) => action)).toEqual([
    "password_reset_link.created",
    "person.two_factor_disabled",
  ]);
});
