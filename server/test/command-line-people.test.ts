import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type FirstAccount,
  OWNER,
  type RealServer,
  setUp,
  startLatchkey,
  startServer,
  temporaryFolder,
} from "./real-server.ts";

let server: RealServer;
let first: FirstAccount;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  first = await setUp({ dataFolder: folder.path });
  server = await startServer({ dataFolder: folder.path });
});
afterAll(async () => {
  await server?.end();
  await folder?.remove();
});

async function latchkey(...args: string[]) {
  const env = { LATCHKEY_URL: server.url, LATCHKEY_OPERATOR_TOKEN: first.operator_token };
  const child = startLatchkey(args, env);
  const { code } = await child.ended;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

async function post(path: string, body: object): Promise<Response> {
  return fetch(server.url + path, {
    method: "POST",
    headers: { Origin: server.url, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

const secretOf = (text: string) => /#(\S+)/.exec(text)?.[1] ?? "";

test("a link for a new password is printed alone, and works once", async () => {
  const made = await latchkey("people", "reset-password", OWNER.email);
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
  const { email } = OWNER;
  expect((await post("/auth/sign-in/email", { email, password })).status).toBe(200);
  const old = { email, password: OWNER.password };
  expect((await post("/auth/sign-in/email", old)).status).toBe(401);
});

test("there is no link for an address that nobody has", async () => {
  const made = await latchkey("people", "reset-password", "nobody@example.com");
  expect([made.code === 0, made.stdout]).toEqual([false, ""]);
  expect(made.stderr).toContain("There is no such person.");
});

test("a sign-in link is printed, as text and as JSON, and lets somebody in", async () => {
  const asked = ["accounts", "sign-in-link", "acme", "--email", "grace@acme.example"];
  const made = await latchkey(...asked, "--role", "member", "--name", "Grace", "--json");
  const link = JSON.parse(made.stdout);
  expect(Object.keys(link).sort()).toEqual(["expires_at", "id", "url"]);
  const opened = await post("/v1/sign_in_links/open", { secret: secretOf(link.url) });
  expect([opened.status, await opened.json()]).toEqual([200, { account: { slug: "acme" } }]);
  const cookie = opened.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const me = await fetch(`${server.url}/v1/me`, { headers: { Cookie: cookie } });
  expect(await me.json()).toMatchObject({ person: { name: "Grace", confined: true } });
  expect((await latchkey(...asked, "--role", "member")).stdout).toMatch(/\/sign-in-link#\S{32}\n$/);
  expect((await latchkey(...asked)).code).not.toBe(0);
  expect((await latchkey(...asked, "--role", "king")).code).not.toBe(0);
});
