import { afterAll, beforeAll, expect, test } from "vitest";
import { latchkey } from "./command-line.ts";
import { secretOf, visit } from "./http/visitor.ts";
import { startTestService } from "./service.ts";

const EMAIL = "ada@example.com";
const PASSWORD = "correct horse battery staple";

let service: Awaited<ReturnType<typeof startTestService>>;
let env: Record<string, string>;
beforeAll(async () => {
  service = await startTestService();
  env = {
    LATCHKEY_URL: service.url,
    LATCHKEY_OPERATOR_TOKEN: service.provisioned.operator_token ?? "",
  };
});
afterAll(() => service.close());

const run = (...args: string[]) => latchkey(args, { env });
const post = (path: string, body: object) => visit(service.url).call(`POST ${path}`, body);

test("a link for a new password is printed alone, and works once", async () => {
  const made = await run("people", "reset-password", EMAIL);
  expect([made.code, made.stdout]).toEqual([
    0,
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/reset-password#[\w-]{32}\n$/),
  ]);
  expect(made.stderr).toMatch(/^It works once, until \d{4}-/);
  expect(made.stderr).not.toContain(secretOf(made.stdout));
  const password = "another horse, another battery";
  const body = { token: secretOf(made.stdout), password };
  expect((await post("/auth/reset-password", body)).status).toBe(200);
  expect((await post("/auth/reset-password", body)).status).toBe(401);
  expect((await post("/auth/sign-in/email", { email: EMAIL, password })).status).toBe(200);
  const old = { email: EMAIL, password: PASSWORD };
  expect((await post("/auth/sign-in/email", old)).status).toBe(401);
});

test("there is no link for an address that nobody has", async () => {
  const made = await run("people", "reset-password", "nobody@example.com");
  expect([made.code === 0, made.stdout]).toEqual([false, ""]);
  expect(made.stderr).toContain("There is no such person.");
});

test("a sign-in link is printed, as text and as JSON, and lets somebody in", async () => {
  const asked = ["accounts", "sign-in-link", "acme", "--email", "grace@acme.example"];
  const made = await run(...asked, "--role", "member", "--name", "Grace", "--json");
  const link = JSON.parse(made.stdout);
  expect(Object.keys(link).sort()).toEqual(["expires_at", "id", "url"]);
  const grace = visit(service.url);
  const secret = secretOf(link.url);
  const opened = await grace.call("POST /v1/sign_in_links/open", { secret });
  expect([opened.status, opened.body]).toEqual([200, { account: { slug: "acme" } }]);
  const me = await grace.call("GET /v1/me");
  expect(me.body).toMatchObject({ person: { name: "Grace", confined: true } });
  expect((await run(...asked, "--role", "member")).stdout).toMatch(/\/sign-in-link#\S{32}\n$/);
  expect((await run(...asked)).code).not.toBe(0);
  expect((await run(...asked, "--role", "king")).code).not.toBe(0);
});
