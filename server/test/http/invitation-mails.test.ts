import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openMail } from "../../src/mail.ts";
import { joinLines, type MailServer, startMailServer, startSilentServer } from "../mail-server.ts";
import { ownAddress } from "../real-server.ts";
import { startTestService } from "../service.ts";
import { visit } from "./visitor.ts";
import { openWorld } from "./world.ts";

const PASSWORD = "correct horse battery staple";

let mail: MailServer;
let service: Awaited<ReturnType<typeof startTestService>>;
let token: string;
beforeAll(async () => {
  mail = await startMailServer();
  service = await startTestService({
    ...(await ownAddress()),
    LATCHKEY_SMTP_URL: mail.url,
    LATCHKEY_MAIL_FROM: "keys@example.com",
  });
  token = service.provisioned.service_token ?? "";
});
afterEach(() => mail.refuse(null));
afterAll(async () => {
  await service.close();
  await mail.close();
});

const bearer = () => ({ Authorization: `Bearer ${token}` });
const invite = (email: string) =>
  visit(service.url).call("POST /v1/invitations", { email, role: "member" }, bearer());

/** What follows the `#` in the newest mail to this address. */
const secretTo = (email: string) => mail.linkTo(email, `${service.url}/invitation`);

test("the link goes by mail alone, proves the address and signs its reader up", async () => {
  const made = await invite("bea@example.com");
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ email: "bea@example.com", mailed: true });
  expect(made.body).not.toHaveProperty("link");
  expect(made.body).not.toHaveProperty("mail_error");
  const secret = await secretTo("bea@example.com");
  const text = joinLines(mail.mails.at(-1)?.raw ?? "");
  expect(text).toContain('You are invited to join "Acme" on Latchkey, as member.');
  expect(text).toMatch(/^From: keys@example\.com\r?$/m);
  for (const said of [made.text, service.logged()]) expect(said).not.toContain(secret);
  const bea = visit(service.url, "acme");
  const body = { secret, name: "Bea", password: PASSWORD };
  expect((await bea.call("POST /v1/invitations/accept", body)).status).toBe(200);
  expect((await bea.call("GET /v1/account")).status).toBe(200);
});

test("sent again it is another link, and the one before is dead", async () => {
  const { body } = await invite("again@example.com");
  const first = await secretTo("again@example.com");
  const sent = await visit(service.url).call(`POST /v1/invitations/${body.id}/send`, {}, bearer());
  expect([sent.status, sent.body.mailed, "link" in sent.body]).toEqual([200, true, false]);
  const second = await secretTo("again@example.com");
  expect(second).not.toBe(first);
  const open = (secret: string) => visit(service.url).call("POST /v1/invitations/open", { secret });
  expect([(await open(first)).status, (await open(second)).status]).toEqual([404, 200]);
});

test("a mail server that refuses fails nothing: the invitation stands and can be sent again", async () => {
  mail.refuse(550);
  const made = await invite("refused@example.com");
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    mailed: false,
    mail_error: "The mail server refused it (550).",
  });
  expect(made.body).not.toHaveProperty("link");
  const listed = await visit(service.url).call("GET /v1/invitations", undefined, bearer());
  const kept = listed.body.entries.find(({ id }: { id: string }) => id === made.body.id);
  expect(kept).toMatchObject({ email: "refused@example.com", mailed: false });
  mail.refuse(null);
  const sent = await visit(service.url).call(
    `POST /v1/invitations/${made.body.id}/send`,
    {},
    bearer(),
  );
  expect(sent.body.mailed).toBe(true);
  expect(await secretTo("refused@example.com")).toMatch(/^[\w-]{32}$/);
});

test("where sign-up is open, a link that arrived though nobody said so leads to an address to confirm, not to a lost session", async () => {
  const site = await ownAddress();
  const other = await startTestService({
    ...site,
    LATCHKEY_SMTP_URL: mail.url,
    LATCHKEY_MAIL_FROM: "keys@example.com",
    LATCHKEY_SIGNUP: "open",
  });
  try {
    const Authorization = `Bearer ${other.provisioned.service_token}`;
    const email = "slow@example.com";
    mail.swallow(true);
    const invited = { email, role: "member" };
    const made = await visit(other.url).call("POST /v1/invitations", invited, { Authorization });
    expect([made.status, made.body.mailed]).toEqual([201, false]);
    mail.swallow(false);
    const secret = await mail.linkTo(email, `${other.url}/invitation`);
    const slow = visit(other.url, "acme");
    const body = { secret, name: "Slow", password: PASSWORD };
    const joined = await slow.call("POST /v1/invitations/accept", body);
    expect(joined.body).toMatchObject({ account: { slug: "acme" }, confirmation_mailed: true });
    expect(joined.headers.getSetCookie()).toEqual([]);
    const token = await mail.linkTo(email, `${other.url}/verify-email`);
    const confirmed = await slow.call("POST /auth/verify-email", { token, password: PASSWORD });
    expect(confirmed.status).toBe(200);
    await slow.call("POST /auth/sign-in/email", { email, password: PASSWORD });
    expect((await slow.call("GET /v1/account")).status).toBe(200);
    expect(other.logged()).not.toContain("not signed in");
  } finally {
    mail.swallow(false);
    await other.close();
  }
});

test("a mail server that takes the connection and never answers is given up on", async () => {
  const silent = await startSilentServer();
  const out = openMail({ smtpUrl: silent.url, from: "keys@example.com" }, 100);
  if (out === null) throw new Error("there is no mail");
  const world = await openWorld(() => ({ mail: out.send }));
  try {
    const body = { email: "late@example.com", role: "member" };
    const token = world.acme.serviceToken;
    const made = await world.call("POST /v1/invitations", { token, body });
    expect([made.status, made.body.mailed]).toEqual([201, false]);
    expect(made.body.mail_error).toBe("The mail server could not be reached.");
    expect(made.body).not.toHaveProperty("link");
  } finally {
    out.close();
    await world.close();
    await silent.close();
  }
});

test("one that dribbles for ever is not waited for longer than a while", async () => {
  const waits: number[] = [];
  const world = await openWorld(({ ambient }) => ({
    mail: () => new Promise(() => {}),
    ambient: {
      ...ambient,
      after(ms, task) {
        waits.push(ms);
        return ambient.after(0, task);
      },
    },
  }));
  const body = { email: "late@example.com", role: "member" };
  const { serviceToken } = world.acme;
  const made = await world.call("POST /v1/invitations", { token: serviceToken, body });
  expect([made.status, made.body.mailed, made.body.mail_error]).toEqual([
    201,
    false,
    "The mail server did not answer in time.",
  ]);
  expect(waits).toEqual([15_000]);
  await world.close();
});
