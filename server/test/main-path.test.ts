import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, watchPage } from "./browser.ts";
import { type Child, startChild, waitFor } from "./child.ts";
import { ask, findProxy, startProxy } from "./proxies.ts";
import { OWNER, startServer, temporaryFolder } from "./real-server.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let browser: Browser;
const children: Child[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  for (const child of children.reverse()) await child.end();
  await folder.remove();
});

/** The notes API of the examples, on a free port. */
async function startNotes(): Promise<number> {
  const notes = startChild(process.execPath, ["examples/notes-api.mjs"], {
    env: { PATH: process.env.PATH, PORT: "0" },
  });
  children.push(notes);
  return waitFor("the notes API", () => {
    const port = /127\.0\.0\.1:(\d+)/.exec(notes.stdout())?.[1];
    return port === undefined ? undefined : Number(port);
  });
}

test("from the printed link to the 401: set up, create a key, call an API with it, revoke it", async (context) => {
  const server = await startServer({ dataFolder: `${folder.path}/data` });
  children.push(server);
  const nginx = findProxy("nginx");
  if (nginx === undefined && process.env.LATCHKEY_REQUIRE_PROXIES === "1")
    throw new Error("nginx is required here, and not installed");
  if (nginx === undefined)
    await context.annotate("nginx is not installed: the key is tried without it");
  const api =
    nginx === undefined
      ? null
      : await startProxy(
          "nginx",
          { latchkey: server.port, api: await startNotes() },
          `${folder.path}/nginx`,
        );
  if (api !== null) children.push(api);
  const target = api === null ? `${server.url}/v1/authenticate` : `${api.url}/notes`;
  const call = (token: string) => ask(target, { headers: ["Authorization", `Bearer ${token}`] });

  const link = /http:\S+\/setup#\S+/.exec(server.stdout())?.[0] ?? "no link was printed";
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  const { complaints } = watchPage(page);
  const tokens = new Set<string>();
  const noteTokens = async (): Promise<void> => {
    for (const [secret] of (await page.content()).matchAll(/\b(?:sk|st|vt|ot)_[0-9A-Za-z]{36}\b/g))
      tokens.add(secret);
  };

  // The owner of an account, by the printed link.
  await page.goto(link);
  await page.getByLabel("Your name").fill(OWNER.name);
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password", { exact: true }).fill(OWNER.password);
  await page.getByLabel("Account name").fill("Acme Corp");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Your keys" }).waitFor();
  expect(page.url()).not.toContain("#");
  const first = await page
    .getByRole("group", { name: "Development secret key" })
    .locator("code")
    .textContent();
  await noteTokens();
  await page.getByText("Waiting for the first verification").waitFor();
  expect((await call(first ?? "")).status).toBe(200);
  await page.getByText("Received").waitFor();
  await page.getByLabel("I have saved these tokens in a safe place").check();
  await page.getByRole("button", { name: "Go to API keys" }).click();
  await page.waitForURL(`${server.url}/acme-corp/development/platform/api-keys`);

  // A secret key under Platform > API keys.
  await page.getByRole("link", { name: "API keys" }).waitFor();
  await page.getByRole("button", { name: "Create API key" }).click();
  const creating = page.getByRole("dialog");
  await creating.getByRole("radio", { name: "Secret" }).check();
  await creating.getByLabel("Description").fill("Billing worker");
  await creating.getByRole("button", { name: "Create" }).click();
  const token =
    (await creating.getByRole("group", { name: "Token" }).locator("code").textContent()) ?? "";
  expect(token).toMatch(/^sk_[0-9A-Za-z]{36}$/);
  await noteTokens();
  await creating.getByRole("button", { name: "Done" }).click();
  await creating.waitFor({ state: "hidden" });
  expect(await page.content()).not.toContain(token);

  // A real API takes it.
  expect((await call(token)).status).toBe(200);
  expect((await call(`${token.slice(0, -1)}0`)).status).toBe(401);

  // Revoked from its "…" menu.
  const row = page.getByRole("row", { name: "Billing worker" });
  await row.getByRole("button", { name: /^Actions for sk_/ }).click();
  await page.getByRole("menuitem", { name: "Revoke API key" }).click();
  const revoking = page.getByRole("dialog");
  await revoking.getByText(/^Last used/).waitFor();
  await revoking.getByLabel("Reason").fill("moved to another worker");
  await revoking.getByRole("button", { name: "Revoke API key" }).click();
  await revoking
    .getByText(/^Refused everywhere after \d+ ms: 1 of 1 verifier confirmed$/)
    .waitFor();

  // The next call gets 401, with a flat body.
  const refused = await call(token);
  expect(refused.status).toBe(401);
  expect(refused.headers["www-authenticate"]).toBe("Bearer");
  expect(JSON.parse(refused.body)).toEqual({
    code: "api_key_missing",
    message: "The API key you provided is invalid.",
    status: 401,
    type: "authentication_error",
    request_id: refused.headers["x-request-id"],
  });
  await revoking.getByRole("button", { name: "Done" }).click();
  await row.waitFor({ state: "hidden" });
  expect((await call(first ?? "")).status).toBe(200); // the other keys live on

  // Revoked keys are found under their filter, with who and why.
  await page.getByText("Revoked", { exact: true }).click();
  await page.getByRole("row", { name: /Billing worker.*Revoked/ }).waitFor();

  expect(complaints).toEqual([]);

  // No secret token that this run made is in a log, or in anything that is stored.
  await server.end();
  const logs = [server.stdout(), server.stderr(), api === null ? "" : await api.logs()];
  const stored = (await readdir(server.dataFolder)).map((name) =>
    readFile(join(server.dataFolder, name), "latin1"),
  );
  const kept = [...logs, ...(await Promise.all(stored))].join("\n");
  expect(kept).toContain("Billing worker"); // the look was at the right place
  expect(tokens.size).toBeGreaterThanOrEqual(6);
  for (const secret of tokens) expect(kept.includes(secret), secret.slice(0, 3)).toBe(false);
}, 120_000);
