import { ApiError, type Client, createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, expectTypeOf, test } from "vitest";

import { OWNER, startServer, temporaryFolder } from "./real-server.ts";
import { startTestService } from "./service.ts";
import { openTcpLink, type TcpLink } from "./tcp-link.ts";

let service: Awaited<ReturnType<typeof startTestService>>;
let link: TcpLink;
let account: Client;
let operator: Client;
let verifier: Client;

beforeAll(async () => {
  service = await startTestService();
  link = await openTcpLink(Number(new URL(service.url).port));
  const { service_token, operator_token, verifier_token } = service.provisioned;
  const by = (token: string | undefined) => createClient({ url: service.url, token });
  [account, operator, verifier] = [by(service_token), by(operator_token), by(verifier_token)];
});
afterAll(async () => {
  await link?.close();
  await service?.close();
});

/** The same as {@link account}, over a link that can lose an answer. */
const overLossyLink = () =>
  createClient({
    url: `http://127.0.0.1:${link.port}`,
    token: service.provisioned.service_token,
  });

async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw new Error("not an ApiError", { cause: error });
}

/** Keeps cookies as a browser does, and says that it is the dashboard's own page. */
function browserFetch(origin: string): typeof fetch {
  const cookies = new Map<string, string>();
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("Origin", origin);
    headers.set("Cookie", [...cookies].map((pair) => pair.join("=")).join("; "));
    const response = await fetch(input, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    return response;
  };
}

async function collect<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

test("a key lives its whole life through the client", async () => {
  const { apiKeys } = account;
  const issued = await apiKeys.create("production", {
    type: "secret",
    description: "Billing",
    metadata: { team: "billing" },
  });
  expectTypeOf(issued.api_key).toEqualTypeOf<string>();
  expect(issued).toMatchObject({ description: "Billing", environment: "production" });
  expect(issued).not.toHaveProperty("replayed");

  const { api_key: token, ...key } = issued;
  expect(await apiKeys.get(key.id)).toEqual(key);
  const edited = await apiKeys.update(key.id, { description: "Invoices" });
  expect(edited).toEqual({ ...key, description: "Invoices" });
  expect(
    await verifier.apiKeys.verify({ api_key: token, environment: "production" }),
  ).toMatchObject({
    valid: true,
    key_id: key.id,
    metadata: { team: "billing" },
  });
  const holder = createClient({ url: service.url, token });
  expect(await holder.whoami()).toMatchObject({ type: "api_key", key_id: key.id });

  const revoked = await apiKeys.revoke(key.id, { reason: "leaked" });
  expect(revoked).toMatchObject({ revoked_reason: "leaked", revocation: { state: "effective" } });
  const { revoked_at, revocation } = revoked;
  expect(await apiKeys.revoke(key.id)).toMatchObject({ revoked_at, revocation });
  expect(await verifier.apiKeys.verify({ api_key: token })).toMatchObject({
    valid: false,
    code: "api_key_missing",
    status: 401,
  });
  expect((await failureOf(holder.whoami())).code).toBe("api_key_missing");
});

test("a revocation that nobody waits for is recorded when the call returns", async () => {
  const { id } = await account.apiKeys.create("production", { type: "secret" });
  const recorded = await account.apiKeys.revoke(id, {}, { wait: false });
  expect(recorded.revoked_at).not.toBeNull();
});

test("keys are searched, listed by page and walked through to the last", async () => {
  await account.environments.create({ name: "Crowd", slug: "crowd" });
  const environment = "crowd";
  for (let count = 0; count < 5; count += 1)
    await account.apiKeys.create(environment, { type: "public", description: `Site ${count}` });
  const first = await account.apiKeys.list({ environment, q: "Site", page_size: 2 });
  expect(first.entries.map(({ description }) => description)).toEqual(["Site 4", "Site 3"]);
  const after = first.page_info.after ?? undefined;
  const next = await account.apiKeys.list({ environment, q: "Site", page_size: 2, after });
  expect(next.entries.map(({ description }) => description)).toEqual(["Site 2", "Site 1"]);
  const all = await collect(account.apiKeys.all({ environment, q: "Site" }));
  expect(all.map(({ description }) => description)).toEqual(
    [4, 3, 2, 1, 0].map((n) => `Site ${n}`),
  );
  expect(await collect(account.apiKeys.all({ environment, status: "revoked" }))).toEqual([]);
});

test("what becomes of a key is counted, and a refusal tells its owner the truth", async () => {
  const { apiKeys, usage, refusals } = account;
  const { id, api_key } = await apiKeys.create("production", { type: "secret", description: "=1" });
  const caller = { address: "203.0.113.7", user_agent: "their app" };
  expect((await verifier.apiKeys.verify({ api_key, caller })).valid).toBe(true);
  await apiKeys.revoke(id);
  const refused = await verifier.apiKeys.verify({ api_key });
  if (refused.valid) throw new Error("a revoked key was accepted");
  await expect
    .poll(async () => (await apiKeys.usage(id)).totals.last_24_hours, { timeout: 10_000 })
    .toEqual({ accepted: 1, refused: 1 });
  expect((await apiKeys.usage(id)).callers).toMatchObject([{ ...caller, count: 1 }]);
  const ask = { api_key_ids: [id], group_by: ["outcome"], granularity: "day" } as const;
  const { entries } = await usage.read(ask);
  expect(entries).toMatchObject([
    { outcome: "accepted", count: 1 },
    { outcome: "revoked", count: 1 },
  ]);
  const table = await usage.csv({ ...ask, group_by: ["key", "outcome"] });
  expect(table.split("\r\n")[1]).toMatch(new RegExp(`Z,${id},sk_….{4},'=1,accepted,1$`));
  expect(await apiKeys.usageCsv(id, { granularity: "day" })).toMatch(/,revoked,1\r\n$/);

  const truth = await refusals.get(refused.request_id);
  expect(truth).toMatchObject({ reason: "revoked", code: refused.code, api_key: { id } });
  expect(truth.explanation).toMatch(/^This API key was revoked on .* this request came /);
  const listed = await refusals.list({ api_key_id: id, environment: "production" });
  expect(listed.entries).toEqual([truth]);
  expect(await failureOf(operator.operatorRefusals.get(refused.request_id))).toMatchObject({
    code: "resource_missing",
  });

  const unknown = await verifier.apiKeys.verify({ api_key: "sk_nonsense" });
  if (unknown.valid) throw new Error("nonsense was accepted");
  await expect
    .poll(() => operator.operatorRefusals.get(unknown.request_id).catch(() => null), {
      timeout: 10_000,
    })
    .toMatchObject({ reason: "malformed", api_key: null });
  expect(await failureOf(refusals.get(unknown.request_id))).toMatchObject({ status: 404 });
});

test("an environment lives its whole life through the client", async () => {
  const { environments } = account;
  const made = await environments.create({ name: "Staging", slug: "staging" });
  expectTypeOf(made.secret_key).toEqualTypeOf<string>();
  const tokens = [made.secret_key, made.public_key];
  expect(tokens).toEqual([expect.stringMatching(/^sk_/), expect.stringMatching(/^pk_/)]);
  expect(await environments.rename("staging", { name: "Stage" })).toMatchObject({ name: "Stage" });
  const { entries } = await environments.list({ page_size: 1 });
  expect(entries.map(({ slug }) => slug)).toEqual(["staging"]);
  const { revocation } = await environments.delete("staging");
  expect(revocation.state).toBe("effective");
  const verdict = await verifier.apiKeys.verify({ api_key: made.secret_key, type: "any" });
  expect(verdict.valid).toBe(false);
  const slugs = (await collect(environments.all())).map(({ slug }) => slug);
  expect(slugs).toEqual(expect.arrayContaining(["development", "production"]));
  expect(slugs).not.toContain("staging");
  expect(await failureOf(environments.delete("staging"))).toMatchObject({ status: 404, tries: 1 });
});

test("an account lives its whole life through the client", async () => {
  const { accounts } = operator;
  const own = { idempotencyKey: "customer-81" };
  const draft = { name: "Globex", slug: "globex", external_id: "cus_81" };
  const made = await accounts.create(draft, own);
  const again = await accounts.create(draft, own);
  if (made.replayed) throw new Error("it was there already");
  expect(made.service_token).toMatch(/^st_/);
  const environments = made.environments.map(({ id, slug }) => ({ id, slug }));
  expect(again).toEqual({
    account: made.account,
    environments: expect.arrayContaining(environments),
    replayed: true,
  });

  const globex = createClient({ url: service.url, token: made.service_token });
  expect(await globex.whoami()).toMatchObject({ type: "service_token", account_slug: "globex" });
  const suspended = await accounts.update("globex", { suspended: true, external_id: null });
  expect(suspended).toMatchObject({ external_id: null, revocation: { state: "effective" } });
  expect(await accounts.update("globex", { suspended: false })).toMatchObject({
    suspended_at: null,
  });
  const slugs = ["globex", "acme"];
  expect((await collect(accounts.all())).map(({ slug }) => slug)).toEqual(slugs);
  expect((await accounts.list()).entries.map(({ slug }) => slug)).toEqual(slugs);
  expect((await accounts.delete("globex")).revocation.state).toBe("effective");
  expect((await accounts.list()).entries.map(({ slug }) => slug)).toEqual(["acme"]);
});

test("a session signs in, acts for the account that it names, and signs out", async () => {
  const session = createClient({
    url: service.url,
    account: "acme",
    fetch: browserFetch(service.url),
  });
  expect(await failureOf(session.me())).toMatchObject({ status: 401, tries: 1 });
  expect(
    await failureOf(session.signIn({ email: "ada@example.com", password: "wrong" })),
  ).toMatchObject({ code: "invalid_credentials" });
  await session.signIn({ email: "ada@example.com", password: "correct horse battery staple" });
  expect(await session.me()).toMatchObject({
    person: { name: "Ada" },
    accounts: [{ slug: "acme", role: "owner" }],
  });
  const { api_key } = await session.apiKeys.create("development", { type: "secret" });
  expect(api_key).toMatch(/^sk_/);
  await session.signOut();
  expect((await failureOf(session.me())).status).toBe(401);
});

test("what the server refuses comes as its code, its fields and its request id", async () => {
  const draft = { type: "secret", expires_at: "soon" } as const;
  const error = await failureOf(account.apiKeys.create("production", draft));
  expect(error).toMatchObject({ status: 422, code: "invalid_params", tries: 1 });
  expect(error.errors.map(({ field }) => field)).toEqual(["expires_at"]);
  expect(error.requestId).toMatch(/^req_/);
  expect((await failureOf(operator.apiKeys.get("key_1"))).code).toBe("incorrect_token_type");

  const own = { idempotencyKey: "order-1" };
  await account.apiKeys.create("production", { type: "secret" }, own);
  const other = account.apiKeys.create("production", { type: "public" }, own);
  expect((await failureOf(other)).code).toBe("idempotency_mismatch");
});

test("a creation whose answer is lost makes one key, is told as lost, and can be mended", async () => {
  const search = { environment: "production", q: "Lost once" };
  const draft = { type: "secret", description: "Lost once" } as const;
  link.loseAnswerTo("POST /v1/api_keys");
  const error = await failureOf(overLossyLink().apiKeys.create("production", draft));
  expect(error).toMatchObject({ code: "token_lost", status: 201, tries: 2 });
  const there = await collect(account.apiKeys.all(search));
  expect(there.map(({ id }) => id)).toEqual([error.createdId]);

  await account.apiKeys.revoke(error.createdId ?? "", { reason: "its token was lost" });
  const { api_key } = await account.apiKeys.create("production", draft);
  expect((await verifier.apiKeys.verify({ api_key })).valid).toBe(true);
});

test("a public key whose answer was lost can still be read", async () => {
  link.loseAnswerTo("POST /v1/api_keys");
  const error = await failureOf(overLossyLink().apiKeys.create("production", { type: "public" }));
  expect(error.code).toBe("token_lost");
  const { api_key } = await account.apiKeys.get(error.createdId ?? "");
  expect(api_key).toMatch(/^pk_/);
});

test("with a key of one's own, a lost answer is told as there already", async () => {
  const own = { idempotencyKey: "order-2" };
  link.loseAnswerTo("POST /v1/api_keys");
  const key = await overLossyLink().apiKeys.create("production", { type: "secret" }, own);
  expectTypeOf(key.api_key).toEqualTypeOf<string | undefined>();
  expect([key.replayed, "api_key" in key]).toEqual([true, false]);
  expect((await account.apiKeys.get(key.id)).id).toBe(key.id);
});

test("a revocation whose answer is lost is repeated, and the first one stands", async () => {
  const { id } = await account.apiKeys.create("production", { type: "secret" });
  link.loseAnswerTo(`${id}/revoke`);
  const revoked = await overLossyLink().apiKeys.revoke(id, { reason: "leaked" });
  expect(revoked).toMatchObject({ revoked_reason: "leaked", revocation: { state: "effective" } });
  expect((await account.apiKeys.get(id)).revoked_at).toBe(revoked.revoked_at);
});

test("a delete whose answer is lost has happened, and its repeat finds nothing there", async () => {
  await account.environments.create({ name: "Brief", slug: "brief" });
  link.loseAnswerTo("DELETE /v1/environments/brief");
  const error = await failureOf(overLossyLink().environments.delete("brief"));
  expect(error).toMatchObject({ status: 404, code: "resource_missing", tries: 2 });
});

test("set-up is done once, and never repeated by itself", async () => {
  const folder = await temporaryFolder();
  const server = await startServer({ dataFolder: folder.path });
  try {
    const secret = /\/setup#(\S+)/.exec(server.stdout())?.[1] ?? "";
    const visitor = createClient({ url: server.url, fetch: browserFetch(server.url) });
    expect(await visitor.setUpState()).toMatchObject({ state: "open" });
    const first = { ...OWNER, account: { name: "Acme" } };
    const wrong = await failureOf(visitor.setUp({ setup_secret: "no", ...first }));
    expect(wrong).toMatchObject({ code: "invalid_credentials", tries: 1 });
    const { operator_token } = await visitor.setUp({ setup_secret: secret, ...first });
    expect(operator_token).toMatch(/^ot_/);
    expect(await visitor.setUpState()).toMatchObject({ state: "done" });
    expect((await visitor.me()).person.email).toBe(OWNER.email);
    const again = visitor.setUp({ setup_secret: secret, ...first });
    expect(await failureOf(again)).toMatchObject({ code: "conflict", tries: 1 });
  } finally {
    await server.end();
    await folder.remove();
  }
});
