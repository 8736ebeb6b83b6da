import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fromBase32, totpCode } from "../totp.ts";
import { openSignInStage, PASSWORD, type SignInStage } from "./sign-in-stage.ts";

/** Half a minute: the life of a code. */
const STEP_MS = 30_000;
const LOCKED_MS = 15 * 60_000;

let stage: SignInStage;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  stage = await openSignInStage();
});
afterEach(async () => {
  await stage.close();
  vi.useRealTimers();
});

/** Lets time pass, the library's too. */
function pass(ms: number): void {
  stage.clock.nowMs += ms;
  vi.setSystemTime(stage.clock.nowMs);
}

/** Ada with the second factor on. Time has passed, so that the code of her enrolment is nobody's any more. */
async function enrol() {
  const { cookie } = await stage.enter();
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  const uri: string = begun.body.totp_uri;
  const code = totpCode(uri, stage.clock.nowMs);
  const done = await stage.ask("/two-factor/verify-totp", { cookie, body: { code } });
  expect(done.failure).toBeNull();
  pass(3 * STEP_MS);
  const recoveryCodes: string[] = begun.body.recovery_codes;
  return { uri, recoveryCodes, cookie: done.cookie, before: cookie, enrolmentCode: code };
}

const code = (uri: string) => totpCode(uri, stage.clock.nowMs);
/** A code that is wrong now. */
const wrong = (uri: string) => String((Number(code(uri)) + 1) % 1_000_000).padStart(6, "0");
const verify = (cookie: string, code: string) =>
  stage.ask("/two-factor/verify-totp", { cookie, body: { code } });
const recover = (cookie: string, code: string) =>
  stage.ask("/two-factor/verify-backup-code", { cookie, body: { code } });

test("it is off until a code has come, and then signing in takes two steps", async () => {
  const { cookie } = await stage.enter();
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  expect(begun.body).toEqual({
    totp_uri: expect.stringMatching(/^otpauth:\/\/totp\/Latchkey:ada%40example\.com\?secret=/),
    recovery_codes: expect.arrayContaining([expect.stringMatching(/^\w{5}-\w{5}$/)]),
  });
  expect(new Set(begun.body.recovery_codes).size).toBe(10);
  expect((await stage.who(cookie))?.twoFactor).toBe(false);
  expect((await stage.enter()).body).toMatchObject({ person: { name: "Ada" } });

  const refused = await verify(cookie, wrong(begun.body.totp_uri));
  expect([refused.code, (await stage.who(cookie))?.twoFactor]).toEqual([
    "invalid_credentials",
    false,
  ]);
  const done = await verify(cookie, code(begun.body.totp_uri));
  expect((await stage.who(done.cookie))?.twoFactor).toBe(true);

  pass(3 * STEP_MS);
  const waiting = await stage.enter();
  expect(waiting.body).toEqual({ two_factor: true });
  expect(waiting.cookie).toMatch(/^latchkey\.two_factor=[^;]+$/);
  expect(await stage.who(waiting.cookie)).toBeNull();
  for (const set of waiting.headers.getSetCookie())
    expect(await stage.who(set.split(";")[0] ?? "")).toBeNull();

  const signedIn = await verify(waiting.cookie, code(begun.body.totp_uri));
  expect(signedIn.body).toEqual({
    person: { id: expect.any(String), name: "Ada", email: "ada@example.com" },
  });
  expect(await stage.who(signedIn.cookie)).toMatchObject({ name: "Ada", twoFactor: true });
  expect(await stage.actions()).toEqual(["person.two_factor_enabled"]);
});

test("turning it on ends every other session, and this one goes on under a new token", async () => {
  const other = (await stage.enter()).cookie;
  const { cookie, before } = await enrol();
  expect(cookie).not.toBe(before);
  expect(await stage.who(before)).toBeNull();
  expect(await stage.who(other)).toBeNull();
  expect(await stage.who(cookie)).not.toBeNull();
});

test("a code is good once: neither for another sign-in, nor after the enrolment", async () => {
  const { cookie } = await stage.enter();
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  const first = code(begun.body.totp_uri);
  await verify(cookie, first);
  expect((await verify((await stage.enter()).cookie, first)).code).toBe("invalid_credentials");

  pass(3 * STEP_MS);
  const second = code(begun.body.totp_uri);
  const [one, other] = [await stage.enter(), await stage.enter()];
  const heard = await Promise.all([one, other].map((each) => verify(each.cookie, second)));
  expect(heard.map(({ code }) => code).sort()).toEqual([null, "invalid_credentials"].sort());
  pass(3 * STEP_MS);
  expect((await verify((await stage.enter()).cookie, second)).code).toBe("invalid_credentials");
});

test("a sign-in that waits is worth nothing without its cookie, twice, or after ten minutes", async () => {
  const { uri } = await enrol();
  expect((await verify("", code(uri))).code).toBe("invalid_credentials");
  const forged = (await stage.enter()).cookie.replace(/\.[^.]+$/, `.${"A".repeat(43)}%3D`);
  expect((await verify(forged, code(uri))).code).toBe("invalid_credentials");

  const waiting = (await stage.enter()).cookie;
  expect((await verify(waiting, code(uri))).failure).toBeNull();
  pass(3 * STEP_MS);
  expect((await verify(waiting, code(uri))).code).toBe("invalid_credentials");

  const late = (await stage.enter()).cookie;
  pass(10 * 60_000 + 1);
  expect((await verify(late, code(uri))).code).toBe("invalid_credentials");
});

test("each recovery code signs in once", async () => {
  const { recoveryCodes } = await enrol();
  const [first = "", second = ""] = recoveryCodes;
  const waiting = (await stage.enter()).cookie;
  expect((await recover(waiting, "aaaaa-00000")).code).toBe("invalid_credentials");
  const signedIn = await recover(waiting, first);
  expect(await stage.who(signedIn.cookie)).toMatchObject({ name: "Ada" });
  expect((await recover((await stage.enter()).cookie, first)).code).toBe("invalid_credentials");

  const [one, other] = [await stage.enter(), await stage.enter()];
  const heard = await Promise.all([one, other].map(({ cookie }) => recover(cookie, second)));
  expect(heard.filter(({ failure }) => failure === null)).toHaveLength(1);
});

test("of many who come with one recovery code at once all but one are told that it was used", async () => {
  const { recoveryCodes } = await enrol();
  const waiting = await Promise.all(Array.from({ length: 8 }, () => stage.enter()));
  const heard = await Promise.all(
    waiting.map(({ cookie }) => recover(cookie, recoveryCodes[0] ?? "")),
  );
  expect(heard.map(({ code }) => code).sort()).toEqual(
    [...Array(7).fill("invalid_credentials"), null].sort(),
  );
});

test("new recovery codes need the password, and end those before", async () => {
  const { cookie, recoveryCodes } = await enrol();
  const path = "/two-factor/generate-backup-codes";
  const refused = await stage.ask(path, { cookie, body: { password: "another password" } });
  expect(refused.code).toBe("invalid_credentials");
  const { body } = await stage.ask(path, { cookie, body: { password: PASSWORD } });
  expect(body.recovery_codes).toHaveLength(10);
  const waiting = (await stage.enter()).cookie;
  expect((await recover(waiting, recoveryCodes[0] ?? "")).code).toBe("invalid_credentials");
  expect((await recover(waiting, body.recovery_codes[0])).failure).toBeNull();
  expect((await stage.actions()).slice(-2)).toEqual([
    "person.recovery_codes_replaced",
    "person.recovery_code_used",
  ]);
});

test("turning it off needs the password, and then one step signs in", async () => {
  const { cookie } = await enrol();
  const path = "/two-factor/disable";
  const refused = await stage.ask(path, { cookie, body: { password: "another password" } });
  expect([refused.code, (await stage.who(cookie))?.twoFactor]).toEqual([
    "invalid_credentials",
    true,
  ]);
  const done = await stage.ask(path, { cookie, body: { password: PASSWORD } });
  expect((await stage.who(done.cookie))?.twoFactor).toBe(false);
  expect((await stage.enter()).body).toMatchObject({ person: { name: "Ada" } });
  expect(await stage.db.selectFrom("two_factor").selectAll().execute()).toEqual([]);
  expect((await stage.actions()).at(-1)).toBe("person.two_factor_disabled");
  const again = await stage.ask(path, { cookie: done.cookie, body: { password: PASSWORD } });
  expect(again.code).toBe("conflict");
});

test("what is on cannot be turned on anew by whoever finds the browser open", async () => {
  const { cookie, uri } = await enrol();
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  expect(begun.code).toBe("conflict");
  expect((await verify(cookie, code(uri))).code).toBe("conflict");
  expect((await recover(cookie, "aaaaa-00000")).code).toBe("conflict");
});

test("neither the secret nor a recovery code is in the database in clear", async () => {
  const { uri, recoveryCodes } = await enrol();
  const row = await stage.db.selectFrom("two_factor").selectAll().executeTakeFirstOrThrow();
  const secret = new URL(uri).searchParams.get("secret") ?? "";
  const kept = JSON.stringify(row);
  expect(kept.length).toBeGreaterThan(200);
  for (const text of [secret, fromBase32(secret).toString("latin1"), ...recoveryCodes])
    expect(kept.includes(text)).toBe(false);
});

test("ten wrong codes lock the person's factor, whatever address and sign-in each comes from", async () => {
  const { uri, recoveryCodes } = await enrol();
  for (let round = 0; round < 10; round++) {
    const waiting = (await stage.enter()).cookie;
    const heard =
      round % 2 === 0
        ? await verify(waiting, wrong(uri).replace(/./, String(round)))
        : await recover(waiting, `aaaaa-0000${round}`);
    expect(heard.code).toBe("invalid_credentials");
  }
  const waiting = (await stage.enter()).cookie;
  const refused = await verify(waiting, code(uri));
  expect(refused.code).toBe("rate_limited");
  expect(refused.failure?.retryAfterSeconds).toBeGreaterThan(800);
  expect((await recover(waiting, recoveryCodes[0] ?? "")).code).toBe("rate_limited");
  pass(LOCKED_MS + 1_000);
  expect((await verify((await stage.enter()).cookie, code(uri))).failure).toBeNull();
});

test("a sign-in takes five wrong codes, and then has to begin anew", async () => {
  const { uri } = await enrol();
  const waiting = (await stage.enter()).cookie;
  for (let digit = 1; digit <= 5; digit++)
    await verify(waiting, wrong(uri).replace(/^./, String(digit)));
  const refused = await verify(waiting, code(uri));
  expect([refused.code, refused.failure?.detail]).toEqual([
    "invalid_credentials",
    "Too many wrong codes: sign in with your password again.",
  ]);
  pass(3 * STEP_MS);
  expect((await verify(waiting, code(uri))).failure).not.toBeNull();
  expect((await verify((await stage.enter()).cookie, code(uri))).failure).toBeNull();
});

test("many guesses at once get no more than one after the other", async () => {
  const { uri } = await enrol();
  const waiting = await Promise.all(Array.from({ length: 9 }, () => stage.enter()));
  const heard = await Promise.all(
    waiting.flatMap(({ cookie }) =>
      [1, 2, 3].map((digit) => verify(cookie, wrong(uri).replace(/^./, String(digit)))),
    ),
  );
  const judged = heard.filter(({ code }) => code !== "rate_limited");
  expect(judged.length).toBeLessThanOrEqual(10);
  expect(heard.every(({ failure }) => failure !== null)).toBe(true);
});

test("no device is trusted, and no other field of the library's gets through", async () => {
  const { uri } = await enrol();
  const waiting = (await stage.enter()).cookie;
  const body = { code: code(uri), trustDevice: true };
  expect((await stage.ask("/two-factor/verify-totp", { cookie: waiting, body })).code).toBe(
    "invalid_params",
  );
  const { cookie } = await verify(waiting, code(uri));
  expect(cookie).not.toContain("trust");
  const asked = { password: PASSWORD, issuer: "Evil", method: "otp" };
  expect((await stage.ask("/two-factor/enable", { cookie, body: asked })).code).toBe(
    "invalid_params",
  );
});
