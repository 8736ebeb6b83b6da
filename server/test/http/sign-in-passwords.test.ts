import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { signInMails } from "../../src/http/sign-in-mails.ts";
import { totpCode } from "../totp.ts";
import {
  EMAIL,
  type Heard,
  ORIGIN,
  openSignInStage,
  PASSWORD,
  type SignInStage,
} from "./sign-in-stage.ts";

const OTHER = "another horse, another battery";
const STRANGER = "eve@example.com";
const MINUTE_MS = 60_000;

let stage: SignInStage;
async function open(options: Parameters<typeof openSignInStage>[0]): Promise<void> {
  stage = await openSignInStage(options);
}
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  await stage.close();
  vi.useRealTimers();
});

function pass(ms: number): void {
  stage.clock.nowMs += ms;
  vi.setSystemTime(stage.clock.nowMs);
}

const forget = (email: string) => stage.ask("/request-password-reset", { body: { email } });
const reset = (token: string, password = OTHER) =>
  stage.ask("/reset-password", { body: { token, password } });
const confirm = (token: string, password = PASSWORD) =>
  stage.ask("/verify-email", { body: { token, password } });
const signUp = (email: string, password = PASSWORD, name = "Eve") =>
  stage.ask("/sign-up/email", { body: { name, email, password } });

/** All that a caller sees of an answer. */
const seen = ({ status, code, body, headers, failure }: Heard) => ({
  status,
  code,
  body,
  headers: Object.fromEntries(headers),
  detail: failure?.detail,
});

describe("a forgotten password", () => {
  beforeEach(() => open({ mail: true }));

  test("is chosen anew by the mailed link, once, and every session of before is over", async () => {
    const { cookie } = await stage.enter();
    expect(seen(await forget("ADA@example.com"))).toMatchObject({ status: 200, body: {} });
    expect(stage.mails).toHaveLength(1);
    expect(stage.mails[0]).toMatchObject({ to: EMAIL });
    expect(stage.mails[0]?.text).toContain(`${ORIGIN}/reset-password#`);
    const token = stage.linkSecret();
    expect(token).toMatch(/^\w{24,}$/);
    const kept = await stage.db.selectFrom("verification").selectAll().execute();
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toContain(token);

    expect(seen(await reset(token))).toMatchObject({ status: 200, body: {} });
    expect(await stage.who(cookie)).toBeNull();
    expect((await stage.enter(PASSWORD)).code).toBe("invalid_credentials");
    expect((await stage.enter(OTHER)).failure).toBeNull();
    expect((await reset(token, "a third horse and battery")).code).toBe("invalid_credentials");
    expect((await stage.enter(OTHER)).failure).toBeNull();
    expect(await stage.actions()).toEqual(["person.password_reset"]);
  });

  test("is not chosen by a link of half an hour ago, an unknown one, or one of an older request", async () => {
    await forget(EMAIL);
    const older = stage.linkSecret();
    pass(MINUTE_MS);
    await forget(EMAIL);
    const newer = stage.linkSecret();
    expect(newer).not.toBe(older);
    expect((await reset("nonsense")).code).toBe("invalid_credentials");
    expect((await reset(newer)).failure).toBeNull();
    expect((await reset(older, "a third horse and battery")).code).toBe("invalid_credentials");
    await forget(EMAIL);
    pass(30 * MINUTE_MS + 1);
    expect((await reset(stage.linkSecret(), "a third horse and battery")).code).toBe(
      "invalid_credentials",
    );
    expect((await stage.enter(OTHER)).failure).toBeNull();
  });

  test("of two who open one link at once one chooses", async () => {
    await forget(EMAIL);
    const token = stage.linkSecret();
    const passwords = ["first horse and battery", "second horse and battery"];
    const heard = await Promise.all(passwords.map((password) => reset(token, password)));
    expect(heard.filter(({ failure }) => failure === null)).toHaveLength(1);
    const entered = await Promise.all(passwords.map((password) => stage.enter(password)));
    expect(entered.map(({ failure }) => failure === null)).toEqual(
      heard.map(({ failure }) => failure === null),
    );
  });

  test("a link is of one person: nobody else's password changes by it", async () => {
    const bob = { id: "per_bob", name: "Bob", email: "bob@example.com" };
    await stage.addPerson(bob);
    await forget(bob.email);
    await reset(stage.linkSecret());
    expect((await stage.enter(PASSWORD)).failure).toBeNull();
    expect((await stage.enter(OTHER, bob.email)).body).toMatchObject({ person: { name: "Bob" } });
  });

  test("a short password uses no link up", async () => {
    await forget(EMAIL);
    const token = stage.linkSecret();
    expect((await reset(token, "short")).code).toBe("invalid_params");
    expect((await reset(token)).failure).toBeNull();
  });

  test("asking tells nothing of who has a sign-in: the same answer, no hash, no mail waited for", async () => {
    const known = await forget(EMAIL);
    const unknown = await forget(STRANGER);
    expect(seen(known)).toEqual(seen(unknown));
    expect(stage.hashes.count).toBe(0);
    expect(stage.mails.map(({ to }) => to)).toEqual([EMAIL]);
    expect(stage.log.join("")).not.toContain("example.com");
  });

  test("a mailbox is not flooded: one address gets ten mails in a quarter of an hour, whoever asks", async () => {
    const codes = [];
    for (let count = 0; count < 12; count++) codes.push((await forget(EMAIL)).code);
    expect(codes).toEqual([...Array(10).fill(null), "rate_limited", "rate_limited"]);
    expect(stage.mails).toHaveLength(10);
  });
});

test("a mail server that never answers keeps nobody waiting, and one that refuses is logged without the address", async () => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const whenKept = (tell: () => void) => tell();
  const never = signInMails({ send: () => new Promise(() => {}), whenKept, logger });
  await open({ change: { mails: never } });
  expect((await forget(EMAIL)).status).toBe(200);
  const refusing = signInMails({
    send: () => Promise.reject(new Error("550 no")),
    whenKept,
    logger,
  });
  refusing.resetPassword({ to: EMAIL, origin: ORIGIN, token: "secret-token" });
  await expect.poll(() => lines.join("")).toContain("550 no");
  expect(lines.join("")).not.toContain("secret-token");
  expect(lines.join("")).not.toContain(EMAIL);
});

test("without a mail server asking says the same, and keeps no token", async () => {
  await open({});
  expect(seen(await forget(EMAIL))).toEqual(seen(await forget(STRANGER)));
  expect(await stage.db.selectFrom("verification").selectAll().execute()).toEqual([]);
});

describe("another password", () => {
  beforeEach(() => open({ mail: true }));
  const change = (cookie: string, current_password: string, password = OTHER) =>
    stage.ask("/change-password", { cookie, body: { current_password, password } });

  test("needs the one of now, ends every other session, and goes on under a new token", async () => {
    const [mine, other] = [(await stage.enter()).cookie, (await stage.enter()).cookie];
    expect((await change(mine, "a wrong password")).code).toBe("invalid_credentials");
    expect(await stage.who(other)).not.toBeNull();
    const done = await change(mine, PASSWORD);
    expect(done.body).toEqual({});
    expect(await stage.who(other)).toBeNull();
    expect(await stage.who(mine)).toBeNull();
    expect(await stage.who(done.cookie)).toMatchObject({ email: EMAIL });
    expect((await stage.enter(PASSWORD)).code).toBe("invalid_credentials");
    expect((await stage.enter(OTHER)).failure).toBeNull();
    expect(await stage.actions()).toEqual(["person.password_changed"]);
  });

  test("ends the links that reset the one before", async () => {
    await forget(EMAIL);
    const token = stage.linkSecret();
    await change((await stage.enter()).cookie, PASSWORD);
    expect((await reset(token, "a third horse and battery")).code).toBe("invalid_credentials");
  });

  test("ends sign-ins that wait for a second factor: they were begun with the one before", async () => {
    const { cookie } = await stage.enter();
    const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
    const code = () => totpCode(begun.body.totp_uri, stage.clock.nowMs);
    const mine = await stage.ask("/two-factor/verify-totp", { cookie, body: { code: code() } });
    pass(2 * MINUTE_MS);
    const waiting = await stage.enter();
    expect(waiting.body).toEqual({ two_factor: true });
    await change(mine.cookie, PASSWORD);
    const late = await stage.ask("/two-factor/verify-totp", {
      cookie: waiting.cookie,
      body: { code: code() },
    });
    expect(late.code).toBe("invalid_credentials");
  });

  test("cannot be guessed by whoever finds the browser open", async () => {
    const { cookie } = await stage.enter();
    for (let count = 0; count < 10; count++)
      expect((await change(cookie, "a wrong password")).code).toBe("invalid_credentials");
    expect((await change(cookie, PASSWORD)).code).toBe("rate_limited");
    expect((await change("", PASSWORD)).code).toBe("authentication_required");
  });
});

describe("signing up", () => {
  test("is not there unless it is open", async () => {
    await open({ mail: true });
    expect((await signUp(STRANGER)).code).toBe("resource_missing");
  });

  test("signs in at once where no mail is sent, and the address counts as unproved", async () => {
    await open({ signUpOpen: true });
    const { body, cookie } = await signUp(STRANGER);
    expect(body).toEqual({ person: { id: expect.any(String), name: "Eve", email: STRANGER } });
    expect(await stage.who(cookie)).toMatchObject({ email: STRANGER, confinedTo: null });
    expect((await stage.person(STRANGER)).email_verified).toBe(0);
    expect((await signUp(STRANGER)).code).toBe("conflict");
    expect(await stage.actions()).toEqual(["person.signed_up"]);
    expect((await confirm("x")).code).toBe("resource_missing");
  });

  test("with mail waits until the address is confirmed", async () => {
    await open({ signUpOpen: true, mail: true });
    expect((await signUp(STRANGER)).body).toEqual({ confirmation_mailed: true });
    const first = stage.linkSecret();
    expect((await stage.enter("a wrong password", STRANGER)).code).toBe("invalid_credentials");
    expect((await stage.enter(PASSWORD, STRANGER)).code).toBe("access_denied");
    expect(stage.mails.map(({ to }) => to)).toEqual([STRANGER, STRANGER]);
    const unknown = await confirm(`${first}x`);
    expect(unknown.code).toBe("invalid_credentials");
    expect(seen(await confirm(first, OTHER))).toEqual(seen(unknown));
    expect((await stage.enter(PASSWORD, STRANGER)).code).toBe("access_denied");
    expect((await confirm(first)).body).toEqual({});
    expect((await stage.enter(PASSWORD, STRANGER)).body).toMatchObject({ person: { name: "Eve" } });
    expect((await confirm(first)).body).toEqual({});
    expect(await stage.actions()).toEqual(["person.signed_up", "person.address_confirmed"]);
  });

  test("a link confirms for an hour", async () => {
    await open({ signUpOpen: true, mail: true });
    await signUp(STRANGER);
    pass(60 * MINUTE_MS + 1_000);
    const late = await confirm(stage.linkSecret());
    expect(late.code).toBe("invalid_credentials");
    expect((await stage.person(STRANGER)).email_verified).toBe(0);
  });

  test("with mail says the same of a taken address, at the same cost, and its owner is told", async () => {
    await open({ signUpOpen: true, mail: true });
    const free = await signUp(STRANGER);
    const cost = stage.hashes.count;
    const taken = await signUp(EMAIL);
    expect(seen(taken)).toEqual(seen(free));
    expect(stage.hashes.count).toBe(2 * cost);
    expect(stage.mails.map(({ to }) => to)).toEqual([STRANGER, EMAIL]);
    expect(stage.log.join("")).not.toContain("example.com");
    expect(stage.mails[1]?.text).toContain("Nothing was changed");
    expect(stage.mails[1]?.text).not.toContain("#");
    expect((await stage.enter()).failure).toBeNull();
    expect(await stage.actions()).toEqual(["person.signed_up"]);
    const both = await Promise.all(["bob@example.com", "bob@example.com"].map((to) => signUp(to)));
    expect(both.map(seen)).toEqual([seen(free), seen(free)]);
  });

  test("a stranger who signed up first is not let in by the owner's click on their link", async () => {
    await open({ signUpOpen: true, mail: true });
    const vic = "vic@example.com";
    await signUp(vic, PASSWORD, "Eve");
    const ofEve = stage.linkSecret();
    const again = await signUp(vic, OTHER, "Vic");
    expect(seen(again)).toEqual(seen(await signUp("free@example.com")));
    expect((await confirm(ofEve, OTHER)).code).toBe("invalid_credentials");
    expect((await stage.enter(PASSWORD, vic)).code).toBe("access_denied");
    expect((await stage.person(vic)).email_verified).toBe(0);

    const mail = stage.mails.filter(({ to }) => to === vic)[1];
    expect(mail?.text).toContain("The password is still the first one");
    const token = /reset-password#(\S+)/.exec(mail?.text ?? "")?.[1] ?? "";
    expect(
      JSON.stringify(await stage.db.selectFrom("verification").selectAll().execute()),
    ).not.toContain(token);
    expect((await reset(token, OTHER)).failure).toBeNull();
    expect((await stage.enter(PASSWORD, vic)).code).toBe("invalid_credentials");
    expect((await stage.enter(OTHER, vic)).failure).toBeNull();
    expect((await confirm(ofEve, PASSWORD)).code).toBe("invalid_credentials");
  });

  test("the password of a sign-in is not guessed by whoever reads its link", async () => {
    await open({ signUpOpen: true, mail: true });
    await signUp(STRANGER);
    const token = stage.linkSecret();
    for (let count = 0; count < 10; count++)
      expect((await confirm(token, `${OTHER} ${count}`)).code).toBe("invalid_credentials");
    const { count } = stage.hashes;
    expect((await confirm(token)).code).toBe("rate_limited");
    expect((await stage.enter(PASSWORD, STRANGER)).code).toBe("rate_limited");
    expect(stage.hashes.count).toBe(count);
    pass(15 * MINUTE_MS);
    expect((await confirm(token)).failure).toBeNull();
  });

  test("a link that is none costs no hash", async () => {
    await open({ signUpOpen: true, mail: true });
    await signUp(STRANGER);
    const { count } = stage.hashes;
    expect((await confirm("nonsense")).code).toBe("invalid_credentials");
    expect(stage.hashes.count).toBe(count);
    const address = "192.0.2.7";
    const body = { token: "nonsense", password: PASSWORD };
    const codes = [];
    for (let tries = 0; tries < 11; tries++)
      codes.push((await stage.ask("/verify-email", { body, address })).code);
    expect(codes).toEqual([...Array(10).fill("invalid_credentials"), "rate_limited"]);
  });

  test("floods nobody with mail: ten to one address in a quarter of an hour, taken or free", async () => {
    await open({ signUpOpen: true, mail: true });
    for (const email of [EMAIL, STRANGER]) {
      const codes = [];
      for (let count = 0; count < 12; count++) codes.push((await signUp(email)).code);
      expect(codes).toEqual([...Array(10).fill(null), "rate_limited", "rate_limited"]);
      expect(stage.mails.filter(({ to }) => to === email)).toHaveLength(10);
    }
    expect((await signUp("free@example.com")).failure).toBeNull();
  });

  test("proving an address by a reset ends the sessions of before, and keeps the second factor", async () => {
    await open({ signUpOpen: true });
    const grace = "grace@example.com";
    const { cookie } = await signUp(grace);
    const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
    const code = () => totpCode(begun.body.totp_uri, stage.clock.nowMs);
    const before = await stage.ask("/two-factor/verify-totp", { cookie, body: { code: code() } });
    const person = await stage.person(grace);
    await stage.signIn.keepResetToken(person.id, "a-link", stage.clock.nowMs + MINUTE_MS);
    expect((await reset("a-link")).failure).toBeNull();
    expect((await stage.person(grace)).email_verified).toBe(1);
    expect(await stage.who(before.cookie)).toBeNull();
    expect((await stage.enter(PASSWORD, grace)).code).toBe("invalid_credentials");

    pass(2 * MINUTE_MS);
    const waiting = await stage.enter(OTHER, grace);
    expect(waiting.body).toEqual({ two_factor: true });
    const body = { code: code() };
    const asked = { cookie: waiting.cookie, body };
    expect((await stage.ask("/two-factor/verify-totp", asked)).failure).toBeNull();
    expect(await stage.actions()).not.toContain("person.two_factor_disabled");
  });

  test("puts no word of a stranger's into a mail to somebody else", async () => {
    await open({ signUpOpen: true, mail: true });
    await signUp(STRANGER, PASSWORD, "Go to https://evil.example");
    await signUp(STRANGER, PASSWORD, "Go to https://evil.example");
    await forget(STRANGER);
    expect(stage.mails).toHaveLength(3);
    for (const { subject, text } of stage.mails) {
      expect(`${subject} ${text}`).not.toContain("evil.example");
      for (const [url] of text.matchAll(/https?:\S+/g)) expect(url.startsWith(ORIGIN)).toBe(true);
    }
  });

  test.each([
    { email: STRANGER, password: PASSWORD, name: "Eve", operator: true },
    { email: STRANGER, password: PASSWORD, name: "Eve", emailVerified: true },
    { email: STRANGER, password: PASSWORD, name: "Eve", callbackURL: "https://evil.example" },
    { email: STRANGER, password: "short", name: "Eve" },
    { email: STRANGER, password: PASSWORD, name: " " },
  ])("takes nothing else: %j", async (body) => {
    await open({ signUpOpen: true });
    expect((await stage.ask("/sign-up/email", { body })).code).toBe("invalid_params");
    expect((await stage.enter(PASSWORD, STRANGER)).code).toBe("invalid_credentials");
  });
});

test("signing in costs one hash, whoever the address is of and whatever the password", async () => {
  await open({});
  const bare = { id: "per_bare", name: "Bare", email: "bare@example.com" };
  await stage.addPerson(bare);
  const answers = [];
  for (const email of [EMAIL, STRANGER, bare.email]) {
    const before = stage.hashes.count;
    answers.push(seen(await stage.enter("a wrong password", email)));
    expect(stage.hashes.count - before).toBe(1);
  }
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
});

test("nothing that changes anything is done for another origin, a form, or without one", async () => {
  await open({ signUpOpen: true, mail: true });
  const { cookie } = await stage.enter();
  const paths = [
    "/sign-in/email",
    "/sign-up/email",
    "/verify-email",
    "/request-password-reset",
    "/reset-password",
    "/change-password",
    "/update-user",
    "/sign-out",
    "/revoke-session",
    "/revoke-other-sessions",
    "/two-factor/enable",
    "/two-factor/disable",
    "/two-factor/generate-backup-codes",
    "/two-factor/verify-totp",
    "/two-factor/verify-backup-code",
  ];
  for (const path of paths) {
    for (const Origin of ["https://evil.example", "null", "", "http://127.0.0.1:4401"])
      expect((await stage.ask(path, { cookie, headers: { Origin } })).code).toBe("access_denied");
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
      expect((await stage.ask(path, { cookie, headers: { "Content-Type": type } })).code).toBe(
        "unsupported_media_type",
      );
    const query = await stage.ask(`${path}?callbackURL=https://evil.example`, { cookie });
    expect(query.code).toBe("invalid_params");
    expect((await stage.ask(`GET ${path}`, { cookie })).code).toBe("method_not_allowed");
  }
  expect(await stage.who(cookie)).not.toBeNull();
  expect(stage.mails).toEqual([]);
});
