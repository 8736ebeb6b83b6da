import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { EMAIL, openSignInStage, PASSWORD, type SignInStage } from "./sign-in-stage.ts";
import { visit } from "./visitor.ts";

let stage: SignInStage;
beforeEach(async () => {
  stage = await openSignInStage({ signUpOpen: true });
});
afterEach(() => stage.close());

const rename = (cookie: string, name: string) =>
  stage.ask("/update-user", { cookie, body: { name } });

const entries = () =>
  stage.db
    .selectFrom("audit_event")
    .selectAll()
    .where("action", "=", "person.renamed")
    .orderBy("id")
    .execute();

test("another name is told by every session at once, which all go on, and the log has both", async () => {
  const [mine, other] = [(await stage.enter()).cookie, (await stage.enter()).cookie];
  const { id } = await stage.person();
  const done = await rename(mine, "  Ada Lovelace ");
  expect(done.body).toEqual({ person: { id, name: "Ada Lovelace", email: EMAIL } });
  for (const cookie of [mine, other]) {
    expect(await stage.who(cookie)).toMatchObject({ personId: id, name: "Ada Lovelace" });
    const { body } = await stage.ask("GET /get-session", { cookie });
    expect(body.person.name).toBe("Ada Lovelace");
  }
  const [entry, ...more] = await entries();
  expect(more).toEqual([]);
  expect(entry).toMatchObject({
    account_id: null,
    actor_type: "person",
    actor_id: id,
    actor_name: "Ada",
    subject_type: "person",
    subject_id: id,
    request_id: "req_1",
  });
  expect(JSON.parse(`${entry?.details}`)).toEqual({ name: "Ada Lovelace", name_before: "Ada" });
});

test("alters nothing else of a sign-in: the password, the address and the second factor stay", async () => {
  const { cookie } = await stage.enter();
  const { name: _, updated_at: __, ...before } = await stage.person();
  expect((await rename(cookie, "Ada Lovelace")).failure).toBeNull();
  expect(await stage.person()).toMatchObject(before);
  expect((await stage.enter()).failure).toBeNull();
});

test("the same name again is fine, and neither written nor written down", async () => {
  const { cookie } = await stage.enter();
  const before = await stage.person();
  for (const name of ["Ada", " Ada "])
    expect((await rename(cookie, name)).body.person.name).toBe("Ada");
  expect(await stage.person()).toEqual(before);
  expect(await entries()).toEqual([]);
});

test.each([
  {},
  { name: "" },
  { name: "   " },
  { name: "x".repeat(101) },
  { name: "two\nlines" },
  { name: "\u202eadA" },
  { name: null },
  { name: "Eve", email: "eve@example.com" },
  { name: "Eve", image: "https://evil.example/pixel" },
  { name: "Eve", emailVerified: true },
  { name: "Eve", twoFactorEnabled: false },
])("takes a name and nothing else: %j", async (body) => {
  const { cookie } = await stage.enter();
  const before = await stage.person();
  expect((await stage.ask("/update-user", { cookie, body })).code).toBe("invalid_params");
  expect(await stage.person()).toEqual(before);
});

test("a name of a hundred characters is taken, whatever they cost in UTF-16", async () => {
  const { cookie } = await stage.enter();
  const name = "🔑".repeat(100);
  expect((await rename(cookie, name)).body.person.name).toBe(name);
});

test("is for whoever is signed in", async () => {
  expect((await rename("", "Eve")).code).toBe("authentication_required");
  const { cookie } = await stage.enter();
  await stage.ask("/sign-out", { cookie });
  expect((await rename(cookie, "Eve")).code).toBe("authentication_required");
  expect((await stage.person()).name).toBe("Ada");
});

test("of several at once each that is made is written down with the name that it replaced", async () => {
  const { cookie } = await stage.enter();
  const names = ["Ada A", "Ada B", "Ada C", "Ada D"];
  const heard = await Promise.all(names.map((name) => rename(cookie, name)));
  const made = heard.filter(({ failure }) => failure === null);
  expect(made.length).toBeGreaterThanOrEqual(1);
  for (const { code, failure } of heard) expect(failure === null || code === "conflict").toBe(true);
  let name = "Ada";
  const details = (await entries()).map((entry) => JSON.parse(`${entry.details}`));
  expect(details).toHaveLength(made.length);
  for (const told of details) {
    expect(told.name_before).toBe(name);
    name = told.name;
  }
  expect((await stage.person()).name).toBe(name);
});

test("one address gives ten names in a minute: each is an entry of the log that nobody can delete", async () => {
  const { cookie } = await stage.enter();
  const statuses = [];
  for (let count = 0; count < 11; count++) {
    const said = { cookie, body: { name: `Ada ${count}` }, address: "192.0.2.1" };
    statuses.push((await stage.ask("/update-user", said)).code);
  }
  expect(statuses).toEqual([...Array(10).fill(null), "rate_limited"]);
  expect((await stage.person()).name).toBe("Ada 9");
  expect(await entries()).toHaveLength(10);
});

test("is what the API calls them from the next request on, wherever it names people", async () => {
  const service = await startTestService();
  try {
    const ada = visit(service.url, "acme");
    await ada.call("POST /auth/sign-in/email", { email: EMAIL, password: PASSWORD });
    const early = await ada.call("POST /v1/service_tokens", { name: "CI" });
    expect(early.body.created_by.name).toBe("Ada");
    const renamed = await ada.call("POST /auth/update-user", { name: "Ada Lovelace" });
    expect([renamed.status, renamed.headers.get("Cache-Control")]).toEqual([200, "no-store"]);
    expect((await ada.call("GET /v1/me")).body.person.name).toBe("Ada Lovelace");
    const { entries: members } = (await ada.call("GET /v1/members")).body;
    expect(members.map(({ name }: { name: string }) => name)).toEqual(["Ada Lovelace"]);
    const late = await ada.call("POST /v1/service_tokens", { name: "Deploy" });
    expect(late.body.created_by.name).toBe("Ada Lovelace");

    // Of no account: the operator's log has it, and the account's has what was done under either name as it was.
    const [entry] = (await ada.call("GET /v1/operator/audit_logs?action=person.renamed")).body
      .entries;
    expect(entry).toMatchObject({
      actor: { type: "person", name: "Ada" },
      subject: { type: "person", name: "Ada Lovelace" },
      environment: null,
      api_key: null,
      details: { name: "Ada Lovelace", name_before: "Ada" },
    });
    const own = await ada.call("GET /v1/audit_logs");
    expect(own.text).not.toContain("person.renamed");
    const makers = own.body.entries
      .filter(({ action }: { action: string }) => action === "access_token.created")
      .map(({ actor }: { actor: { name: string } }) => actor.name);
    expect(makers).toEqual(["Ada Lovelace", "Ada"]);
  } finally {
    await service.close();
  }
});
