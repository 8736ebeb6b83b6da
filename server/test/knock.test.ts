import KnockMgmt, { APIError } from "@knocklabs/mgmt";
import { createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestService } from "./service.ts";

/*
 * Somebody else's client of the same interface, unchanged: what it sends is taken, and what it reads is there.
 * Where it wants more than we have (the order and the owner of an environment, one environment by its slug, `limit` for
 * the size of a page) it is told so by its own errors.
 */

let service: Awaited<ReturnType<typeof startTestService>>;
let knock: KnockMgmt;
beforeAll(async () => {
  service = await startTestService();
  knock = of(service.provisioned.service_token);
});
afterAll(() => service?.close());

const of = (serviceToken: string): KnockMgmt =>
  new KnockMgmt({ serviceToken, baseURL: service.url, maxRetries: 0, logLevel: "off" });

async function failureOf(call: PromiseLike<unknown>): Promise<APIError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof APIError) return error;
  throw new Error("not an APIError", { cause: error });
}

test("it exchanges a service token for a key that the platform's API accepts", async () => {
  const { api_key } = await knock.apiKeys.exchange({ environment: "production" });
  const accepted = await createClient({ url: service.url, token: api_key }).whoami();
  expect(accepted).toMatchObject({
    type: "api_key",
    key_type: "secret",
    environment: "production",
    account_slug: service.provisioned.account.slug,
  });
});

test("it reads who its token is", async () => {
  const { name, slug } = service.provisioned.account;
  expect(await knock.auth.verify()).toEqual({
    type: "service_token",
    account_name: name,
    account_slug: slug,
    service_token_name: "First token",
    account_features: {},
  });
});

test("it goes through all environments, page by page", async () => {
  const slugs: string[] = [];
  for await (const { slug, name, created_at } of knock.environments.list()) {
    expect([name, Date.parse(created_at)]).toEqual([expect.any(String), expect.any(Number)]);
    slugs.push(slug);
  }
  expect(slugs.sort()).toEqual(["development", "production"]);
  const { page_info } = await knock.environments.list();
  expect(page_info).toEqual({ after: null, before: null, page_size: 50 });
  const first = await knock.environments.list({}, { query: { page_size: 1 } });
  expect([first.entries.length, first.hasNextPage()]).toEqual([1, true]);
  const second = await first.getNextPage();
  expect([...first.entries, ...second.entries].map(({ slug }) => slug).sort()).toEqual(slugs);
});

test("its errors are ours, by status, code and words", async () => {
  const unknown = await failureOf(knock.apiKeys.exchange({ environment: "nowhere" }));
  expect([unknown.status, unknown.error]).toEqual([
    404,
    expect.objectContaining({
      code: "resource_missing",
      message: "There is no such environment.",
      type: "invalid_request_error",
    }),
  ]);
  const { api_key } = await knock.apiKeys.exchange({ environment: "production" });
  const wrongKind = await failureOf(of(api_key).apiKeys.exchange({ environment: "production" }));
  expect([wrongKind.status, wrongKind.error]).toEqual([
    401,
    expect.objectContaining({ code: "incorrect_token_type" }),
  ]);
});

test("what it was given ends with its token", async () => {
  const { serviceTokens } = createClient({
    url: service.url,
    token: service.provisioned.service_token,
  });
  const made = await serviceTokens.create({ name: "Knock" });
  const { api_key } = await of(made.token).apiKeys.exchange({ environment: "development" });
  await serviceTokens.delete(made.id);
  const refused = await failureOf(of(made.token).auth.verify());
  expect([refused.status, refused.error]).toEqual([
    401,
    expect.objectContaining({ code: "invalid_token" }),
  ]);
  const verdict = createClient({ url: service.url, token: api_key }).whoami();
  await expect(verdict).rejects.toMatchObject({ code: "api_key_missing" });
});

test("what we do not have it is told, and nothing is made up", async () => {
  expect((await failureOf(knock.environments.retrieve("production"))).status).toBe(405);
  const limited = await failureOf(knock.environments.list({ limit: 1 }));
  expect([limited.status, limited.error]).toEqual([
    422,
    expect.objectContaining({ errors: [expect.objectContaining({ field: "limit" })] }),
  ]);
});
