import { randomBytes } from "node:crypto";
import { parseToken } from "@latchkey/sdk/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tokenMaker } from "../../src/domain/tokens.ts";
import { managementRoutes } from "../../src/http/app.ts";
import {
  ALL,
  EVERYBODY,
  KEYS,
  OF_ACCOUNT,
  OF_OPERATOR,
  OF_OPERATOR_IN_PERSON,
  OF_OWNER,
  OF_PROGRAM,
  OF_SESSION,
  OF_VERIFIER,
  type Sample,
  WITH_TOKEN,
} from "./route-table.ts";
import { type Heard, openWorld, type World } from "./world.ts";

let world: World;
/** An active secret key of acme's. */
let key: string;
/** The operator's verifier token, by its id. */
let tokenId: string;
/** A service token of acme's that nobody calls with, by its id. */
let serviceTokenId: string;

/** A member of acme's whose session nobody uses. */
let memberId: string;
/** An open invitation of acme's. */
let invitationId: string;

/** What stands for the placeholders of a sample, and what reads like it and is not there. */
const right = (): Record<string, string> => ({
  "{key}": key,
  "{token}": tokenId,
  "{serviceToken}": serviceTokenId,
  "{member}": memberId,
  "{invitation}": invitationId,
  "{refusal}": "req_acme",
  "{nobodys}": "req_nobody",
});
const ABSENT: Record<string, string> = {
  "{key}": `key_${"0".repeat(32)}`,
  "{token}": `tok_${"0".repeat(32)}`,
  "{serviceToken}": `tok_${"0".repeat(32)}`,
  "{member}": `per_${"0".repeat(32)}`,
  "{invitation}": `inv_${"0".repeat(32)}`,
  "{refusal}": "req_absent",
  "{nobodys}": "req_absent",
};
/** Every row that somebody could have changed without leave. */
let before: unknown;

beforeEach(async () => {
  world = await openWorld(() => ({ signUpOpen: true }));
  const listed = await world.call(`GET ${KEYS}`, { token: world.acme.serviceToken });
  key = listed.body.entries.find((one: { type: string }) => one.type === "secret").id;
  const tokens = await world.call("GET /v1/tokens", { token: world.tokens.operator });
  tokenId = tokens.body.entries.find((one: { kind: string }) => one.kind === "verifier").id;
  const token = world.acme.serviceToken;
  const idle = await world.call("POST /v1/service_tokens", { token, body: { name: "Idle" } });
  serviceTokenId = idle.body.id;
  memberId = (await world.join(world.acme.id, "fifth@acme.example", "member")).id;
  const body = { email: "invited@acme.example", role: "member" };
  invitationId = (await world.call("POST /v1/invitations", { token, body })).body.id;
  await keepRefusals();
  before = await everything();
});
afterEach(() => world.close());

/** One of a key of acme's, and one that belongs to no account. */
async function keepRefusals(): Promise<void> {
  const usual = { atMs: world.clock.nowMs, environment: null, address: null, userAgent: null };
  const types = ["public"] as const;
  const refusals = [
    { ...usual, types, requestId: "req_acme", reason: "type", keyId: key },
    { ...usual, types, requestId: "req_nobody", reason: "unknown", keyId: null },
  ] as const;
  const batch = { source: "src_1", number: 1, counts: [], callers: [], refusals };
  await world.store.recordUsage([batch], world.clock.nowMs);
}

function filled(to: string, by: Record<string, string>): string {
  return to.replace(/\{\w+\}/, (name) => by[name] ?? "");
}

async function everything(): Promise<unknown> {
  const { db } = world;
  return [
    await db.selectFrom("account").selectAll().execute(),
    await db.selectFrom("environment").selectAll().execute(),
    await db.selectFrom("api_key").selectAll().execute(),
    await db.selectFrom("member").selectAll().execute(),
    await db.selectFrom("invitation").selectAll().execute(),
    // When they were last used is no change that needs leave.
    await db.selectFrom("access_token").select(["id", "deleted_at"]).execute(),
  ];
}

function send(sample: Sample, headers: Record<string, string>, token?: string): Promise<Heard> {
  return world.call(filled(sample.to, right()), {
    headers,
    ...(token === undefined ? {} : { token }),
    ...(sample.body === undefined ? {} : { body: sample.body }),
  });
}

/** The token that opens a sample's door. */
function tokenFor(sample: Sample): string {
  if ([...OF_OPERATOR, ...OF_OPERATOR_IN_PERSON].includes(sample)) return world.tokens.operator;
  if (OF_VERIFIER.includes(sample)) return world.tokens.verifier;
  return world.acme.serviceToken;
}

function expectProblem(heard: Heard, status: number, code: string): void {
  expect(heard.body).toEqual({
    code,
    message: expect.any(String),
    status,
    type: expect.stringMatching(/^(authentication|invalid_request)_error$/),
    request_id: expect.stringMatching(/^req_/),
  });
  expect(heard.status).toBe(status);
  expect(heard.headers.get("X-Request-Id")).toBe(heard.body.request_id);
  expect(heard.headers.get("Cache-Control")).toBe("no-store");
  expect(heard.headers.get("WWW-Authenticate")).toBe(status === 401 ? "Bearer" : null);
}

/** An answer without what differs in every answer. */
function withoutId(heard: Heard): string {
  return `${heard.status} ${heard.text.replace(/req_\d+/, "")}`;
}

test("every route is in the table above", () => {
  const routes = managementRoutes(world.deps).map(({ method, path }) => `${method} ${path}`);
  expect(routes.sort()).toEqual(ALL.map(({ route }) => route).sort());
});

describe.each(WITH_TOKEN)("$route", (sample) => {
  test("opens for its own token", async () => {
    const heard = await send(sample, {}, tokenFor(sample));
    expect(heard.status, heard.text).toBe(sample.status);
    expect(heard.headers.get("X-Request-Id")).toMatch(/^req_/);
    expect(heard.headers.get("Cache-Control")).toBe("no-store");
  });

  test("asks for credentials", async () => {
    for (const Authorization of [undefined, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b"]) {
      const headers: Record<string, string> = Authorization === undefined ? {} : { Authorization };
      expectProblem(await send(sample, headers), 401, "authentication_required");
    }
    expect(await everything()).toEqual(before);
  });

  test("refuses other kinds of tokens, and what cannot be a token, without a look-up", async () => {
    const { acme, tokens } = world;
    const wrong = [acme.secretKey, acme.publicKey, acme.serviceToken, ...Object.values(tokens)];
    const lookUps = world.lookUps();
    for (const token of wrong.filter((one) => one.slice(0, 2) !== tokenFor(sample).slice(0, 2)))
      expectProblem(await send(sample, {}, token), 401, "incorrect_token_type");
    const good = tokenFor(sample);
    const last = good.endsWith("0") ? "1" : "0";
    for (const token of ["nonsense", `${good.slice(0, -1)}${last}`, `${good}x`, "é", "sk_", "%00"])
      expectProblem(await send(sample, {}, token), 401, "invalid_token");
    expect(world.lookUps()).toBe(lookUps);
    expect(await everything()).toEqual(before);
  });

  test("refuses a token that never was", async () => {
    const prefix = parseToken(tokenFor(sample))?.prefix ?? "st";
    const { token } = tokenMaker(randomBytes, null)(prefix);
    expectProblem(await send(sample, {}, token), 401, "invalid_token");
    expect(await everything()).toEqual(before);
  });

  test("does not look at the cookie when there is a token", async () => {
    const { acme } = world;
    const headers = world.browser(acme.people.owner.cookie, acme.slug);
    expectProblem(await send(sample, headers, "nonsense"), 401, "invalid_token");
    expect(await everything()).toEqual(before);
    const foreign = { ...headers, Origin: "https://evil.example", "Latchkey-Account": "rival" };
    expect((await send(sample, foreign, tokenFor(sample))).status).toBe(sample.status);
  });
});

describe.each([...OF_PROGRAM, ...OF_OPERATOR, ...OF_VERIFIER])("$route", (sample) => {
  test("does not open for a session", async () => {
    const headers = world.browser(world.acme.people.owner.cookie, "acme");
    expectProblem(await send(sample, headers), 401, "authentication_required");
    expect(await everything()).toEqual(before);
  });
});

describe.each(OF_OPERATOR)("$route", (sample) => {
  test("does not open for the operator's session either", async () => {
    const headers = world.browser(world.operator.cookie, "first");
    expectProblem(await send(sample, headers), 401, "authentication_required");
    expect(await everything()).toEqual(before);
  });
});

describe.each(OF_OPERATOR_IN_PERSON)("$route, in person", (sample) => {
  /** Headers of the operator's browser, on a page of no account. */
  const operators = () => {
    const { "Latchkey-Account": _, ...headers } = world.browser(world.operator.cookie, "");
    return headers;
  };

  test("opens for the operator's session, which need name no account", async () => {
    const heard = await send(sample, operators());
    expect(heard.status, heard.text).toBe(sample.status);
  });

  test("is closed to every other person, and says nothing of what is there", async () => {
    for (const { cookie } of Object.values(world.acme.people))
      for (const account of ["acme", "first", "nobody"]) {
        const headers = world.browser(cookie, account);
        const heard = await send(sample, headers);
        expectProblem(heard, 403, "access_denied");
        const absent = { ...sample, to: filled(sample.to, ABSENT) };
        expect(withoutId(await send(absent, headers))).toBe(withoutId(heard));
      }
    expect(await everything()).toEqual(before);
  });

  test("reads who is the operator anew for each request", async () => {
    await world.db.updateTable("person").set({ operator: 0 }).execute();
    expectProblem(await send(sample, operators()), 403, "access_denied");
    expect(await everything()).toEqual(before);
  });

  test("refuses an ended session", async () => {
    const headers = world.browser("session=ended", "first");
    expectProblem(await send(sample, headers), 401, "authentication_required");
    expect(await everything()).toEqual(before);
  });

  test("takes a change by cookie from our own pages only", async () => {
    const { Origin: _, ...headers } = operators();
    const foreign = ["https://evil.example", "null", "http://127.0.0.1:4401", "http://127.0.0.1"];
    for (const extra of [{}, ...foreign.map((Origin) => ({ Origin }))]) {
      const heard = await send(sample, { ...headers, ...extra });
      if (sample.to.startsWith("GET")) expect(heard.status).toBe(sample.status);
      else expectProblem(heard, 403, "access_denied");
    }
    expect(await everything()).toEqual(before);
  });

  test("is closed to an operator token that was deleted", async () => {
    const made = await world.call("POST /v1/tokens", {
      headers: operators(),
      body: { kind: "operator", name: "Short" },
    });
    await world.call(`DELETE /v1/tokens/${made.body.id}`, { headers: operators() });
    before = await everything();
    expectProblem(await send(sample, {}, made.body.token), 401, "invalid_token");
    expectProblem(await send(sample, operators(), made.body.token), 401, "invalid_token");
    expect(await everything()).toEqual(before);
  });
});

describe.each(OF_SESSION)("$route", (sample) => {
  test("opens for everybody who is signed in, and for nobody else", async () => {
    const everybodys = world.browser(world.acme.people.support.cookie, "");
    expect((await send(sample, everybodys)).status).toBe(sample.status);
    before = await everything();
    const headers = world.browser("session=ended", "acme");
    expectProblem(await send(sample, headers), 401, "authentication_required");
    expectProblem(await send(sample, {}), 401, "authentication_required");
    for (const token of [world.acme.serviceToken, ...Object.values(world.tokens)])
      expectProblem(await send(sample, headers, token), 401, "incorrect_token_type");
    expect(await everything()).toEqual(before);
  });

  test("takes a change by cookie from our own pages only", async () => {
    const { Origin: _, ...headers } = world.browser(world.operator.cookie, "");
    const foreign = ["https://evil.example", "null", "http://127.0.0.1:4401", "http://127.0.0.1"];
    for (const extra of [{}, ...foreign.map((Origin) => ({ Origin }))]) {
      const heard = await send(sample, { ...headers, ...extra });
      if (sample.to.startsWith("GET")) expect(heard.status).toBe(sample.status);
      else expectProblem(heard, 403, "access_denied");
    }
    expect(await everything()).toEqual(before);
  });
});

describe.each(OF_OWNER)("$route", (sample) => {
  test("does not open for a service token, nor for a token of another kind", async () => {
    const { serviceToken, secretKey } = world.acme;
    expectProblem(await send(sample, {}, serviceToken), 403, "access_denied");
    for (const token of [secretKey, ...Object.values(world.tokens)])
      expectProblem(await send(sample, {}, token), 401, "incorrect_token_type");
    expectProblem(await send(sample, {}), 401, "authentication_required");
    expect(await everything()).toEqual(before);
  });
});

describe.each([...OF_ACCOUNT, ...OF_OWNER])("$route, within an account", (sample) => {
  const { roles = [] } = sample;
  test.each(roles)("opens for the role %s", async (role) => {
    const heard = await send(sample, world.browser(world.acme.people[role].cookie, "acme"));
    expect(heard.status, heard.text).toBe(sample.status);
  });

  test("is closed to every other role, and says nothing of what is there", async () => {
    for (const role of EVERYBODY.filter((one) => !roles.includes(one))) {
      const headers = world.browser(world.acme.people[role].cookie, "acme");
      const heard = await send(sample, headers);
      expectProblem(heard, 403, "access_denied");
      const absent = { ...sample, to: filled(sample.to, ABSENT) };
      expect(withoutId(await send(absent, headers))).toBe(withoutId(heard));
    }
    expect(await everything()).toEqual(before);
  });

  test("needs a session to name its account, and to be a member of it", async () => {
    const { cookie } = world.acme.people.owner;
    const { "Latchkey-Account": _, ...nameless } = world.browser(cookie, "acme");
    expectProblem(await send(sample, nameless), 400, "invalid_request");
    const answers = [];
    for (const account of ["rival", "nobody", "", "Acme", "acme/../rival", "a".repeat(300), "é"]) {
      const heard = await send(sample, world.browser(cookie, account));
      expectProblem(heard, 404, "resource_missing");
      answers.push(withoutId(heard));
    }
    expect(new Set(answers).size).toBe(1);
    expect(await everything()).toEqual(before);
  });

  test("reads the membership anew for each request", async () => {
    const { id, cookie } = world.acme.people.owner;
    await world.db.deleteFrom("member").where("person_id", "=", id).execute();
    expectProblem(await send(sample, world.browser(cookie, "acme")), 404, "resource_missing");
  });

  test("refuses an ended session", async () => {
    const headers = world.browser("session=ended", "acme");
    expectProblem(await send(sample, headers), 401, "authentication_required");
  });

  test("takes a change by cookie from our own pages only", async () => {
    const { Origin: _, ...headers } = world.browser(world.acme.people.owner.cookie, "acme");
    const foreign = ["https://evil.example", "null", "http://127.0.0.1:4401", "http://127.0.0.1"];
    for (const extra of [{}, ...foreign.map((Origin) => ({ Origin }))]) {
      const heard = await send(sample, { ...headers, ...extra });
      if (sample.to.startsWith("GET")) expect(heard.status).toBe(sample.status);
      else expectProblem(heard, 403, "access_denied");
    }
    expect(await everything()).toEqual(before);
  });

  test("ends with its account", async () => {
    await world.call("DELETE /v1/accounts/acme", { token: world.tokens.operator });
    expectProblem(await send(sample, {}, world.acme.serviceToken), 401, "invalid_token");
    const headers = world.browser(world.acme.people.owner.cookie, "acme");
    expectProblem(await send(sample, headers), 404, "resource_missing");
  });
});

describe("what belongs to another account", () => {
  test("answers like what is not there, byte for byte", async () => {
    const token = world.rival.serviceToken;
    const made = { name: "Secret plan", slug: "secret-plan" };
    await world.call("POST /v1/environments", { token: world.acme.serviceToken, body: made });
    before = await everything();
    const pairs: [Sample["to"], string, string, object?][] = [
      ["GET /v1/api_keys/{}", key, `key_${"0".repeat(32)}`],
      ["GET /v1/api_keys/{}/usage", key, `key_${"0".repeat(32)}`],
      ["GET /v1/api_keys/{}/usage?format=csv", key, `key_${"0".repeat(32)}`],
      ["GET /v1/usage?environment={}", "secret-plan", "no-such-plan"],
      ["GET /v1/usage?format=csv&environment={}", "secret-plan", "no-such-plan"],
      ["GET /v1/refusals/{}", "req_acme", "req_absent"],
      ["GET /v1/refusals/{}", "req_nobody", "req_absent"],
      ["GET /v1/refusals?environment={}", "secret-plan", "no-such-plan"],
      ["GET /v1/refusals?after={}", "req_acme", "req_absent"],
      ["PATCH /v1/api_keys/{}", key, `key_${"0".repeat(32)}`, { description: "mine" }],
      ["PATCH /v1/api_keys/{}", key, `key_${"0".repeat(32)}`, { expires_at: null }],
      ["POST /v1/api_keys/{}/revoke", key, `key_${"0".repeat(32)}`, {}],
      ["POST /v1/api_keys/{}/rotate", key, `key_${"0".repeat(32)}`, { overlap_seconds: 0 }],
      ["GET /v1/members/{}", memberId, ABSENT["{member}"] ?? ""],
      ["GET /v1/members?after={}", memberId, ABSENT["{member}"] ?? ""],
      ["PATCH /v1/members/{}", memberId, ABSENT["{member}"] ?? "", { role: "admin" }],
      ["DELETE /v1/members/{}", memberId, ABSENT["{member}"] ?? ""],
      ["GET /v1/invitations?after={}", invitationId, ABSENT["{invitation}"] ?? ""],
      ["POST /v1/invitations/{}/send", invitationId, ABSENT["{invitation}"] ?? "", {}],
      ["DELETE /v1/invitations/{}", invitationId, ABSENT["{invitation}"] ?? ""],
      ["PATCH /v1/environments/{}", "secret-plan", "no-such-plan", { name: "mine" }],
      ["DELETE /v1/environments/{}", "secret-plan", "no-such-plan"],
      ["GET /v1/api_keys?environment={}", "secret-plan", "no-such-plan"],
      ["POST /v1/api_keys?environment={}", "secret-plan", "no-such-plan", { type: "secret" }],
      ["GET /v1/api_keys?environment=production&after={}", key, `key_${"0".repeat(32)}`],
    ];
    for (const [to, theirs, nobodys, body] of pairs) {
      const said = { token, ...(body === undefined ? {} : { body }) };
      const taken = await world.call(to.replace("{}", theirs), said);
      expect(taken.status).toBe(to.includes("after") ? 422 : 404);
      expect(withoutId(await world.call(to.replace("{}", nobodys), said))).toBe(withoutId(taken));
    }
    expect(await everything()).toEqual(before);
  });

  test("is in no list", async () => {
    const token = world.rival.serviceToken;
    const keys = await world.call(`GET ${KEYS}&status=all`, { token });
    expect(keys.body.entries).toHaveLength(2);
    expect(keys.text).not.toContain(key);
    const environments = await world.call("GET /v1/environments", { token });
    expect(environments.body.entries).toHaveLength(2);
    expect(environments.text).not.toMatch(/public_key|secret_key|pk_|sk_/);
    const refusals = await world.call("GET /v1/refusals", { token });
    expect(refusals.body.entries).toEqual([]);
  });

  test("does not show a key in the list of another environment", async () => {
    const token = world.acme.serviceToken;
    const listed = await world.call("GET /v1/api_keys?environment=production", { token });
    expect(listed.body.entries).toHaveLength(2);
    expect(listed.text).not.toContain(key);
  });
});

describe("GET /v1/me", () => {
  test("tells a session its accounts and nothing of others", async () => {
    const heard = await world.call("GET /v1/me", {
      headers: { Cookie: world.acme.people.member.cookie },
    });
    const { id, name } = { id: world.acme.people.member.id, name: "member" };
    expect(heard.body).toEqual({
      person: { id, name, email: "member@acme.example", two_factor: false, confined: false },
      operator: false,
      sign_up: "open",
      accounts: [
        {
          id: world.acme.id,
          slug: "acme",
          name: "ACME",
          role: "member",
          permissions: ["account:read", "keys:read", "environments:read", "members:read"],
          two_factor_required: false,
        },
      ],
    });
  });

  test("tells the operator from everybody else", async () => {
    const ask = async (cookie: string) =>
      (await world.call("GET /v1/me", { headers: { Cookie: cookie } })).body.operator;
    expect(await ask(world.operator.cookie)).toBe(true);
    for (const { cookie } of Object.values(world.acme.people))
      expect(await ask(cookie)).toBe(false);
  });

  test("is for sessions only", async () => {
    expectProblem(await world.call("GET /v1/me"), 401, "authentication_required");
    const lookUps = world.lookUps();
    const { cookie } = world.acme.people.owner;
    const { serviceToken, secretKey } = world.acme;
    for (const token of [serviceToken, secretKey, ...Object.values(world.tokens)]) {
      const heard = await world.call("GET /v1/me", { token, headers: { Cookie: cookie } });
      expectProblem(heard, 401, "incorrect_token_type");
    }
    const heard = await world.call("GET /v1/me", { token: "x", headers: { Cookie: cookie } });
    expectProblem(heard, 401, "invalid_token");
    expect(world.lookUps()).toBe(lookUps);
  });
});
