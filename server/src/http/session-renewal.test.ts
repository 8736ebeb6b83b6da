import { randomBytes } from "node:crypto";
import { hashPassword } from "better-auth/crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ambientOf } from "../ambient.ts";
import { setupRules } from "../domain/setup.ts";
import { tokenMaker } from "../domain/tokens.ts";
import { openLog } from "../log.ts";
import type { OpenStore } from "../store/kysely-store.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ownOriginRule } from "./origin.ts";
import { passwordHashes } from "./password-hashes.ts";
import { renewSessions } from "./session-renewal.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";

const DAY_MS = 24 * 3600_000;
const CALLER = { requestId: "req_1", address: "192.0.2.1", userAgent: null };
const ambient = ambientOf({
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  randomBytes: (count) => randomBytes(count),
});
const logger = openLog("fatal", { write: () => {} });

let open: OpenStore;
let signIn: SignIn;
let cookie = "";

beforeEach(async () => {
  open = await openSqlite(":memory:", { randomId: () => ambient.randomId("row") });
  const ownOrigin = ownOriginRule(null);
  const secret = "0123456789abcdefghijklmnopqrstuv";
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
  const makeToken = tokenMaker(ambient.randomBytes, null);
  const rules = setupRules({ store: open.store, ambient, makeToken, hashPassword });
  const person = { email: "ada@example.com", password: "correct horse battery staple" };
  await rules.complete({ ...person, name: "Ada", account: { name: "Acme" } }, null, (actor) => ({
    actor,
    atMs: Date.now(),
    eventId: ambient.sortableId("evt"),
    requestId: null,
    address: null,
    userAgent: null,
  }));
  cookie = (await signIn.begin(person, CALLER)).cookies[0]?.split(";")[0] ?? "";
});
afterEach(() => open.store.close());

/** Lets the session be one that ends so many days from now. */
async function endsInDays(days: number): Promise<void> {
  const expires_at = new Date(Date.now() + days * DAY_MS).toISOString();
  await open.db.updateTable("session").set({ expires_at }).execute();
}

/** The cookies that an answer of the API sets. */
async function cookiesOf(path: string, status = 200): Promise<string[]> {
  const app = { fetch: () => Promise.resolve(new Response(null, { status })) };
  const request = new Request(`http://127.0.0.1:4400${path}`, { headers: { Cookie: cookie } });
  const response = await renewSessions(app, { signIn, logger }).fetch(request, CALLER);
  return response.headers.getSetCookie();
}

test("a session whose last use is a day old is renewed when the dashboard opens, cookie and all", async () => {
  await endsInDays(5);
  const [renewed, ...others] = await cookiesOf("/v1/me");
  expect(others).toEqual([]);
  expect(renewed).toContain(cookie);
  expect(renewed).toContain("Max-Age=604800");
  await endsInDays(6.5);
  expect(await cookiesOf("/v1/me")).toEqual([]);
});

test("no other route renews a session, nor one that refused", async () => {
  await endsInDays(5);
  expect(await cookiesOf("/v1/api_keys")).toEqual([]);
  expect(await cookiesOf("/v1/me", 401)).toEqual([]);
});

test("a session past its week is nobody's, and is not renewed", async () => {
  await endsInDays(-0.001);
  expect(await cookiesOf("/v1/me")).toEqual([]);
  expect(await signIn.session(new Headers({ Cookie: cookie }))).toBeNull();
});
