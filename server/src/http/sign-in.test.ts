import { randomBytes } from "node:crypto";
import { Failure } from "@latchkey/sdk/core";
import { hashPassword } from "better-auth/crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Ambient, ambientOf } from "../ambient.ts";
import { setupRules } from "../domain/setup.ts";
import { tokenMaker } from "../domain/tokens.ts";
import { openLog } from "../log.ts";
import type { OpenStore } from "../store/kysely-store.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ownOriginRule } from "./origin.ts";
import { passwordHashes } from "./password-hashes.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";
import type { DoorDeps } from "./sign-in-door.ts";
import { openSignInLibrary } from "./sign-in-library.ts";

const ORIGIN = "http://127.0.0.1:4400";
const EMAIL = "ada@example.com";
const PASSWORD = "correct horse battery staple";
const START_MS = Date.now();

let open: OpenStore;
let nowMs = START_MS;
let logged = "";
let signIn: SignIn;
let callers = 0;

const ambient: Ambient = ambientOf({
  nowMs: () => nowMs,
  monoMs: () => performance.now(),
  randomBytes: (count) => randomBytes(count),
});

function deps(publicUrl: string | null): DoorDeps {
  const logger = openLog("trace", {
    write: (line) => {
      logged += line;
    },
  });
  const secret = `${"s".repeat(16)}1234567890abcdef`;
  const ownOrigin = ownOriginRule(publicUrl);
  const passwords = passwordHashes();
  return {
    store: open.store,
    db: open.db,
    passwords,
    ambient,
    logger,
    secret,
    publicUrl,
    ownOrigin,
  };
}

beforeEach(async () => {
  nowMs = START_MS;
  logged = "";
  open = await openSqlite(":memory:", { randomId: () => ambient.randomId("row") });
  const makeToken = tokenMaker(ambient.randomBytes, null);
  const rules = setupRules({ store: open.store, ambient, makeToken, hashPassword });
  const fields = { name: "Ada", email: EMAIL, password: PASSWORD, account: { name: "Acme" } };
  await rules.complete(fields, null, (actor) => ({
    actor,
    atMs: nowMs,
    eventId: ambient.sortableId("evt"),
    requestId: null,
    address: null,
    userAgent: null,
  }));
  signIn = createSignIn(deps(null));
});
afterEach(() => open.store.close());

interface Said {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  address?: string;
}

function ask(path: string, said: Said = {}, through = signIn): Promise<Response> {
  const { method = "POST", body, headers = {}, address } = said;
  callers += 1;
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    headers: {
      Host: "127.0.0.1:4400",
      Origin: ORIGIN,
      "Content-Type": "application/json",
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const from = address ?? `10.${callers >> 16}.${(callers >> 8) & 255}.${callers & 255}`;
  return through.handle(request, { requestId: `req_${callers}`, address: from, userAgent: "test" });
}

const enter = (said: Said = {}, password = PASSWORD, email = EMAIL) =>
  ask("/auth/sign-in/email", { body: { email, password }, ...said });

async function failure(answer: Promise<Response>): Promise<Failure> {
  const thrown: unknown = await answer.then(
    (response) => `answered ${response.status}`,
    (error: unknown) => error,
  );
  if (thrown instanceof Failure) return thrown;
  throw thrown;
}

const cookieOf = (response: Response) => response.headers.getSetCookie()[0]?.split(";")[0] ?? "";

test("the right password signs in; the token is in an HttpOnly cookie and nowhere else", async () => {
  const response = await enter({}, PASSWORD, "ADA@example.com");
  const text = await response.text();
  expect(JSON.parse(text)).toEqual({
    person: { id: expect.stringMatching(/^per_[0-9a-f]{32}$/), name: "Ada", email: EMAIL },
  });
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  expect(response.headers.getSetCookie()).toEqual([
    expect.stringMatching(
      /^latchkey\.session_token=[^;]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
    ),
  ]);
  const cookie = cookieOf(response);
  expect(text).not.toContain(decodeURIComponent(cookie).split(/[=.]/)[2]);
  expect(await signIn.session(new Headers({ Cookie: cookie }))).toMatchObject({ email: EMAIL });
});

test("behind https the cookie is Secure, and its name holds browsers to it", async () => {
  const publicUrl = "https://keys.example.com";
  const secured = createSignIn(deps(publicUrl));
  const body = { email: EMAIL, password: PASSWORD };
  const response = await ask(
    "/auth/sign-in/email",
    { body, headers: { Origin: publicUrl } },
    secured,
  );
  expect(response.headers.getSetCookie()[0]).toMatch(
    /^__Secure-latchkey\.session_token=[^;]+; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
});

test("a wrong password and an unknown address get the same answer, and neither is logged", async () => {
  const wrong = await failure(enter({}, "a wrong password"));
  const unknown = await failure(enter({}, "a wrong password", "eve@example.com"));
  expect([wrong.code, wrong.detail, wrong.errors]).toEqual([
    unknown.code,
    unknown.detail,
    unknown.errors,
  ]);
  expect(wrong.code).toBe("invalid_credentials");
  expect(logged).not.toContain("example.com");
  expect(logged).not.toContain("a wrong password");
});

test.each([
  [{}, ["email", "password"]],
  [{ email: EMAIL }, ["password"]],
  [{ email: "ada", password: PASSWORD }, ["email"]],
  [{ email: EMAIL, password: "x".repeat(129) }, ["password"]],
  [{ email: EMAIL, password: PASSWORD, callbackURL: "https://evil.example" }, ["callbackURL"]],
  [{ email: EMAIL, password: PASSWORD, rememberMe: false }, ["rememberMe"]],
])("a body of another shape is refused: %j", async (body, fields) => {
  const refused = await failure(ask("/auth/sign-in/email", { body }));
  expect(refused.code).toBe("invalid_params");
  expect(refused.errors.map(({ field }) => field)).toEqual(fields);
});

test("a body of more than 64 KiB is not read", async () => {
  const body = { email: EMAIL, password: "x".repeat(70_000) };
  expect((await failure(ask("/auth/sign-in/email", { body }))).code).toBe("payload_too_large");
});

test.each([
  { Origin: "https://evil.example" },
  { Origin: "null" },
  { Origin: "" },
  { Host: "evil.example:4400", Origin: "http://evil.example:4400" },
])("a request from elsewhere is refused: %j", async (headers) => {
  expect((await failure(enter({ headers }))).code).toBe("access_denied");
  expect((await failure(ask("/auth/sign-out", { body: {}, headers }))).code).toBe("access_denied");
});

test("one address has ten sign-ins a minute; headers it invents do not make it another", async () => {
  const address = "192.0.2.1";
  for (let i = 0; i < 10; i++) {
    const headers = { "X-Forwarded-For": `198.51.100.${i}`, "X-Latchkey-Caller": `203.0.113.${i}` };
    const email = `person${i}@example.com`;
    const refused = await failure(enter({ address, headers }, "a wrong password", email));
    expect(refused.code).toBe("invalid_credentials");
  }
  const headers = { "X-Forwarded-For": "198.51.100.99", "X-Latchkey-Caller": "203.0.113.99" };
  const refused = await failure(enter({ address, headers }));
  expect(refused.code).toBe("rate_limited");
  expect(refused.retryAfterSeconds).toBe(60);
  expect((await enter({ address: "192.0.2.2" })).status).toBe(200);
  nowMs += 60_000;
  expect((await enter({ address })).status).toBe(200);
});

test("a guesser who rotates addresses gets ten guesses for one person, many at once or not", async () => {
  const codes = await Promise.all(
    Array.from({ length: 14 }, async () => (await failure(enter({}, "a wrong password"))).code),
  );
  expect(codes.filter((code) => code === "invalid_credentials")).toHaveLength(10);
  const refused = await failure(enter());
  expect(refused.code).toBe("rate_limited");
  expect(refused.retryAfterSeconds).toBeGreaterThan(800);
  nowMs += 15 * 60_000;
  expect((await enter()).status).toBe(200);
});

test("signing in rightly forgets the wrong guesses before it", async () => {
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 9; i++) await failure(enter({}, "a wrong password"));
    expect((await enter()).status).toBe(200);
  }
});

test("signing out ends the session at once, and clears the cookie", async () => {
  const cookie = cookieOf(await enter());
  const other = cookieOf(await enter());
  const response = await ask("/auth/sign-out", { body: {}, headers: { Cookie: cookie } });
  expect(response.status).toBe(200);
  expect(response.headers.getSetCookie()[0]).toMatch(/^latchkey\.session_token=; Max-Age=0;/);
  expect(await signIn.session(new Headers({ Cookie: cookie }))).toBeNull();
  expect(await signIn.session(new Headers({ Cookie: other }))).not.toBeNull();
});

test("a session that was there before signing in is not adopted", async () => {
  const planted = cookieOf(await enter());
  const fresh = cookieOf(await enter({ headers: { Cookie: planted } }));
  expect(fresh).not.toBe(planted);
  const made = `latchkey.session_token=${"a".repeat(32)}.${"b".repeat(43)}%3D`;
  expect(cookieOf(await enter({ headers: { Cookie: made } }))).not.toBe(made);
  expect(await signIn.session(new Headers({ Cookie: made }))).toBeNull();
});

test("a cookie whose signature is not ours is nobody", async () => {
  const cookie = cookieOf(await enter());
  const forged = cookie.replace(/\.[^.]+$/, `.${"A".repeat(43)}%3D`);
  expect(await signIn.session(new Headers({ Cookie: forged }))).toBeNull();
  expect(await signIn.session(new Headers())).toBeNull();
});

test("GET /auth/get-session tells who is signed in, or null", async () => {
  const cookie = cookieOf(await enter());
  const asked = { method: "GET", headers: { Cookie: cookie } };
  const response = await ask("/auth/get-session", asked);
  expect(await response.json()).toMatchObject({ person: { email: EMAIL } });
  expect(await (await ask("/auth/get-session", { method: "GET" })).json()).toBeNull();
});

test("of all the library's own routes those of the allow-list are open, and every other is not there", async () => {
  const { library } = openSignInLibrary(deps(null));
  const paths = Object.values(library.api).flatMap((endpoint) =>
    "path" in endpoint && typeof endpoint.path === "string" ? [endpoint.path] : [],
  );
  expect(paths.length).toBeGreaterThan(25);
  const open: string[] = [];
  for (const path of [...paths, "", "/", "/sign-in", "/sign-in/email/", "/constructor"]) {
    const at = `/auth${path.replaceAll(/:\w+/g, "x")}`;
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      const answer = await ask(at, { method, ...(method === "GET" ? {} : { body: {} }) }).catch(
        (error: unknown) => error,
      );
      if (answer instanceof Failure && answer.code === "resource_missing") continue;
      open.push(path);
    }
  }
  expect([...new Set(open)].sort()).toEqual([
    "/change-password",
    "/get-session",
    "/list-sessions",
    "/request-password-reset",
    "/reset-password",
    "/revoke-other-sessions",
    "/revoke-session",
    "/sign-in/email",
    "/sign-out",
    "/two-factor/disable",
    "/two-factor/enable",
    "/two-factor/generate-backup-codes",
    "/two-factor/verify-backup-code",
    "/two-factor/verify-totp",
    "/update-user",
  ]);
});

test("where sign-up is open and mail is sent, two more are", async () => {
  const mails = {
    resetPassword() {},
    confirmAddress() {},
    signedUpAgain() {},
    signedUpUnproved() {},
  };
  const wide = createSignIn({ ...deps(null), signUpOpen: true, mails });
  const { library } = openSignInLibrary({ ...deps(null), signUpOpen: true, mails });
  const paths = Object.values(library.api).flatMap((endpoint) =>
    "path" in endpoint && typeof endpoint.path === "string" ? [endpoint.path] : [],
  );
  const isThere = async (path: string, through: SignIn) =>
    (
      await failure(
        ask(`/auth${path.replaceAll(/:\w+/g, "x")}`, { method: "PUT", body: {} }, through),
      )
    ).code !== "resource_missing";
  const more: string[] = [];
  for (const path of paths)
    if ((await isThere(path, wide)) && !(await isThere(path, signIn))) more.push(path);
  expect(more.sort()).toEqual(["/sign-up/email", "/verify-email"]);
});

test("nobody can sign up through the library, even where no route stands before it", async () => {
  const { library } = openSignInLibrary(deps(null));
  const body = { name: "Eve", email: "eve@example.com", password: PASSWORD };
  await expect(library.api.signUpEmail({ body })).rejects.toThrow(/not enabled/i);
});
