import { digestToken, parseToken } from "@latchkey/sdk/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Heard, NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const PATH = "/v1/service_tokens";
const HOUR_MS = 60 * 60_000;
const iso = (ms: number): string => new Date(ms).toISOString();

function manage(to: string, body?: object, headers: Record<string, string> = {}): Promise<Heard> {
  const token = world.acme.serviceToken;
  return world.call(to, { token, headers, ...(body === undefined ? {} : { body }) });
}

async function create(body: object = { name: "Deploys" }) {
  const heard = await manage(`POST ${PATH}`, body);
  expect(heard.status, heard.text).toBe(201);
  return heard.body;
}

async function names(query = ""): Promise<string[]> {
  const heard = await manage(`GET ${PATH}${query}`);
  expect(heard.status, heard.text).toBe(200);
  return heard.body.entries.map((one: { name: string }) => one.name);
}

const whoami = (token: string) => world.call("GET /v1/whoami", { token });
const listKeys = (token: string) =>
  world.call("GET /v1/api_keys?environment=production", { token });

async function expectRefused(token: string): Promise<void> {
  for (const heard of [await whoami(token), await listKeys(token)])
    expect([heard.status, heard.body.code]).toEqual([401, "invalid_token"]);
}

async function audited(action: string) {
  const events = await world.db
    .selectFrom("audit_event")
    .selectAll()
    .where("action", "=", action)
    .orderBy("id")
    .execute();
  return events.map((event) => ({ ...event, details: JSON.parse(event.details) }));
}

describe("a service token that is created", () => {
  test("is shown this once, whole", async () => {
    const made = await create();
    expect(made).toEqual({
      id: expect.stringMatching(/^tok_[0-9a-f]{32}$/),
      name: "Deploys",
      hint: `st_…${made.token.slice(-4)}`,
      token: expect.stringMatching(/^st_/),
      created_at: iso(NOW_MS),
      created_by: {
        type: "service_token",
        id: expect.stringMatching(/^tok_/),
        name: "First token",
      },
      expires_at: null,
      last_used_at: null,
      exchanged_keys: 0,
    });
    expect(parseToken(made.token)?.prefix).toBe("st");
    const listed = await manage(`GET ${PATH}`);
    const { token: _, ...known } = made;
    expect(listed.body.entries[0]).toEqual(known);
    expect(listed.text).not.toContain(made.token);
    expect(world.log.join("\n")).not.toContain(made.token);
  });

  test("acts in its account and in no other, and opens nothing of the operator's", async () => {
    const { token } = await create();
    expect((await whoami(token)).body).toMatchObject({
      type: "service_token",
      account_slug: "acme",
      service_token_name: "Deploys",
    });
    const made = await world.call("POST /v1/environments", {
      token,
      body: { name: "Staging", slug: "staging" },
    });
    expect(made.status).toBe(201);
    const theirs = await world.call("GET /v1/environments", { token: world.rival.serviceToken });
    expect(theirs.text).not.toContain("staging");
    for (const to of ["GET /v1/tokens", "GET /v1/accounts"])
      expect((await world.call(to, { token })).body.code).toBe("incorrect_token_type");
  });

  test("by an admin names them", async () => {
    const { id, cookie } = world.acme.people.admin;
    const heard = await world.call(`POST ${PATH}`, {
      headers: world.browser(cookie, "acme"),
      body: { name: "Deploys" },
    });
    expect(heard.body.created_by).toEqual({ type: "person", id, name: "admin" });
  });

  test("is told in the audit log with its end, and without itself", async () => {
    const made = await create({ name: "Deploys", expires_at: iso(NOW_MS + HOUR_MS) });
    const [event] = (await audited("access_token.created")).slice(-1);
    expect(event).toMatchObject({ account_id: world.acme.id, subject_id: made.id });
    expect(event?.details).toEqual({
      kind: "service",
      name: "Deploys",
      hint: made.hint,
      expires_at: NOW_MS + HOUR_MS,
    });
  });

  test("repeated under its Idempotency-Key is one, and is never shown again", async () => {
    const once = { "Idempotency-Key": "deploys-1" };
    const body = { name: "Deploys", expires_at: iso(NOW_MS + HOUR_MS) };
    const first = await manage(`POST ${PATH}`, body, once);
    const again = await manage(`POST ${PATH}`, body, once);
    const { token, ...known } = first.body;
    expect(token).toMatch(/^st_/);
    expect([again.status, again.body]).toEqual([201, known]);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    const other = await manage(`POST ${PATH}`, { name: "Other" }, once);
    expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
    expect(await names()).toEqual(["Deploys", "First token"]);
    await manage(`DELETE ${PATH}/${known.id}`);
    const gone = await manage(`POST ${PATH}`, body, once);
    expect([gone.status, gone.body.code]).toEqual([404, "resource_missing"]);
  });

  test.each([
    [{}, "name"],
    [{ name: "" }, "name"],
    [{ name: "  " }, "name"],
    [{ name: "a\nb" }, "name"],
    [{ name: "n".repeat(65) }, "name"],
    [{ name: "Deploys", kind: "service" }, "kind"],
    [{ name: "Deploys", expire_at: "2030-01-01T00:00:00Z" }, "expire_at"],
    [{ name: "Deploys", expires_at: iso(NOW_MS) }, "expires_at"],
    [{ name: "Deploys", expires_at: iso(NOW_MS - 1) }, "expires_at"],
    [{ name: "Deploys", expires_at: "2030-01-01" }, "expires_at"],
    [{ name: "Deploys", expires_at: null }, "expires_at"],
  ])("is not made of %j", async (body, field) => {
    const heard = await manage(`POST ${PATH}`, body);
    expect([heard.status, heard.body.code]).toEqual([422, "invalid_params"]);
    const fields = heard.body.errors.map((wrong: { field: string }) => wrong.field);
    expect([...new Set(fields)]).toEqual([field]);
    expect(await names()).toEqual(["First token"]);
  });
});

describe("a service token that expires", () => {
  test("opens until then and not from then on, and is told when that was", async () => {
    const expires_at = iso(NOW_MS + HOUR_MS);
    const { token } = await create({ name: "Deploys", expires_at });
    world.clock.nowMs = NOW_MS + HOUR_MS - 1;
    expect([(await whoami(token)).status, (await listKeys(token)).status]).toEqual([200, 200]);
    world.clock.nowMs = NOW_MS + HOUR_MS;
    await expectRefused(token);
    expect((await listKeys(token)).body.message).toBe(`The token expired at ${expires_at}.`);
    const listed = (await manage(`GET ${PATH}`)).body.entries[0];
    expect(listed).toMatchObject({ expires_at, last_used_at: iso(NOW_MS + HOUR_MS - 1) });
  });

  test("makes nothing once it has, and can be deleted still", async () => {
    const made = await create({ name: "Deploys", expires_at: iso(NOW_MS + 1) });
    world.clock.nowMs = NOW_MS + 1;
    const { token } = made;
    const to = "POST /v1/api_keys?environment=production";
    expect((await world.call(to, { token, body: { type: "secret" } })).status).toBe(401);
    expect((await manage(`DELETE ${PATH}/${made.id}`)).status).toBe(200);
    expect((await whoami(token)).body.message).toBe("The token is not valid.");
  });
});

describe("the list of service tokens", () => {
  test("is newest first, in pages", async () => {
    for (const name of ["a", "b", "c"]) await create({ name });
    const first = await manage(`GET ${PATH}?page_size=2`);
    expect(first.body.entries.map((one: { name: string }) => one.name)).toEqual(["c", "b"]);
    const { after } = first.body.page_info;
    expect(await names(`?page_size=2&after=${after}`)).toEqual(["a", "First token"]);
    expect((await manage(`GET ${PATH}?after=tok_${"0".repeat(32)}`)).status).toBe(422);
    expect((await manage(`GET ${PATH}?kind=service`)).status).toBe(422);
  });

  test("has nobody else's, and none of the operator's", async () => {
    const theirs = await world.call(`POST ${PATH}`, {
      token: world.rival.serviceToken,
      body: { name: "Theirs" },
    });
    expect(theirs.status).toBe(201);
    expect(await names("?page_size=200")).toEqual(["First token"]);
    expect((await manage(`GET ${PATH}?after=${theirs.body.id}`)).status).toBe(422);
  });
});

describe("deleting a service token", () => {
  test("answers with the receipt, and the token is refused from then on", async () => {
    const { id, token } = await create();
    const bystander = await create({ name: "Other" });
    expect((await whoami(token)).status).toBe(200);
    const heard = await manage(`DELETE ${PATH}/${id}`);
    expect([heard.status, heard.body.revocation.state]).toEqual([200, "effective"]);
    await expectRefused(token);
    expect((await whoami(bystander.token)).status).toBe(200);
    expect(await names()).toEqual(["Other", "First token"]);
    const [event] = await audited("access_token.deleted");
    expect(event).toMatchObject({ account_id: world.acme.id, subject_id: id });
  });

  test("tells every node its digest", async () => {
    const { id, token } = await create();
    await manage(`DELETE ${PATH}/${id}`);
    const read = await world.store.leases.readChanges(0, null);
    expect(read).toMatchObject({ changes: [{ kind: "key", subject: digestToken(token) }] });
  });

  test("with wait=false answers as soon as it is stored", async () => {
    await world.store.leases.joinNode({ id: "node_silent", leaseMs: 60_000, label: "" });
    const { id, token } = await create();
    const heard = await manage(`DELETE ${PATH}/${id}?wait=false`);
    expect([heard.status, heard.body.revocation.state]).toEqual([202, "pending"]);
    await expectRefused(token);
    const { seq } = await world.store.ping();
    await world.store.leases.renewNode("node_silent", 1, seq, 0);
    await expect.poll(() => world.store.leases.pendingRevocations()).toEqual([]);
  });

  test("that one is calling with is answered, and closes the door", async () => {
    const { id, token } = await create();
    const heard = await world.call(`DELETE ${PATH}/${id}`, { token });
    expect(heard.body.revocation.state).toBe("effective");
    await expectRefused(token);
  });

  test("of another account, of the operator or of nobody is the same 404", async () => {
    const theirs = await world.store.findToken(digestToken(world.rival.serviceToken));
    const operators = await world.store.findToken(digestToken(world.tokens.verifier));
    const answers = [];
    for (const id of [theirs?.id, operators?.id, `tok_${"0".repeat(32)}`]) {
      const { status, body } = await manage(`DELETE ${PATH}/${id}`);
      answers.push({ status, code: body.code, message: body.message });
    }
    const absent = { status: 404, code: "resource_missing", message: "There is no such token." };
    expect(answers).toEqual([absent, absent, absent]);
    expect((await whoami(world.rival.serviceToken)).status).toBe(200);
    const verify = { token: world.tokens.verifier, body: { api_key: world.acme.secretKey } };
    expect((await world.call("POST /v1/api_keys/verify", verify)).body.valid).toBe(true);
  });
});
