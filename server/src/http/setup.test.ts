import { randomBytes } from "node:crypto";
import { digestToken, Failure } from "@latchkey/sdk/core";
import { hashPassword } from "better-auth/crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ambientOf } from "../ambient.ts";
import { SETUP_LINK_MS, type SetupRules, setupRules } from "../domain/setup.ts";
import { tokenMaker } from "../domain/tokens.ts";
import { openLog } from "../log.ts";
import type { OpenStore } from "../store/kysely-store.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ownOriginRule } from "./origin.ts";
import { passwordHashes } from "./password-hashes.ts";
import { problemOf } from "./problem.ts";
import { type SetupRouteDeps, setupRoutes } from "./setup.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";

const ORIGIN = "http://127.0.0.1:4400";
const PASSWORD = "correct horse battery staple";
const START_MS = Date.now();

let open: OpenStore;
let nowMs = START_MS;
let logged = "";
let hashed = 0;
let rules: SetupRules;
let signIn: SignIn;
let deps: SetupRouteDeps;

beforeEach(async () => {
  nowMs = START_MS;
  logged = "";
  hashed = 0;
  const ambient = ambientOf({
    nowMs: () => nowMs,
    monoMs: () => performance.now(),
    randomBytes: (count) => randomBytes(count),
  });
  const logger = openLog("trace", {
    write: (line) => {
      logged += line;
    },
  });
  const ownOrigin = ownOriginRule(null);
  const secret = "0123456789abcdefghijklmnopqrstuv";
  open = await openSqlite(":memory:", { randomId: () => ambient.randomId("row") });
  signIn = createSignIn({
    store: open.store,
    db: open.db,
    passwords: passwordHashes(),
    ambient,
    logger,
    secret,
    publicUrl: null,
    ownOrigin,
  });
  rules = setupRules({
    store: open.store,
    ambient,
    makeToken: tokenMaker(ambient.randomBytes, null),
    hashPassword(password) {
      hashed += 1;
      return hashPassword(password);
    },
  });
  deps = { rules, signIn, ownOrigin, ambient, logger, settings: { signUpOpen: false, mail: null } };
});
afterEach(() => open.store.close());

/** One server's routes; the count of tries is theirs. */
function server(changed: Partial<SetupRouteDeps> = {}) {
  const routes = setupRoutes({ ...deps, ...changed });
  routes.onError((error) => {
    if (!(error instanceof Failure)) throw error;
    const problem = problemOf(error, "req_1");
    return Response.json(problem.body, { status: problem.status, headers: problem.headers });
  });
  return (
    secret: string | null,
    change: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) =>
    routes.fetch(
      new Request(`${ORIGIN}/v1/setup`, {
        method: "POST",
        headers: {
          Host: "127.0.0.1:4400",
          Origin: ORIGIN,
          "Content-Type": "application/json",
          ...headers,
        },
        body: JSON.stringify({
          ...(secret === null ? {} : { setup_secret: secret }),
          name: "Ada",
          email: "ada@example.com",
          password: PASSWORD,
          account: { name: "Acme" },
          ...change,
        }),
      }),
      { requestId: "req_1", address: "192.0.2.1", userAgent: "test" },
    );
}

async function openLink(): Promise<string> {
  const secret = await rules.openLink();
  if (secret === null) throw new Error("set-up is done");
  return secret;
}

async function state(): Promise<unknown> {
  const env = { requestId: "req_1", address: "192.0.2.1", userAgent: null };
  const response = await setupRoutes(deps).fetch(new Request(`${ORIGIN}/v1/setup`), env);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  return response.json();
}

test("the link makes the first account, shows every token once, and signs the browser in", async () => {
  const post = server();
  const secret = await openLink();
  expect(secret).toMatch(/^[\w-]{32}$/);
  expect(await state()).toEqual({ state: "open", sign_up: "invite", mail: false });

  const response = await post(secret);
  expect(response.status).toBe(201);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  const json = JSON.parse(await response.text());
  expect(json).toEqual({
    account: { id: expect.stringMatching(/^acc_/), name: "Acme", slug: "acme" },
    environments: ["development", "production"].map((slug) => ({
      id: expect.stringMatching(/^env_/),
      slug,
      public_key: expect.stringMatching(/^pk_/),
      secret_key: expect.stringMatching(/^sk_/),
    })),
    service_token: expect.stringMatching(/^st_/),
    verifier_token: expect.stringMatching(/^vt_/),
    operator_token: expect.stringMatching(/^ot_/),
  });
  for (const kind of ["service", "verifier", "operator"])
    expect(await open.store.findToken(digestToken(json[`${kind}_token`]))).toMatchObject({ kind });

  const cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  expect(await signIn.session(new Headers({ Cookie: cookie }))).toMatchObject({ name: "Ada" });
  expect(await state()).toEqual({ state: "done", sign_up: "invite", mail: false });
  expect(logged).not.toContain(secret);
  expect(logged).not.toContain(PASSWORD);
});

test("a link works once: of many at once one wins, and later ones learn that set-up is done", async () => {
  const secret = await openLink();
  const posts = Array.from({ length: 10 }, (_, i) =>
    server()(secret, { email: `person${i}@example.com` }),
  );
  const statuses = (await Promise.all(posts)).map(({ status }) => status).sort();
  expect(statuses).toEqual([201, ...Array(9).fill(409)]);

  hashed = 0;
  const late = await server()(secret);
  expect(late.status).toBe(409);
  expect(await late.text()).not.toMatch(/"(?:sk|pk|st|vt|ot)_/);
  expect(late.headers.getSetCookie()).toEqual([]);
  expect(hashed).toBe(0);
  expect(await rules.openLink()).toBeNull();
});

test("only the newest link works, for 30 minutes; the refusals say what to do", async () => {
  const post = server();
  const old = await openLink();
  const newest = await openLink();
  const refusedOld = await post(old);
  expect(refusedOld.status).toBe(401);
  expect(await refusedOld.json()).toMatchObject({
    code: "invalid_credentials",
    message: expect.stringContaining("newest one that the server printed"),
  });

  nowMs += SETUP_LINK_MS;
  const expired = await post(newest);
  expect(expired.status).toBe(401);
  expect(await expired.json()).toMatchObject({ message: expect.stringContaining("Restart") });
  expect(await state()).toEqual({ state: "open", sign_up: "invite", mail: false });

  const again = await openLink();
  nowMs += SETUP_LINK_MS - 1;
  expect((await post(again)).status).toBe(201);
});

test("a page of another site cannot use a link; a program without Origin can", async () => {
  const post = server();
  const secret = await openLink();
  for (const headers of [
    { Origin: "https://evil.example" },
    { Origin: "null" },
    { Host: "evil.example", Origin: "http://evil.example" },
  ])
    expect((await post(secret, {}, headers)).status).toBe(403);

  const routes = setupRoutes(deps);
  const body = {
    setup_secret: secret,
    name: "Ada",
    email: "ada@example.com",
    password: PASSWORD,
    account: { name: "Acme", slug: "first" },
  };
  const response = await routes.fetch(
    new Request(`${ORIGIN}/v1/setup`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
    { requestId: "req_1", address: "192.0.2.1", userAgent: null },
  );
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({ account: { slug: "first" } });
});

test.each([
  ["setup_secret", null, {}],
  ["password", "x", { password: "short" }],
  ["role", "x", { role: "owner" }],
  ["account.extra", "x", { account: { name: "Acme", extra: 1 } }],
])("a wrong %s is named, and no password is hashed", async (field, secret, change) => {
  const response = await server()(secret, change);
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({ errors: [{ field }] });
  expect(hashed).toBe(0);
});

test("one address has ten tries a minute", async () => {
  const post = server();
  const secret = await openLink();
  for (let i = 0; i < 10; i++) expect((await post(`guess ${i}`)).status).toBe(401);
  const refused = await post(secret);
  expect(refused.status).toBe(429);
  expect(refused.headers.get("Retry-After")).toBe("60");
  nowMs += 60_000;
  expect((await post(secret)).status).toBe(201);
});

test("the tokens are answered even when the session cannot begin", async () => {
  const post = server({ signIn: { begin: () => Promise.reject(new Error("no session")) } });
  const response = await post(await openLink());
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({ operator_token: expect.stringMatching(/^ot_/) });
  expect(response.headers.getSetCookie()).toEqual([]);
  expect(logged).toContain("signed up, but not signed in");
});

test("a visitor learns whether people sign up by themselves, and whether there is mail", async () => {
  const settings = { signUpOpen: true, mail: { smtpUrl: "smtp://u:secret@mail", from: "a@b.c" } };
  const env = { requestId: "req_1", address: "192.0.2.1", userAgent: null };
  const asked = new Request(`${ORIGIN}/v1/setup`);
  const response = await setupRoutes({ ...deps, settings }).fetch(asked, env);
  expect(await response.json()).toEqual({ state: "open", sign_up: "open", mail: true });
});
