import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { OWNER, type RealServer, startServer, temporaryFolder } from "../real-server.ts";
import { expectGoodLooks } from "./looks.ts";
import { button, dialog, tokenIn } from "./parts.ts";
import { DESKTOP, openPage, openProfile, PHONE, type Visit } from "./world.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: RealServer;
let browser: Browser;
let secret: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer({ dataFolder: folder.path });
  secret = /\/setup#(\S+)/.exec(server.stdout())?.[1] ?? "no link was printed";
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
  await folder?.remove();
});

const visit = async (viewport: { width: number; height: number } = DESKTOP): Promise<Visit> =>
  openPage(await openProfile(browser, { baseURL: server.url, viewport }));

async function openForm(page: Page, link = `/setup#${secret}`): Promise<void> {
  await page.goto(link);
  await page.getByRole("heading", { name: "Set up Latchkey" }).waitFor();
}

async function fillIn(page: Page): Promise<void> {
  await page.getByLabel("Your name").fill(OWNER.name);
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password", { exact: true }).fill(OWNER.password);
  await page.getByLabel("Account name").fill("Acme Corp");
}

describe.each([DESKTOP, PHONE])(
  "before set-up, at $width × $height, in light and dark",
  (viewport) => {
    /** What a visitor may meet, and how. */
    const states: Record<string, (page: Page) => Promise<unknown>> = {
      "set-up form": (page) => openForm(page),
      "set-up form with mistakes": async (page) => {
        await openForm(page);
        await page.getByLabel("Password", { exact: true }).fill("short");
        await button(page, "Create account").click();
        await page.getByText("At least 12 characters.").waitFor();
      },
      "set-up form with a dead link": async (page) => {
        await openForm(page, "/setup#this-is-no-secret-of-this-server");
        await fillIn(page);
        await page.route("**/v1/setup", (route) =>
          route.request().method() === "POST"
            ? route.fulfill({
                status: 401,
                json: { code: "invalid_credentials", message: "No.", request_id: "req_of_a_test" },
              })
            : route.continue(),
        );
        await button(page, "Create account").click();
        await page.getByText("This set-up link no longer works").waitFor();
      },
      "set-up link without its end": async (page) => {
        await page.goto("/setup");
        await page.getByRole("heading", { name: "Use the whole set-up link" }).waitFor();
      },
      "set-up still open": async (page) => {
        await page.goto("/");
        await page.getByRole("heading", { name: "Set-up is still open" }).waitFor();
      },
      "sign-in before set-up": async (page) => {
        await page.goto("/sign-in");
        await page.getByText("Nobody can sign in yet").waitFor();
      },
    };

    test.for(Object.entries(states))(
      "%s: axe, the policy and the console are content",
      async ([name, open]) => {
        const { page, complaints } = await visit(viewport);
        await open(page);
        await expectGoodLooks(page, name);
        expect(complaints).toEqual([]);
        await page.context().close();
      },
    );
  },
);

test("the secret leaves the address bar at once, and is in no history, storage or address called", async () => {
  const { page } = await visit();
  const called: string[] = [];
  page.on("request", (request) => {
    if (!request.isNavigationRequest())
      called.push(`${request.url()} ${JSON.stringify(request.headers())}`);
  });
  await openForm(page);
  expect(page.url()).toBe(`${server.url}/setup`);
  const devTools = await page.context().newCDPSession(page);
  const { entries } = await devTools.send("Page.getNavigationHistory");
  expect(entries.map(({ url }) => url)).toEqual(["about:blank", `${server.url}/setup`]);
  const kept = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, window.history.state]),
  );
  expect(kept + (await page.content()) + called.join()).not.toContain(secret);
  await page.context().close();
});

test("a link with a wrong secret sets nothing up, and says how to get a new one", async () => {
  const { page } = await visit();
  await openForm(page, "/setup#this-is-no-secret-of-this-server");
  await fillIn(page);
  await button(page, "Create account").click();
  await page.getByText("This set-up link no longer works").waitFor();
  await page.getByText("Restart the server to get a new link.").waitFor();
  // The right one, pasted into the same tab, goes on with what was written.
  await page.goto(`/setup#${secret}`);
  await expect.poll(() => page.url()).toBe(`${server.url}/setup`);
  expect(await page.getByLabel("Account name").inputValue()).toBe("Acme Corp");
  await page.context().close();
});

test("set-up shows every first token once, asks before they are lost, and works only once", async () => {
  const { page, complaints } = await visit();
  const late = await visit();
  await openForm(late.page);
  await openForm(page);
  await fillIn(page);
  expect(await page.getByLabel("Account slug").inputValue()).toBe("acme-corp");
  await button(page, "Create account").click();
  await page.getByRole("heading", { name: "Your keys" }).waitFor();
  const names = ["Development secret key", "Production secret key", "Service token"];
  const tokens = await Promise.all(
    [...names, "Verifier token", "Operator token"].map((name) => tokenIn(page, name)),
  );
  expect(tokens.map((token) => token.slice(0, 3))).toEqual(["sk_", "sk_", "st_", "vt_", "ot_"]);
  for (const viewport of [DESKTOP, PHONE]) {
    await page.setViewportSize(viewport);
    await expectGoodLooks(page, "your keys");
  }

  // The form that was open beside it comes too late, and so does everybody after it.
  await fillIn(late.page);
  await button(late.page, "Create account").click();
  await late.page.getByRole("heading", { name: "Set-up is done" }).waitFor();
  await late.page.goto("/");
  await late.page.goto(`/setup#${secret}`);
  await late.page.getByRole("heading", { name: "Set-up is done" }).waitFor();
  await expectGoodLooks(late.page, "set-up is done");
  await late.page.getByRole("link", { name: "Sign in" }).click();
  await late.page.getByRole("heading", { name: "Sign in" }).waitFor();
  for (const viewport of [DESKTOP, PHONE]) {
    await late.page.setViewportSize(viewport);
    await expectGoodLooks(late.page, "sign-in");
  }
  await late.page.getByLabel("E-mail").fill(OWNER.email);
  await late.page.getByLabel("Password", { exact: true }).fill("not the password at all");
  await button(late.page, "Sign in").click();
  await late.page.getByText("E-mail and password do not match").waitFor();
  await expectGoodLooks(late.page, "sign-in refused");

  await button(page, "Go to API keys").click();
  await dialog(page).getByText("Leave without saving the tokens?").waitFor();
  await expectGoodLooks(page, "leaving your keys");
  await button(dialog(page), "Stay").click();
  await dialog(page).waitFor({ state: "hidden" });
  await page.getByLabel("I have saved these tokens in a safe place").check();
  await button(page, "Go to API keys").click();
  await page.waitForURL(`${server.url}/acme-corp/development/platform/api-keys`);
  await page.getByRole("heading", { name: "API keys" }).waitFor();
  const left = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, window.history.state]),
  );
  await page.goBack();
  await page.getByRole("heading", { level: 1 }).waitFor();
  const back = await page.content();
  for (const token of tokens) expect(left + back).not.toContain(token);
  expect([...complaints, ...late.complaints]).toEqual([]);
  for (const one of [page, late.page]) await one.context().close();
});
