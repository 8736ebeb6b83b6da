import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OWNER } from "../real-server.ts";
import { button, keyRow } from "./parts.ts";
import { openPage, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await world.client.apiKeys.create("production", { type: "secret", description: "Billing" });
});
afterAll(() => world?.end());

async function signIn(page: Page, password: string = OWNER.password): Promise<void> {
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Sign in").click();
}

const arrivesAt = (page: Page, path: string): Promise<void> =>
  page.waitForURL((url) => url.origin === world.server.url && url.pathname + url.search === path);

/** Answers a sign-in as the server does when it was right; a few of these tests would use up the real attempts. */
async function letIn(page: Page): Promise<void> {
  await page.route("**/auth/sign-in/email", (route) => route.fulfill({ json: { person: {} } }));
}

test("a wrong password says so and stays; the right one leads to the page that was asked for", async () => {
  const { page, complaints } = await world.visit({ signedIn: false });
  await page.goto(`${world.at("production")}?status=all&q=Billing`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.getByText("Billing").count()).toBe(0);
  await signIn(page, "not the password at all");
  await page.getByText("E-mail and password do not match").waitFor();
  expect(await page.getByLabel("Password", { exact: true }).inputValue()).toBe("");
  expect(await page.getByLabel("E-mail").inputValue()).toBe(OWNER.email);
  await signIn(page);
  await arrivesAt(page, `${world.at("production")}?status=all&q=Billing`);
  await keyRow(page, "Billing").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("signing out ends the session here and on the server, and back shows nothing", async () => {
  const { page } = await world.visit({ signedIn: false });
  await page.goto(world.at("production"));
  await signIn(page);
  await keyRow(page, "Billing").waitFor();
  const cookies = await page.context().cookies();
  expect(cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === "Lax")).toBe(true);
  await button(page, "Account: Acme").click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.context().cookies()).toEqual([]);
  await page.goBack();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.getByText("Billing").count()).toBe(0);
  await page.context().addCookies(cookies);
  expect((await page.request.get("/v1/me")).status()).toBe(401);
  await page.context().close();
});

test("an empty form asks for both fields and calls nobody", async () => {
  const { page } = await world.visit({ signedIn: false });
  let calls = 0;
  await page.route("**/auth/**", (route) => {
    calls += 1;
    return route.abort();
  });
  await page.goto("/sign-in");
  await button(page, "Sign in").click();
  await page.getByText("Enter an e-mail address such as").waitFor();
  await page.getByText("Enter your password.").waitFor();
  expect(calls).toBe(0);
  await page.context().close();
});

test.for([
  "//evil.example/x",
  "https://evil.example/x",
  "/\\evil.example/x",
  "\\\\evil.example/x",
  "/\t/evil.example/x",
  "/%09/evil.example/x",
  "javascript:alert(document.domain)",
  "/.//evil.example/x",
  "/sign-in?to=//evil.example/x",
  "data:text/html,x",
  "https:evil.example/x",
  "/%2f%2fevil.example/x",
  "/..//evil.example/x",
  "/a/..//evil.example/x",
  "/%5cevil.example/x",
  "/\u0000/evil.example/x",
  "/\r\n/evil.example/x",
  "/\u00a0//evil.example/x",
  "/@evil.example/x",
])("%j as the place to go to after sign-in stays on this site", async (to) => {
  const context = await world.profile();
  const { page, complaints } = await openPage(context);
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(world.server.url) && !request.url().startsWith("data:image/svg"))
      foreign.push(request.url());
  });
  page.on("dialog", (question) => {
    foreign.push(question.message());
    void question.dismiss();
  });
  await letIn(page);
  await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
  await signIn(page);
  await page.waitForURL((url) => url.pathname !== "/sign-in");
  await page.getByRole("heading", { level: 1 }).waitFor();
  expect(new URL(page.url()).origin).toBe(world.server.url);
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
});

test.for([
  "/sign-in",
  "/sign-up",
  "/setup",
  "/forgot-password",
  "/reset-password#of-somebody-else",
  "/verify-email#of-somebody-else",
  "/sign-in-link#of-somebody-else",
])(
  "%j as the place to go to after sign-in has nothing for anybody who is in: their account's page does",
  async (to) => {
    const context = await world.profile();
    const { page, complaints } = await openPage(context);
    await letIn(page);
    await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
    await signIn(page);
    await arrivesAt(page, world.at("development"));
    await page.getByRole("heading", { name: "API keys" }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  },
);

test("too many attempts say how many seconds to wait, and count them down", async () => {
  const { page } = await world.visit({ signedIn: false });
  await page.clock.install();
  await page.route("**/auth/sign-in/email", (route) =>
    route.fulfill({
      status: 429,
      headers: { "Retry-After": "42" },
      json: {
        code: "rate_limited",
        message: "Too many attempts to sign in. Wait, then try again.",
      },
    }),
  );
  await page.goto("/sign-in");
  await signIn(page, "guess");
  await page.getByText("Too many attempts", { exact: true }).waitFor();
  await page.getByText(/Try again in \d+ seconds\./).waitFor();
  await page.clock.runFor(50_000);
  await page.getByText("You can try again now.").waitFor();
  await page.context().close();
});

test("the real server refuses the eleventh guess, and the page says when to try again", async () => {
  const { page } = await world.visit({ signedIn: false });
  for (let guess = 1; guess <= 10; guess += 1)
    await page.request.post("/auth/sign-in/email", {
      data: { email: "somebody@example.com", password: `guess number ${guess}` },
      headers: { Origin: world.server.url },
    });
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill("somebody@example.com");
  await page.getByLabel("Password", { exact: true }).fill("guess number 11");
  await button(page, "Sign in").click();
  await page.getByText(/Try again in \d+ seconds\./).waitFor();
  await page.context().close();
});

test("a session that ends sends to sign-in, and from there back to the same place", async () => {
  const context = await world.profile();
  const { page } = await openPage(context);
  await page.goto(`${world.at("production")}?status=all`);
  await keyRow(page, "Billing").waitFor();
  const cookies = await context.cookies();
  await context.clearCookies();
  await page.getByRole("radiogroup", { name: "Status" }).getByText("Revoked").click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.getByText("Billing").count()).toBe(0);
  await context.addCookies(cookies);
  await letIn(page);
  await signIn(page);
  await arrivesAt(page, `${world.at("production")}?status=revoked`);
  await page.getByText("No revoked API keys").waitFor();
  await context.close();
});

test("a session that ends while a token is on the screen waits until it is put away", async () => {
  const context = await world.profile();
  const { page } = await openPage(context);
  await page.clock.install();
  await page.goto(world.at("development"));
  await button(page, "Create API key").click();
  const creating = page.getByRole("dialog");
  await button(creating, "Create").click();
  await creating.getByText("You will not see it again").waitFor();
  await context.clearCookies();
  const refused = page.waitForResponse((response) => response.status() === 401);
  await page.clock.fastForward(11_000);
  await refused;
  await creating.getByText("You will not see it again").waitFor();
  await button(creating, "Done").click();
  await page.clock.fastForward(11_000);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await context.close();
});

test("what is not there, or not one's own, is not found, and there is a way back", async () => {
  const { page } = await world.visit();
  const ways = [
    ["/nobody/production/platform/api-keys", "Account not found", "Go to your account"],
    ["/nobody", "Account not found", "Go to your account"],
    ["/acme/nowhere/settings/environments", "Environment not found", "Go to Acme"],
    ["/acme/production/nothing/here", "Page not found", "Go to your API keys"],
  ] as const;
  for (const [path, heading, back] of ways) {
    await page.goto(path);
    await page.getByRole("heading", { name: heading }).waitFor();
    await page.getByRole("link", { name: back }).click();
    await arrivesAt(page, world.at("development"));
    await page.getByRole("heading", { name: "API keys" }).waitFor();
  }
  await page.context().close();
});

test("the colour scheme that somebody chose is there before the first paint of the next visit", async () => {
  const { page, complaints } = await world.visit({ colorScheme: "light" });
  await page.goto(world.at("development"));
  await button(page, "Account: Acme").click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor();
  // Without the script of the dashboard only the page's own first lines run.
  await page.route("**/assets/*.js", (route) => route.abort());
  await page.goto(world.at("development"), { waitUntil: "domcontentloaded" });
  expect(await page.locator("html").getAttribute("data-mantine-color-scheme")).toBe("dark");
  expect(complaints).toEqual([]);
  await page.context().close();
});
