import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Role } from "../../src/store/store.ts";
import { type Heard, NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const ROLES: readonly Role[] = ["owner", "admin", "member", "support"];

/** Asks as acme's person of that role. */
const as = (role: Role, to: string, body?: object): Promise<Heard> =>
  world.call(to, {
    headers: world.browser(world.acme.people[role].cookie, "acme"),
    ...(body === undefined ? {} : { body }),
  });

/** One more member of acme. */
const another = (role: Role, name = "another") =>
  world.join(world.acme.id, `${name}-${role}@acme.example`, role);

const roleOf = async (id: string): Promise<string | undefined> =>
  (
    await world.db
      .selectFrom("member")
      .select("role")
      .where("account_id", "=", world.acme.id)
      .where("person_id", "=", id)
      .executeTakeFirst()
  )?.role;

/** Whom each role may give which role, written by hand: from → the roles that they may be given. */
const MAY_CHANGE: Readonly<Record<Role, Readonly<Record<Role, readonly Role[]>>>> = {
  owner: { owner: ROLES, admin: ROLES, member: ROLES, support: ROLES },
  admin: {
    owner: [],
    admin: ["admin", "member", "support"],
    member: ["admin", "member", "support"],
    support: ["admin", "member", "support"],
  },
  member: { owner: [], admin: [], member: [], support: [] },
  support: { owner: [], admin: [], member: [], support: [] },
};

/** Whom each role may remove, or invite as. */
const MAY_REMOVE: Readonly<Record<Role, readonly Role[]>> = {
  owner: ROLES,
  admin: ["admin", "member", "support"],
  member: [],
  support: [],
};

describe.each(ROLES)("the role %s", (by) => {
  test.each(ROLES)(
    "may give somebody of role %s what the table says, and nothing else",
    async (from) => {
      for (const to of ROLES) {
        const { id } = await another(from, to);
        const heard = await as(by, `PATCH /v1/members/${id}`, { role: to });
        const may = MAY_CHANGE[by][from].includes(to);
        expect([to, heard.status, await roleOf(id)]).toEqual([
          to,
          may ? 200 : 403,
          may ? to : from,
        ]);
        if (may) expect(heard.body).toMatchObject({ id, role: to });
      }
    },
  );

  test.each(ROLES)("may remove somebody of role %s as the table says", async (from) => {
    const { id, cookie } = await another(from);
    const heard = await as(by, `DELETE /v1/members/${id}`);
    const may = MAY_REMOVE[by].includes(from);
    expect([heard.status, await roleOf(id)]).toEqual(may ? [200, undefined] : [403, from]);
    const theirs = await world.call("GET /v1/members", { headers: world.browser(cookie, "acme") });
    expect(theirs.status).toBe(may ? 404 : 200);
  });

  test.each(ROLES)("may invite as %s, and call it off, as the table says", async (role) => {
    const may = MAY_REMOVE[by].includes(role);
    const made = await as(by, "POST /v1/invitations", { email: "n@x.example", role });
    expect(made.status).toBe(may ? 201 : 403);
    const owners = await as("owner", "POST /v1/invitations", { email: "o@x.example", role });
    const { id } = owners.body;
    const again = await as(by, "POST /v1/invitations", { email: "o@x.example", role: "support" });
    expect(again.status).toBe(MAY_REMOVE[by].includes(role) ? 201 : 403);
    const now = may ? again.body.id : id;
    expect((await as(by, `POST /v1/invitations/${now}/send`)).status).toBe(may ? 200 : 403);
    expect((await as(by, `DELETE /v1/invitations/${now}`)).status).toBe(may ? 200 : 403);
  });

  test("may leave, once, and is nobody from then on", async () => {
    const { id, cookie } = await another(by);
    const headers = world.browser(cookie, "acme");
    const left = await world.call(`DELETE /v1/members/${id}`, { headers });
    expect([left.status, left.body.role]).toEqual([200, by]);
    expect((await world.call("GET /v1/environments", { headers })).status).toBe(404);
    expect((await world.call(`DELETE /v1/members/${id}`, { headers })).status).toBe(404);
    const [event] = await world.db
      .selectFrom("audit_event")
      .select(["action", "actor_id", "subject_id"])
      .where("action", "like", "member.%")
      .execute();
    expect(event).toEqual({ action: "member.left", actor_id: id, subject_id: id });
  });

  test("cannot raise itself", async () => {
    const { id } = world.acme.people[by];
    const higher = ROLES.slice(0, ROLES.indexOf(by));
    for (const role of higher) {
      expect((await as(by, `PATCH /v1/members/${id}`, { role })).status).toBe(403);
      const invited = await as(by, "POST /v1/invitations", { email: `${by}@acme.example`, role });
      expect(invited.status).toBe(403);
    }
    expect(await roleOf(id)).toBe(by);
  });
});

test("a service token may what an admin may, and is nobody who could leave", async () => {
  const { serviceToken: token, people } = world.acme;
  const demote = { token, body: { role: "admin" } };
  const owner = `/v1/members/${people.owner.id}`;
  expect((await world.call(`PATCH ${owner}`, demote)).status).toBe(403);
  expect((await world.call(`DELETE ${owner}`, { token })).status).toBe(403);
  const raise = { token, body: { role: "owner" } };
  expect((await world.call(`PATCH /v1/members/${people.member.id}`, raise)).status).toBe(403);
  expect((await world.call(`PATCH /v1/members/${people.member.id}`, demote)).status).toBe(200);
  expect((await world.call(`DELETE /v1/members/${people.support.id}`, { token })).status).toBe(200);
});

test("the last owner neither leaves nor is demoted, until there is another", async () => {
  const { owner, admin } = world.acme.people;
  for (const call of [
    () => as("owner", `DELETE /v1/members/${owner.id}`),
    () => as("owner", `PATCH /v1/members/${owner.id}`, { role: "support" }),
  ]) {
    const heard = await call();
    expect([heard.status, heard.body.code]).toEqual([409, "conflict"]);
  }
  expect(await roleOf(owner.id)).toBe("owner");
  await as("owner", `PATCH /v1/members/${admin.id}`, { role: "owner" });
  expect((await as("owner", `PATCH /v1/members/${owner.id}`, { role: "support" })).status).toBe(
    200,
  );
  // What they were does not count any more.
  expect((await as("owner", `PATCH /v1/members/${owner.id}`, { role: "owner" })).status).toBe(403);
});

test("a member is listed with what people ask about, and no more", async () => {
  const heard = await as("support", "GET /v1/members");
  expect(heard.body.entries).toHaveLength(4);
  const { member } = world.acme.people;
  expect((await as("support", `GET /v1/members/${member.id}`)).body).toEqual({
    id: member.id,
    name: "member",
    email: "member@acme.example",
    role: "member",
    two_factor: false,
    joined_at: new Date(NOW_MS).toISOString(),
    active_api_keys: 0,
    active_service_tokens: 0,
  });
  await world.db
    .updateTable("person")
    .set({ two_factor_enabled: 1 })
    .where("id", "=", member.id)
    .execute();
  expect((await as("support", `GET /v1/members/${member.id}`)).body.two_factor).toBe(true);
  const pages = await as("owner", "GET /v1/members?page_size=3");
  const rest = await as("owner", `GET /v1/members?after=${pages.body.page_info.after}`);
  expect([pages.body.entries.length, rest.body.entries.length]).toEqual([3, 1]);
  const wrong = await as("owner", `GET /v1/members?after=per_${"0".repeat(32)}`);
  expect(wrong.status).toBe(422);
});

test("service tokens of somebody who lives on are counted wherever the member is told", async () => {
  const { admin } = world.acme.people;
  const make = async (more: object) =>
    (await as("admin", "POST /v1/service_tokens", { name: "theirs", ...more })).body;
  await make({});
  await make({ expires_at: new Date(NOW_MS + 60_000).toISOString() });
  await as("admin", `DELETE /v1/service_tokens/${(await make({})).id}`);
  const told = async () => {
    const { entries } = (await as("owner", "GET /v1/members")).body;
    const listed = entries.find(({ id }: { id: string }) => id === admin.id);
    const got = (await as("owner", `GET /v1/members/${admin.id}`)).body;
    return [listed.active_service_tokens, got.active_service_tokens];
  };
  expect(await told()).toEqual([2, 2]);
  world.clock.nowMs += 60_000;
  expect(await told()).toEqual([1, 1]);
  const path = `/v1/members/${admin.id}`;
  const changed = await as("owner", `PATCH ${path}`, { role: "member" });
  const removed = await as("owner", `DELETE ${path}`);
  expect([changed.body.active_service_tokens, removed.body.active_service_tokens]).toEqual([1, 1]);
});

test("keys of somebody who was removed live on, are found, and say who made them", async () => {
  const { admin } = world.acme.people;
  const make = async (environment: string) =>
    (await as("admin", `POST /v1/api_keys?environment=${environment}`, { type: "secret" })).body;
  const [dev, live, ended] = [
    await make("development"),
    await make("production"),
    await make("production"),
  ];
  await as("admin", `POST /v1/api_keys/${ended.id}/revoke`, {});
  const removed = await as("owner", `DELETE /v1/members/${admin.id}`);
  expect(removed.body.active_api_keys).toBe(2);
  const found = async (query: string) =>
    (await as("owner", `GET /v1/api_keys?created_by=${admin.id}${query}`)).body.entries.map(
      ({ id, created_by }: { id: string; created_by: object }) => [id, created_by],
    );
  const by = { type: "person", id: admin.id, name: "admin" };
  expect(await found("")).toEqual([
    [live.id, by],
    [dev.id, by],
  ]);
  expect(await found("&environment=development")).toEqual([[dev.id, by]]);
  expect(await found("&status=revoked")).toEqual([[ended.id, by]]);
  for (const token of [dev.api_key, live.api_key])
    expect((await world.call("GET /v1/whoami", { token })).status).toBe(200);
  // Another account's owner finds nothing by the same id, and no list is of everything by accident.
  const rival = world.browser(world.rival.people.owner.cookie, "rival");
  const theirs = await world.call(`GET /v1/api_keys?created_by=${admin.id}`, { headers: rival });
  expect(theirs.body.entries).toEqual([]);
  for (const query of ["", "?status=all", "?created_by=ada"])
    expect((await as("owner", `GET /v1/api_keys${query}`)).status).toBe(422);
});

test("two accounts of one person never mix: each call is of the account that it names", async () => {
  const { cookie, id } = world.acme.people.support;
  await world.db
    .insertInto("member")
    .values({ account_id: world.rival.id, person_id: id, role: "owner", created_at: NOW_MS })
    .execute();
  const ask = (account: string, to: string, body?: object) =>
    world.call(to, {
      headers: world.browser(cookie, account),
      ...(body === undefined ? {} : { body }),
    });
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const account = index % 2 === 0 ? "acme" : "rival";
      const heard = await ask(account, "GET /v1/members");
      const emails = heard.body.entries.map(({ email }: { email: string }) => email);
      return emails.includes(`owner@${account}.example`) ? account : emails;
    }),
  );
  expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? "acme" : "rival")));
  const body = { name: "Mine", slug: "mine" };
  expect((await ask("acme", "POST /v1/environments", body)).status).toBe(403);
  expect((await ask("rival", "POST /v1/environments", body)).status).toBe(201);
  const ofAcme = await as("owner", "GET /v1/environments");
  expect(ofAcme.text).not.toContain("mine");
  // Left in one, still there in the other.
  expect((await ask("acme", `DELETE /v1/members/${id}`)).status).toBe(200);
  expect((await ask("acme", "GET /v1/account")).status).toBe(404);
  expect((await ask("rival", "GET /v1/account")).body.slug).toBe("rival");
});

describe("an account of one's own", () => {
  const body = { name: "Mine", slug: "mine" };
  const make = (said: object = { body }) =>
    world.call("POST /v1/me/accounts", {
      headers: world.browser(world.acme.people.support.cookie, "acme"),
      ...said,
    });

  test("is not made where people are invited", async () => {
    expect((await make()).status).toBe(403);
    expect(await world.store.findAccount("mine")).toBeUndefined();
  });

  test("is its maker's, whole, and once under one Idempotency-Key", async () => {
    await world.close();
    world = await openWorld(() => ({ signUpOpen: true }));
    const headers = {
      ...world.browser(world.acme.people.support.cookie, ""),
      "Idempotency-Key": "1",
    };
    const made = await make({ body, headers });
    expect(made.status).toBe(201);
    expect(made.body.environments).toHaveLength(2);
    const again = await make({ body, headers });
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(again.text).not.toMatch(/[sp][kt]_/);
    const me = await world.call("GET /v1/me", { headers });
    expect(
      me.body.accounts.map(({ slug, role }: { slug: string; role: string }) => [slug, role]),
    ).toEqual([
      ["acme", "support"],
      ["mine", "owner"],
    ]);
    const statuses: Record<string, number> = {};
    for (const slug of ["mine", "acme", "auth", "sign-in-link"])
      statuses[slug] = (await make({ body: { ...body, slug } })).status;
    expect(statuses).toEqual({ mine: 409, acme: 409, auth: 422, "sign-in-link": 422 });
    for (let index = 2; index <= 20; index += 1)
      expect((await make({ body: { name: "X", slug: `x-${index}` } })).status).toBe(201);
    const one = await make({ body: { name: "X", slug: "x-21" } });
    expect([one.status, one.body.code]).toEqual([409, "conflict"]);
  });
});
