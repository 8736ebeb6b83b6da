import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type MailServer, startMailServer } from "../mail-server.ts";
import { ownAddress, temporaryFolder } from "../real-server.ts";
import { serveFolder, startTestService } from "../service.ts";
import { totpCode } from "../totp.ts";
import { secretOf, type Visitor, visit } from "./visitor.ts";

const VERA = "vera@example.com";
const SQUATTED = "a password of the squatter's";
const HERS = "a password of Vera's own";
const OPEN = { LATCHKEY_SIGNUP: "open" };

let mail: MailServer;
const started: { close(): Promise<unknown> }[] = [];
beforeAll(async () => {
  mail = await startMailServer();
});
afterEach(async () => {
  mail.swallow(false);
  for (const service of started.splice(0).toReversed()) await service.close();
});
afterAll(() => mail.close());

const withMail = async () => ({
  ...OPEN,
  ...(await ownAddress()),
  LATCHKEY_SMTP_URL: mail.url,
  LATCHKEY_MAIL_FROM: "keys@example.com",
});

/** An installation with open sign-up, and one account's owner in front of it. */
async function start(env: Record<string, string>) {
  const service = await startTestService(env);
  started.push(service);
  return { ...service, owner: await ownerOf(service.url) };
}

async function ownerOf(url: string): Promise<Visitor> {
  const owner = visit(url, "acme");
  const password = "correct horse battery staple";
  await owner.call("POST /auth/sign-in/email", { email: "ada@example.com", password });
  return owner;
}

/** Signs up under Vera's address. */
async function squat(url: string): Promise<Visitor> {
  const squatter = visit(url, "acme");
  const body = { name: "Squatter", email: VERA, password: SQUATTED };
  expect((await squatter.call("POST /auth/sign-up/email", body)).status).toBe(200);
  return squatter;
}

const signIn = (who: Visitor, password: string) =>
  who.call("POST /auth/sign-in/email", { email: VERA, password });

const accept = (who: Visitor, secret: string, more: object = { name: "Vera", password: HERS }) =>
  who.call("POST /v1/invitations/accept", { secret, ...more });

const invite = (owner: Visitor) =>
  owner.call("POST /v1/invitations", { email: VERA, role: "admin" });

/** Those who belong to acme besides its first owner, and how the log says that they joined. */
async function joined(owner: Visitor) {
  const members = (await owner.call("GET /v1/members")).body.entries;
  const log = (await owner.call("GET /v1/audit_logs?action=member.joined")).body.entries;
  return {
    members: members
      .filter(({ email }: { email: string }) => email !== "ada@example.com")
      .map((member: Record<string, unknown>) => [
        member.name,
        member.email,
        member.role,
        member.two_factor,
      ]),
    log: log.map(({ details }: { details: object }) => details),
  };
}

const byMail = (over: object) => ({
  name: "Vera",
  email: VERA,
  role: "admin",
  invitation: expect.stringMatching(/^inv_/),
  invited_by: expect.stringMatching(/^per_/),
  ...over,
});

test("by a mailed link the address' owner joins as a newcomer would, and who signed up before and confirmed nothing is gone", async () => {
  const { url, owner } = await start(await withMail());
  const squatter = await squat(url);
  const confirming = await mail.linkTo(VERA, `${url}/verify-email`);
  const made = await invite(owner);
  expect(made.body).toMatchObject({ email: VERA, mailed: true });
  const vera = visit(url, "acme");
  const secret = await mail.linkTo(VERA, `${url}/invitation`);
  expect((await vera.call("POST /v1/invitations/open", { secret })).body).toEqual({
    account: { name: "Acme" },
    email: VERA,
    role: "admin",
    invited_by: "Ada",
    expires_at: expect.any(String),
  });
  const taken = await accept(vera, secret);
  expect([taken.status, taken.body]).toEqual([
    200,
    { account: { slug: "acme", name: "Acme" }, role: "admin" },
  ]);
  expect((await vera.call("GET /v1/service_tokens")).status).toBe(200);

  // Neither the password nor the link that would have confirmed the address with it are worth anything.
  expect((await signIn(squatter, SQUATTED)).status).toBe(401);
  const body = { token: confirming, password: SQUATTED };
  expect((await squatter.call("POST /auth/verify-email", body)).status).toBe(401);
  expect((await signIn(squatter, SQUATTED)).status).toBe(401);
  expect((await squatter.call("GET /v1/me")).status).toBe(401);
  expect((await signIn(visit(url), HERS)).body.person).toMatchObject({ name: "Vera", email: VERA });
  expect(await joined(owner)).toEqual({
    members: [["Vera", VERA, "admin", false]],
    log: [byMail({ new_person: false, replaced_unproved_sign_in: true })],
  });
});

test("so are a session and a second factor from a time without mail", async () => {
  const folder = await temporaryFolder();
  started.push({ close: folder.remove });
  const early = await startTestService({ ...OPEN, LATCHKEY_DATA: folder.path });
  const before = await squat(early.url);
  const begun = await before.call("POST /auth/two-factor/enable", { password: SQUATTED });
  const code = totpCode(begun.body.totp_uri, Date.now());
  expect((await before.call("POST /auth/two-factor/verify-totp", { code })).status).toBe(200);
  expect((await before.call("GET /v1/me")).body.person).toMatchObject({ two_factor: true });

  await early.close();
  const now = await serveFolder(folder.path, await withMail());
  started.push(now);
  const owner = await ownerOf(now.url);
  const squatter = before.at(now.url);
  expect((await squatter.call("GET /v1/me")).status).toBe(200);
  expect((await invite(owner)).body.mailed).toBe(true);
  const vera = visit(now.url, "acme");
  expect((await accept(vera, await mail.linkTo(VERA, `${now.url}/invitation`))).status).toBe(200);
  expect((await vera.call("GET /v1/account")).status).toBe(200);

  expect((await squatter.call("GET /v1/me")).status).toBe(401);
  expect((await squatter.call("GET /v1/account")).status).toBe(401);
  expect((await signIn(squatter, SQUATTED)).status).toBe(401);
  // No code is asked for: the factor went with the rest.
  expect((await signIn(visit(now.url), HERS)).body.person).toMatchObject({ name: "Vera" });
  expect(await joined(owner)).toEqual({
    members: [["Vera", VERA, "admin", false]],
    log: [byMail({ new_person: false, replaced_unproved_sign_in: true })],
  });
  const told = await owner.call("GET /v1/operator/audit_logs?action=person.two_factor_disabled");
  expect(told.body.entries).toHaveLength(1);
});

test("a link that was handed over replaces nobody: after a reset by the operator its owner signs in, accepts, and takes her own name", async () => {
  const { url, owner, provisioned } = await start(OPEN);
  const squatter = await squat(url);
  const made = await invite(owner);
  const secret = secretOf(made.body.link);
  const vera = visit(url, "acme");
  const refused = await accept(vera, secret);
  expect([refused.status, refused.body.message]).toEqual([
    409,
    `Somebody signs in as ${VERA} already: sign in, then accept.`,
  ]);
  expect(refused.headers.getSetCookie()).toEqual([]);
  expect((await squatter.call("GET /v1/account")).status).toBe(404);
  expect((await signIn(visit(url), HERS)).status).toBe(401);
  expect(await joined(owner)).toEqual({ members: [], log: [] });

  const operator = { Authorization: `Bearer ${provisioned.operator_token}` };
  const reset = await visit(url).call("POST /v1/password_reset_links", { email: VERA }, operator);
  const choice = { token: secretOf(reset.body.url), password: HERS };
  expect((await vera.call("POST /auth/reset-password", choice)).status).toBe(200);
  expect((await squatter.call("GET /v1/me")).status).toBe(401);
  expect((await signIn(squatter, SQUATTED)).status).toBe(401);
  expect((await signIn(vera, HERS)).status).toBe(200);
  expect((await accept(vera, secret, {})).status).toBe(200);
  expect((await vera.call("POST /auth/update-user", { name: "Vera" })).status).toBe(200);
  expect(await joined(owner)).toEqual({
    members: [["Vera", VERA, "admin", false]],
    log: [byMail({ name: "Squatter", new_person: false })],
  });
});

test("nor does one of a mail that nobody knows to have arrived", async () => {
  const { url, owner } = await start(await withMail());
  const squatter = await squat(url);
  mail.swallow(true);
  expect((await invite(owner)).body).toMatchObject({ mailed: false });
  mail.swallow(false);
  const secret = await mail.linkTo(VERA, `${url}/invitation`);
  expect((await accept(visit(url), secret)).status).toBe(409);
  expect(await joined(owner)).toEqual({ members: [], log: [] });
  // Unconfirmed as before, and still told so.
  expect((await signIn(squatter, SQUATTED)).status).toBe(403);
});
