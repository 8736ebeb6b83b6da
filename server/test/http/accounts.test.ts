import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const operate = (to: string, body?: object) =>
  world.call(to, { token: world.tokens.operator, ...(body === undefined ? {} : { body }) });
const whoami = (token: string) => world.call("GET /v1/whoami", { token });

describe("provisioning", () => {
  test("answers with everything the customer needs, once, and all of it works", async () => {
    const heard = await operate("POST /v1/accounts", {
      name: "Initech",
      slug: "initech",
      external_id: "cus_1",
    });
    expect(heard.status).toBe(201);
    const environment = (slug: string) => ({
      id: expect.stringMatching(/^env_/),
      slug,
      public_key: expect.stringMatching(/^pk_/),
      secret_key: expect.stringMatching(/^sk_/),
    });
    expect(heard.body).toEqual({
      account: { id: expect.stringMatching(/^acc_/), name: "Initech", slug: "initech" },
      environments: [environment("development"), environment("production")],
      service_token: expect.stringMatching(/^st_/),
    });
    for (const { slug, secret_key, public_key } of heard.body.environments)
      for (const token of [secret_key, public_key])
        expect((await whoami(token)).body).toMatchObject({
          account_slug: "initech",
          environment: slug,
        });
    expect((await whoami(heard.body.service_token)).body.account_slug).toBe("initech");
    const list = await operate("GET /v1/accounts");
    expect(list.body.entries[0]).toEqual({
      id: heard.body.account.id,
      name: "Initech",
      slug: "initech",
      external_id: "cus_1",
      created_at: new Date(NOW_MS).toISOString(),
      suspended_at: null,
      revocation: null,
    });
    expect(list.text).not.toMatch(/[sp]k_|st_/);
  });

  test("makes the person of that address its owner, and nobody else", async () => {
    const body = { name: "Initech", slug: "initech", owner_email: "Member@Acme.example" };
    const first = await operate("POST /v1/accounts", body);
    expect(first.status).toBe(201);
    const me = await world.call("GET /v1/me", {
      headers: { Cookie: world.acme.people.member.cookie },
    });
    expect(
      me.body.accounts.map((one: { slug: string; role: string }) => [one.slug, one.role]),
    ).toEqual([
      ["acme", "member"],
      ["initech", "owner"],
    ]);
    expect(first.body).not.toHaveProperty("replaced_unproved_sign_in");
    await world.db.updateTable("person").set({ email_verified: 0 }).execute();
    const unproved = await operate("POST /v1/accounts", { ...body, slug: "initech-2" });
    expect([unproved.status, unproved.body.replaced_unproved_sign_in]).toEqual([201, true]);
    const other = await operate("POST /v1/accounts", {
      ...body,
      slug: "initrode",
      owner_email: "nobody@acme.example",
    });
    expect(other.status).toBe(422);
    expect(other.body.errors).toEqual([{ field: "owner_email", message: expect.any(String) }]);
    expect((await operate("GET /v1/accounts")).text).not.toContain("initrode");
  });

  test.each([
    "v1",
    "auth",
    "docs",
    "setup",
    "sign-in",
    "assets",
    "api",
    "healthz",
    "readyz",
    "openapi.json",
    "-a",
    "a-",
    "A",
    "a_b",
    "a.b",
    "",
    "é",
    "a".repeat(41),
    "a\u0000",
  ])("refuses the slug %j", async (slug) => {
    const heard = await operate("POST /v1/accounts", { name: "X", slug });
    expect([heard.status, heard.body.errors?.[0].field]).toEqual([422, "slug"]);
  });

  test("never gives a slug out again, and an external_id only once at a time", async () => {
    const made = { name: "X", slug: "xylo", external_id: "cus_1" };
    await operate("POST /v1/accounts", made);
    expect((await operate("POST /v1/accounts", made)).status).toBe(409);
    expect((await operate("POST /v1/accounts", { ...made, slug: "yolo" })).status).toBe(409);
    await operate("DELETE /v1/accounts/xylo");
    const heard = await operate("POST /v1/accounts", made);
    expect([heard.status, heard.body.code]).toEqual([409, "conflict"]);
    expect((await operate("POST /v1/accounts", { ...made, slug: "yolo" })).status).toBe(201);
  });
});

describe("suspending", () => {
  test("refuses every key once it returns, and unsuspending accepts them again", async () => {
    const suspended = await operate("PATCH /v1/accounts/acme", { suspended: true });
    expect(suspended.body).toMatchObject({
      suspended_at: new Date(NOW_MS).toISOString(),
      revocation: { state: "effective", effective_at: new Date(NOW_MS).toISOString() },
    });
    expect((await whoami(world.acme.secretKey)).body.code).toBe("api_key_missing");
    expect((await whoami(world.rival.secretKey)).status).toBe(200);
    const again = await operate("PATCH /v1/accounts/acme", { suspended: true });
    expect(again.body.suspended_at).toBe(suspended.body.suspended_at);
    const back = await operate("PATCH /v1/accounts/acme", { suspended: false });
    expect(back.body).toMatchObject({ suspended_at: null, revocation: null });
    expect((await whoami(world.acme.secretKey)).status).toBe(200);
  });

  test("does not bring a revoked key back", async () => {
    const token = world.acme.serviceToken;
    const list = "GET /v1/api_keys?environment=development";
    const { id } = (await world.call(list, { token })).body.entries.find(
      (key: { type: string }) => key.type === "secret",
    );
    await world.call(`POST /v1/api_keys/${id}/revoke`, { token });
    await operate("PATCH /v1/accounts/acme", { suspended: true });
    await operate("PATCH /v1/accounts/acme", { suspended: false });
    expect((await whoami(world.acme.secretKey)).status).toBe(401);
  });
});

describe("an account", () => {
  test("can be renamed, and named in the operator's own words; its slug stays", async () => {
    const heard = await operate("PATCH /v1/accounts/acme", {
      name: "Acme Inc.",
      external_id: "c1",
    });
    expect(heard.body).toMatchObject({ name: "Acme Inc.", slug: "acme", external_id: "c1" });
    const cleared = await operate("PATCH /v1/accounts/acme", { external_id: null });
    expect(cleared.body).toMatchObject({ name: "Acme Inc.", external_id: null });
    expect((await operate("PATCH /v1/accounts/acme", { slug: "other" })).status).toBe(422);
    expect((await operate("PATCH /v1/accounts/acme", {})).status).toBe(422);
    expect((await operate("PATCH /v1/accounts/nobody", { name: "X" })).status).toBe(404);
  });

  test("that is deleted takes its keys and tokens with it", async () => {
    const heard = await operate("DELETE /v1/accounts/acme");
    expect(heard.body).toEqual({
      revocation: {
        state: "effective",
        effective_at: new Date(NOW_MS).toISOString(),
        took_ms: expect.any(Number),
        acknowledged: expect.any(Number),
        lapsed: 0,
      },
    });
    expect((await whoami(world.acme.secretKey)).body.code).toBe("api_key_missing");
    expect((await whoami(world.acme.serviceToken)).body.code).toBe("invalid_token");
    expect((await operate("DELETE /v1/accounts/acme")).status).toBe(404);
    expect((await operate("GET /v1/accounts")).text).not.toContain('"acme"');
  });
});

describe("an environment", () => {
  const manage = (to: string, body?: object) =>
    world.call(to, { token: world.acme.serviceToken, ...(body === undefined ? {} : { body }) });

  test("starts with one public and one secret key, shown once", async () => {
    const heard = await manage("POST /v1/environments", { name: "Staging", slug: "staging" });
    expect(heard.status).toBe(201);
    expect(heard.body).toEqual({
      id: expect.stringMatching(/^env_/),
      slug: "staging",
      name: "Staging",
      created_at: new Date(NOW_MS).toISOString(),
      public_key: expect.stringMatching(/^pk_/),
      secret_key: expect.stringMatching(/^sk_/),
    });
    expect((await whoami(heard.body.secret_key)).body.environment).toBe("staging");
    const keys = await manage("GET /v1/api_keys?environment=staging");
    expect(keys.body.entries).toHaveLength(2);
    expect(keys.text).not.toContain(heard.body.secret_key);
    const list = await manage("GET /v1/environments");
    expect(list.body.entries.map((one: { slug: string }) => one.slug).sort()).toEqual([
      "development",
      "production",
      "staging",
    ]);
    expect(list.text).not.toMatch(/_key"/);
  });

  test("keeps its slug when renamed, and its slug is never given out again", async () => {
    const renamed = await manage("PATCH /v1/environments/production", { name: "Live" });
    expect(renamed.body).toMatchObject({ slug: "production", name: "Live" });
    const taken = { name: "Again", slug: "production" };
    expect((await manage("POST /v1/environments", taken)).status).toBe(409);
    await manage("DELETE /v1/environments/production");
    expect((await manage("POST /v1/environments", taken)).body.code).toBe("conflict");
  });

  test("that is deleted takes its keys with it, and no others", async () => {
    const heard = await manage("DELETE /v1/environments/development");
    expect(heard.body.revocation.state).toBe("effective");
    expect((await whoami(world.acme.secretKey)).body.code).toBe("api_key_missing");
    expect((await whoami(world.acme.publicKey)).body.code).toBe("api_key_missing");
    expect((await whoami(world.rival.secretKey)).status).toBe(200);
    expect((await manage("DELETE /v1/environments/development")).status).toBe(404);
    expect((await manage("GET /v1/api_keys?environment=development")).status).toBe(404);
  });
});
