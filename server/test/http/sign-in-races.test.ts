import { digestToken } from "@latchkey/sdk/core";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { totpCode } from "../totp.ts";
import { EMAIL, openSignInStage, PASSWORD, type SignInStage } from "./sign-in-stage.ts";

const OTHER = "another horse, another battery";
const EVE = "eve@example.com";

let stage: SignInStage;
/** Happens once, while a password is checked that is right. */
let meanwhile: (() => Promise<unknown>) | null;

beforeEach(async () => {
  meanwhile = null;
  const passwords = {
    hash: hashPassword,
    async verify(data: { hash: string; password: string }) {
      const isRight = await verifyPassword(data);
      const happens = meanwhile;
      meanwhile = null;
      await happens?.();
      return isRight;
    },
  };
  stage = await openSignInStage({ signUpOpen: true, change: { passwords } });
});
afterEach(() => stage.close());

const sessions = async () => (await stage.db.selectFrom("session").select("id").execute()).length;

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
  const { cookie } = await stage.enter();
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  const code = totpCode(begun.body.totp_uri, stage.clock.nowMs);
  await stage.ask("/two-factor/verify-totp", { cookie, body: { code } });
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
