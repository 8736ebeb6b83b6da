import { createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fleet, type FleetNode, startFleet } from "../fleet.ts";
import { secretOf, visit } from "../http/visitor.ts";
import { type MailServer, startMailServer } from "../mail-server.ts";
import { OWNER } from "../real-server.ts";
import { totpCode } from "../totp.ts";
import { nodeOf } from "./probe.ts";

const ACCOUNT = "acme";
const OTHER = "another horse, another battery";

let mail: MailServer;
let fleet: Fleet;
let one: FleetNode;
let two: FleetNode;
beforeAll(async () => {
  mail = await startMailServer();
  fleet = await startFleet({
    leaseSeconds: [10, 10],
    env: {
      LATCHKEY_SMTP_URL: mail.url,
      LATCHKEY_MAIL_FROM: "latchkey@example.com",
      LATCHKEY_SIGNUP: "open",
      // The test is the proxy, and every call of it comes from somewhere else.
      LATCHKEY_TRUSTED_PROXIES: "127.0.0.1",
    },
  });
  [one, two] = [nodeOf(fleet, 0), nodeOf(fleet, 1)];
});
afterAll(() => Promise.all([fleet?.stop(), mail?.close()]));

interface Said {
  readonly body?: object;
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it says that it comes from; usually from an address of its own. */
  readonly from?: string;
}

/** One call from a browser that holds these cookies, and what it holds afterwards. */
async function call(node: FleetNode, to: string, said: Said = {}) {
  const { body, cookie = "", headers = {}, from } = said;
  const visitor = visit(node.url, "", { cookie });
  const proxy = from === undefined ? {} : { "X-Forwarded-For": from };
  const heard = await visitor.call(to, body, { ...proxy, ...headers });
  return { ...heard, cookie: visitor.cookie() };
}

const enter = (node: FleetNode, password: string, email: string = OWNER.email) =>
  call(node, "POST /auth/sign-in/email", { body: { email, password } });
const me = async (node: FleetNode, cookie: string) =>
  (await call(node, "GET /v1/me", { cookie })).status;
const operator = () => createClient({ url: one.url, token: fleet.first.operator_token });

/** Somebody of their own for a test, who came by link and then chose a password. */
async function somebody(email: string): Promise<{ email: string; password: string }> {
  const link = await operator().accounts.createSignInLink(ACCOUNT, { email, role: "admin" });
  const body = { secret: secretOf(link.url) };
  expect((await call(one, "POST /v1/sign_in_links/open", { body })).status).toBe(200);
  const { url } = await operator().passwordResetLinks.create({ email });
  const choice = { token: secretOf(url), password: OWNER.password };
  expect((await call(two, "POST /auth/reset-password", { body: choice })).status).toBe(200);
  return { email, password: OWNER.password };
}

test("whoever signs out is signed out on every node from then on", async () => {
  const { cookie } = await enter(one, OWNER.password);
  expect([await me(one, cookie), await me(two, cookie)]).toEqual([200, 200]);
  expect((await call(two, "POST /auth/sign-out", { cookie, body: {} })).status).toBe(200);
  expect([await me(one, cookie), await me(two, cookie)]).toEqual([401, 401]);
});

test("another password ends every other session on every node from then on, under load as well", async () => {
  const { email, password } = await somebody("grace@acme.example");
  const other = (await enter(one, password, email)).cookie;
  const mine = (await enter(two, password, email)).cookie;
  let isChanged = false;
  const late: number[] = [];
  const load = [one, two].map(async (node) => {
    while (!isChanged) expect([200, 401]).toContain(await me(node, other));
    late.push(await me(node, other));
  });
  const done = await call(two, "POST /auth/change-password", {
    cookie: mine,
    body: { current_password: password, password: OTHER },
  });
  const statuses = await Promise.all([one, two].map((node) => me(node, other)));
  isChanged = true;
  await Promise.all(load);
  expect([done.status, ...statuses, ...late]).toEqual([200, 401, 401, 401, 401]);
  expect([await me(one, done.cookie), await me(one, mine)]).toEqual([200, 401]);
  expect((await enter(one, password, email)).status).toBe(401);
  expect((await enter(one, OTHER, email)).status).toBe(200);
});

test("a session that is ended from a list is over on every node from then on", async () => {
  const { email, password } = await somebody("linus@acme.example");
  const mine = (await enter(one, password, email)).cookie;
  const other = (await enter(two, password, email)).cookie;
  const { body } = await call(two, "GET /auth/list-sessions", { cookie: other });
  const [{ id }] = body.entries.filter((entry: { current: boolean }) => entry.current);
  await call(one, "POST /auth/revoke-session", { cookie: mine, body: { id } });
  expect([await me(one, other), await me(two, other), await me(two, mine)]).toEqual([
    401, 401, 200,
  ]);
});

test("a sign-in link opens once, of all nodes, and its session is of one account", async () => {
  const email = "customer@acme.example";
  const link = await operator().accounts.createSignInLink(ACCOUNT, { email, role: "member" });
  expect(link.url.startsWith(`${one.url}/sign-in-link#`)).toBe(true);
  const body = { secret: secretOf(link.url) };
  const heard = await Promise.all(
    [one, two, one, two].map((node) => call(node, "POST /v1/sign_in_links/open", { body })),
  );
  expect(heard.map(({ status }) => status).sort()).toEqual([200, 404, 404, 404]);
  const opened = heard.find(({ status }) => status === 200);
  expect(opened?.body).toEqual({ account: { slug: ACCOUNT } });
  expect(opened?.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^latchkey\.session_token=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Same/),
  ]);
  const cookie = opened?.cookie ?? "";
  const known = (await call(two, "GET /v1/me", { cookie })).body;
  expect(known).toMatchObject({ person: { email, confined: true }, operator: false });
  expect(known.accounts.map(({ slug }: { slug: string }) => slug)).toEqual([ACCOUNT]);
});

describe("a second factor", () => {
  test("is good once on all nodes, and wrong codes count on all of them together", async () => {
    const { email, password } = await somebody("ken@acme.example");
    const { cookie } = await enter(one, password, email);
    const begun = await call(one, "POST /auth/two-factor/enable", { cookie, body: { password } });
    const uri: string = begun.body.totp_uri;
    const verify = (node: FleetNode, held: string, code: string) =>
      call(node, "POST /auth/two-factor/verify-totp", { cookie: held, body: { code } });
    // One code for the enrolment, the next half minute's for signing in: the server takes it a little early.
    expect((await verify(two, cookie, totpCode(uri, Date.now()))).status).toBe(200);
    const next = totpCode(uri, Date.now() + 30_000);
    const waiting = [await enter(one, password, email), await enter(two, password, email)];
    expect(waiting.map(({ body }) => body)).toEqual([{ two_factor: true }, { two_factor: true }]);
    const heard = await Promise.all([
      verify(one, waiting[0]?.cookie ?? "", next),
      verify(two, waiting[1]?.cookie ?? "", next),
    ]);
    expect(heard.map(({ status }) => status).sort()).toEqual([200, 401]);

    const statuses: number[] = [];
    for (let count = 0; count < 12; count++) {
      const node = count % 2 === 0 ? one : two;
      const { cookie } = await enter(node, password, email);
      const body = { code: `aaaaa-000${String(count).padStart(2, "0")}` };
      const { status } = await call(node, "POST /auth/two-factor/verify-backup-code", {
        cookie,
        body,
      });
      statuses.push(status);
    }
    expect(statuses.slice(0, 9)).toEqual(Array(9).fill(401));
    expect(statuses.slice(-2)).toEqual([429, 429]);
  });
});

describe("mail", () => {
  test("carries the link that confirms an address, and then the one for a new password", async () => {
    const email = "rosa@example.com";
    const asked = { name: "Rosa", email, password: OWNER.password };
    const signedUp = await call(one, "POST /auth/sign-up/email", { body: asked });
    expect([signedUp.status, signedUp.body]).toEqual([200, { confirmation_mailed: true }]);
    expect(signedUp.headers.getSetCookie()).toEqual([]);
    expect((await enter(two, OWNER.password, email)).status).toBe(403);
    const token = await mail.linkTo(email, `${one.url}/verify-email`);
    const confirm = (password: string) =>
      call(two, "POST /auth/verify-email", { body: { token, password } });
    expect((await confirm(OTHER)).status).toBe(401);
    expect((await enter(one, OWNER.password, email)).status).toBe(403);
    expect((await confirm(OWNER.password)).status).toBe(200);
    expect((await enter(two, OWNER.password, email)).status).toBe(200);

    await call(two, "POST /auth/request-password-reset", { body: { email } });
    const reset = await mail.linkTo(email, `${two.url}/reset-password`);
    const body = { token: reset, password: OTHER };
    const statuses = await Promise.all(
      [one, two].map(
        async (node) => (await call(node, "POST /auth/reset-password", { body })).status,
      ),
    );
    expect(statuses.sort()).toEqual([200, 401]);
    expect((await enter(one, OTHER, email)).status).toBe(200);
  });

  test("sign-up and reset answer alike for taken and free addresses, headers and all", async () => {
    const shape = ({ status, body, headers }: Awaited<ReturnType<typeof call>>) => ({
      status,
      body,
      headers: [...headers].filter(([name]) => !["date", "x-request-id"].includes(name)),
    });
    const signUp = (email: string) =>
      call(one, "POST /auth/sign-up/email", {
        body: { name: "Eve", email, password: OTHER },
      });
    const forget = (email: string) =>
      call(one, "POST /auth/request-password-reset", { body: { email } });
    expect(shape(await signUp(OWNER.email))).toEqual(shape(await signUp("free@example.com")));
    expect(shape(await forget(OWNER.email))).toEqual(shape(await forget("nobody@example.com")));
    expect((await enter(one, OWNER.password)).status).toBe(200);
  });
});

describe("guessing", () => {
  test("behind a trusted proxy one caller has ten sign-ins a minute, and others have theirs", async () => {
    const guess = (from: string, index: number) =>
      call(one, "POST /auth/sign-in/email", {
        body: { email: `person${index}@example.com`, password: "a wrong password" },
        // What stands left of the caller's own address was written by the caller.
        from: `198.51.100.${index}, ${from}`,
      });
    const statuses: number[] = [];
    for (let index = 0; index < 11; index++)
      statuses.push((await guess("203.0.113.1", index)).status);
    expect(statuses).toEqual([...Array(10).fill(401), 429]);
    expect((await guess("203.0.113.2", 12)).status).toBe(401);
  });

  test("one person has ten, from however many callers", async () => {
    const { email, password } = await somebody("target@acme.example");
    const statuses: number[] = [];
    for (let count = 0; count < 11; count++)
      statuses.push((await enter(two, "a wrong password", email)).status);
    expect(statuses).toEqual([...Array(10).fill(401), 429]);
    expect((await enter(two, password, email)).status).toBe(429);
  });
});

describe("a request with the cookie that its owner did not mean", () => {
  const FOREIGN = ["https://evil.example", "null", "http://127.0.0.1:1"];

  test("changes nothing of the account", async () => {
    const { cookie } = await enter(one, OWNER.password);
    const to = "POST /v1/environments";
    const body = { name: "Evil", slug: "evil" };
    const account = { "Latchkey-Account": ACCOUNT };
    for (const Origin of [...FOREIGN, ""])
      expect((await call(one, to, { cookie, body, headers: { ...account, Origin } })).status).toBe(
        403,
      );
    expect((await call(one, to, { cookie, body })).status).toBe(400);
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]) {
      const headers = { ...account, "Content-Type": type };
      expect((await call(one, to, { cookie, body, headers })).status).toBe(415);
    }
    const preflight = await call(one, "OPTIONS /v1/environments", {
      headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" },
    });
    expect(preflight.headers.get("Access-Control-Allow-Origin")).toBeNull();
    const read = await call(one, "GET /v1/environments", {
      cookie,
      headers: { ...account, Origin: "https://evil.example" },
    });
    expect(read.headers.get("Access-Control-Allow-Origin")).toBeNull();
    const slugs = read.body.entries.map(({ slug }: { slug: string }) => slug);
    expect(slugs).not.toContain("evil");
    expect((await call(one, to, { cookie, body, headers: account })).status).toBe(201);
  });

  test("changes nothing of the person", async () => {
    const { cookie } = await enter(one, OWNER.password);
    for (const Origin of FOREIGN) {
      const asked = { cookie, body: { password: OWNER.password }, headers: { Origin } };
      expect((await call(one, "POST /auth/two-factor/enable", asked)).status).toBe(403);
      expect((await call(one, "POST /auth/sign-out", { ...asked, body: {} })).status).toBe(403);
    }
    expect(await me(one, cookie)).toBe(200);
  });
});
