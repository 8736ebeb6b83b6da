import { digestToken, parseToken } from "@latchkey/sdk/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Heard, NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const NOBODYS = `tok_${"0".repeat(32)}`;

function operate(to: string, body?: object, headers: Record<string, string> = {}): Promise<Heard> {
  const token = world.tokens.operator;
  return world.call(to, { token, headers, ...(body === undefined ? {} : { body }) });
}

/** The operator's browser. */
function inPerson(to: string, body?: object): Promise<Heard> {
  const headers = world.browser(world.operator.cookie, "first");
  return world.call(to, { headers, ...(body === undefined ? {} : { body }) });
}

async function create(kind = "verifier", name = "Edge") {
  const heard = await operate("POST /v1/tokens", { kind, name });
  expect(heard.status, heard.text).toBe(201);
  return heard.body;
}

async function names(query = ""): Promise<string[]> {
  const heard = await operate(`GET /v1/tokens${query}`);
  expect(heard.status, heard.text).toBe(200);
  return heard.body.entries.map((one: { name: string }) => one.name);
}

const verify = (token: string) =>
  world.call("POST /v1/api_keys/verify", { token, body: { api_key: world.acme.secretKey } });

describe("a token that is created", () => {
  test.each([
    ["verifier", "vt"],
    ["operator", "ot"],
  ])("as %s is shown this once, whole", async (kind, prefix) => {
    const made = await create(kind, "Edge");
    expect(made).toEqual({
      id: expect.stringMatching(/^tok_[0-9a-f]{32}$/),
      kind,
      name: "Edge",
      hint: `${prefix}_…${made.token.slice(-4)}`,
      token: expect.stringMatching(new RegExp(`^${prefix}_`)),
      created_at: new Date(NOW_MS).toISOString(),
      created_by: { type: "operator", id: expect.stringMatching(/^tok_/), name: "operator" },
      last_used_at: null,
    });
    expect(parseToken(made.token)?.prefix).toBe(prefix);
    const listed = await operate("GET /v1/tokens");
    const { token: _, ...known } = made;
    expect(listed.body.entries[0]).toEqual(known);
    expect(listed.text).not.toContain(made.token);
    expect(world.log.join("\n")).not.toContain(made.token);
  });

  test("by the operator in person names them", async () => {
    const heard = await inPerson("POST /v1/tokens", { kind: "verifier", name: "Edge" });
    const { id } = world.operator;
    expect(heard.body.created_by).toEqual({ type: "person", id, name: "owner" });
    expect((await verify(heard.body.token)).body.valid).toBe(true);
  });

  test("as a verifier token verifies keys, and opens nothing else", async () => {
    const { token } = await create("verifier");
    expect((await verify(token)).body).toMatchObject({ valid: true, account_slug: "acme" });
    for (const to of [
      "GET /v1/tokens",
      "GET /v1/accounts",
      "GET /v1/api_keys?environment=production",
    ])
      expect((await world.call(to, { token })).body.code).toBe("incorrect_token_type");
  });

  test("as an operator token opens what the first one opens", async () => {
    const { token } = await create("operator");
    for (const to of ["GET /v1/tokens", "GET /v1/accounts"])
      expect((await world.call(to, { token })).status).toBe(200);
    expect((await verify(token)).body.code).toBe("incorrect_token_type");
  });

  test("may have a name that another has", async () => {
    const [one, two] = [await create("verifier", "Edge"), await create("verifier", "Edge")];
    expect(one.id).not.toBe(two.id);
    expect(await names()).toEqual(["Edge", "Edge", "operator", "verifier"]);
  });

  test("repeated under its Idempotency-Key is one, and is never shown again", async () => {
    const once = { "Idempotency-Key": "edge-1" };
    const body = { kind: "verifier", name: "Edge" };
    const first = await operate("POST /v1/tokens", body, once);
    const again = await operate("POST /v1/tokens", body, once);
    const { token, ...known } = first.body;
    expect(token).toMatch(/^vt_/);
    expect([again.status, again.body]).toEqual([201, known]);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    const other = await operate("POST /v1/tokens", { ...body, name: "Other" }, once);
    expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
    expect(await names()).toEqual(["Edge", "operator", "verifier"]);
    await operate(`DELETE /v1/tokens/${known.id}`);
    const gone = await operate("POST /v1/tokens", body, once);
    expect([gone.status, gone.body.code]).toEqual([404, "resource_missing"]);
    expect(await names()).toEqual(["operator", "verifier"]);
  });

  test.each([
    [{ kind: "verifier" }, "name"],
    [{ kind: "verifier", name: "" }, "name"],
    [{ kind: "verifier", name: "  " }, "name"],
    [{ kind: "verifier", name: "a\nb" }, "name"],
    [{ kind: "verifier", name: "n".repeat(65) }, "name"],
    [{ name: "Edge" }, "kind"],
    [{ kind: "service", name: "Edge" }, "kind"],
    [{ kind: "verifier", name: "Edge", expires_at: "2030-01-01T00:00:00Z" }, "expires_at"],
  ])("is not made of %j", async (body, field) => {
    const heard = await operate("POST /v1/tokens", body);
    expect([heard.status, heard.body.code]).toEqual([422, "invalid_params"]);
    const fields = heard.body.errors.map((wrong: { field: string }) => wrong.field);
    expect([...new Set(fields)]).toEqual([field]);
    expect(await names()).toEqual(["operator", "verifier"]);
  });

  test("has a name of 1 to 64 characters, of any script", async () => {
    for (const name of ["n", "n".repeat(64), "日本".repeat(32), "👩‍🚀".repeat(16)])
      expect((await create("verifier", name)).name).toBe(name);
  });
});

describe("the list of tokens", () => {
  test("is newest first, in pages", async () => {
    for (const name of ["a", "b", "c"]) await create("verifier", name);
    const first = await operate("GET /v1/tokens?page_size=2");
    expect(first.body.entries.map((one: { name: string }) => one.name)).toEqual(["c", "b"]);
    const { after } = first.body.page_info;
    expect(await names(`?page_size=2&after=${after}`)).toEqual(["a", "operator"]);
    expect((await operate(`GET /v1/tokens?after=${NOBODYS}`)).status).toBe(422);
    expect((await operate("GET /v1/tokens?kind=verifier")).status).toBe(422);
  });

  test("has no account's service token in it", async () => {
    const heard = await operate("GET /v1/tokens?page_size=200");
    const kinds = heard.body.entries.map((one: { kind: string }) => one.kind);
    expect(kinds.sort()).toEqual(["operator", "verifier"]);
    const service = await world.store.findToken(digestToken(world.acme.serviceToken));
    expect(heard.text).not.toContain(service?.id);
  });

  test("tells when a token was last used", async () => {
    const { token } = await create("verifier", "Edge");
    world.clock.nowMs += 5_000;
    await verify(token);
    const heard = await operate("GET /v1/tokens");
    expect(heard.body.entries[0].last_used_at).toBe(new Date(NOW_MS + 5_000).toISOString());
  });
});

describe("deleting a token", () => {
  test("answers with the receipt, and the token is refused", async () => {
    const { id, token } = await create("verifier", "Edge");
    const bystander = await create("verifier", "Other");
    expect((await verify(token)).status).toBe(200);
    const heard = await operate(`DELETE /v1/tokens/${id}`);
    expect([heard.status, heard.body]).toEqual([
      200,
      {
        revocation: {
          state: "effective",
          effective_at: expect.any(String),
          took_ms: expect.any(Number),
          acknowledged: 0,
          lapsed: 0,
        },
      },
    ]);
    const refused = await verify(token);
    expect([refused.status, refused.body.code]).toEqual([401, "invalid_token"]);
    expect((await verify(bystander.token)).status).toBe(200);
    expect(await names()).toEqual(["Other", "operator", "verifier"]);
  });

  test("tells every node its digest, in the order of changes", async () => {
    const { id, token } = await create("verifier", "Edge");
    await operate(`DELETE /v1/tokens/${id}`);
    const read = await world.store.leases.readChanges(0, null);
    expect(read).toMatchObject({ changes: [{ kind: "key", subject: digestToken(token) }] });
  });

  test("waits until every node has ended its sessions, or its lease has run out", async () => {
    const leaseMs = 200;
    await world.store.leases.joinNode({ id: "node_silent", leaseMs, label: "" });
    const { id } = await create("verifier", "Edge");
    const heard = await operate(`DELETE /v1/tokens/${id}`);
    expect(heard.body.revocation).toMatchObject({ state: "effective", acknowledged: 0, lapsed: 1 });
    expect(heard.body.revocation.took_ms).toBeGreaterThanOrEqual(leaseMs);
  });

  test("with wait=false answers as soon as it is stored, and goes on by itself", async () => {
    await world.store.leases.joinNode({ id: "node_silent", leaseMs: 60_000, label: "" });
    const { id, token } = await create("verifier", "Edge");
    const heard = await operate(`DELETE /v1/tokens/${id}?wait=false`);
    expect([heard.status, heard.body.revocation]).toEqual([
      202,
      { state: "pending", effective_at: null, took_ms: null, acknowledged: 0, lapsed: 0 },
    ]);
    expect((await verify(token)).status).toBe(401);
    const { seq } = await world.store.ping();
    await world.store.leases.renewNode("node_silent", 1, seq, 0);
    await expect.poll(() => world.store.leases.pendingRevocations()).toEqual([]);
  });

  test("twice is a 404 the second time, and not before it is so everywhere", async () => {
    await world.store.leases.joinNode({ id: "node_silent", leaseMs: 60_000, label: "" });
    const { id } = await create("verifier", "Edge");
    await operate(`DELETE /v1/tokens/${id}?wait=false`);
    const again = operate(`DELETE /v1/tokens/${id}?wait=false`);
    let answered = false;
    void again.then(() => {
      answered = true;
    });
    // Another barrier begins and is read after it, and it still waits.
    const other = await create("verifier", "Other");
    await operate(`DELETE /v1/tokens/${other.id}?wait=false`);
    expect(answered).toBe(false);
    const { seq } = await world.store.ping();
    await world.store.leases.renewNode("node_silent", 1, seq, 0);
    const heard = await again;
    expect([heard.status, heard.body.code]).toEqual([404, "resource_missing"]);
    expect(heard.body.message).toBe("There is no such token.");
  });

  test("that one does not have answers like one that never was", async () => {
    const service = await world.store.findToken(digestToken(world.acme.serviceToken));
    const { body: theirs } = await operate(`DELETE /v1/tokens/${service?.id}`);
    const { body: nobodys } = await operate(`DELETE /v1/tokens/${NOBODYS}`);
    expect({ ...theirs, request_id: "" }).toEqual({ ...nobodys, request_id: "" });
    expect(theirs.code).toBe("resource_missing");
    for (const id of ["x", "tok_", "key_1", `${NOBODYS}0`, "%00"])
      expect((await operate(`DELETE /v1/tokens/${id}`)).status).toBe(404);
    const keys = "GET /v1/api_keys?environment=production";
    expect((await world.call(keys, { token: world.acme.serviceToken })).status).toBe(200);
  });

  test("that one is calling with is answered, and closes the door", async () => {
    const { id, token } = await create("operator", "Mine");
    const heard = await world.call(`DELETE /v1/tokens/${id}`, { token });
    expect(heard.body.revocation.state).toBe("effective");
    expect((await world.call("GET /v1/tokens", { token })).body.code).toBe("invalid_token");
  });

  test("that is the last operator token leaves the operator in person", async () => {
    const listed = await inPerson("GET /v1/tokens");
    for (const { id } of listed.body.entries)
      expect((await inPerson(`DELETE /v1/tokens/${id}`)).status).toBe(200);
    expect((await inPerson("GET /v1/tokens")).body.entries).toEqual([]);
    const made = await inPerson("POST /v1/tokens", { kind: "operator", name: "New" });
    expect((await world.call("GET /v1/tokens", { token: made.body.token })).status).toBe(200);
  });
});
