import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { fromNow } from "./lives.ts";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let context: BrowserContext;
beforeAll(async () => {
  world = await openWorld();
  context = await world.profile({ signedIn: false });
});
afterAll(() => world?.end());

const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole("heading", { name }).waitFor();

/** Tells what a visitor can do here. */
const tellServer = (page: Page, told: { sign_up?: string; mail?: boolean }) =>
  page.route("**/v1/setup", (route) =>
    route.fulfill({ json: { state: "done", sign_up: "invite", mail: false, ...told } }),
  );

const answer = (page: Page, path: string, json: object, status = 200) =>
  page.route(`**${path}`, (route) => route.fulfill({ status, json }));

const refuse = (page: Page, path: string, status: number, code: string) =>
  answer(page, path, { code, message: "No.", status, request_id: "req_of_a_test" }, status);

const invitation = {
  account: { name: "Acme" },
  email: "margaret@example.com",
  role: "admin",
  invited_by: "Grace",
  expires_at: fromNow(6 * 86_400_000),
};

async function openInvitation(page: Page): Promise<void> {
  await answer(page, "/v1/invitations/open", invitation);
  await page.goto("/invitation#a-secret-of-a-test");
  await heading(page, "Join Acme");
}

async function openCodeStep(page: Page): Promise<void> {
  await answer(page, "/auth/sign-in/email", { two_factor: true });
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill("a password of some length");
  await button(page, "Sign in").click();
  await heading(page, "Second factor");
}

/** Every state of every page that needs no session, and how one gets there. */
const states: Record<string, (page: Page) => Promise<unknown>> = {
  "sign-in": async (page) => {
    await page.goto("/sign-in");
    await page.getByText("Forgot your password?").waitFor();
  },
  "sign-in where everybody may sign up": async (page) => {
    await tellServer(page, { sign_up: "open" });
    await page.goto("/sign-in");
    await page.getByText("Create a sign-in").waitFor();
  },
  "second step": openCodeStep,
  "second step with a wrong code": async (page) => {
    await openCodeStep(page);
    await refuse(page, "/auth/two-factor/verify-totp", 401, "invalid_credentials");
    await page.getByLabel("Code").fill("123456");
    await button(page, "Sign in").click();
    await page.getByText("The code is wrong or too old").waitFor();
  },
  "recovery code": async (page) => {
    await openCodeStep(page);
    await button(page, "Use a recovery code").click();
    await page.getByLabel("Recovery code").waitFor();
  },
  "forgotten password without mail": async (page) => {
    await page.goto("/forgot-password");
    await page.getByText("latchkey people reset-password").waitFor();
  },
  "forgotten password": async (page) => {
    await tellServer(page, { mail: true });
    await page.goto("/forgot-password");
    await button(page, "Send the link").waitFor();
  },
  "forgotten password, asked": async (page) => {
    await tellServer(page, { mail: true });
    await answer(page, "/auth/request-password-reset", {});
    await page.goto("/forgot-password");
    await page.getByLabel("E-mail").fill("ada@example.com");
    await button(page, "Send the link").click();
    await page.getByText("Look into your mail").waitFor();
  },
  "new password": async (page) => {
    await page.goto("/reset-password#a-token-of-a-test");
    await heading(page, "Choose a new password");
  },
  "new password, dead link": async (page) => {
    await refuse(page, "/auth/reset-password", 401, "invalid_credentials");
    await page.goto("/reset-password#a-token-of-a-test");
    await page.getByLabel("New password").fill("a password of some length");
    await button(page, "Change password").click();
    await heading(page, "This link no longer works");
  },
  "new password, done": async (page) => {
    await answer(page, "/auth/reset-password", {});
    await page.goto("/reset-password#a-token-of-a-test");
    await page.getByLabel("New password").fill("a password of some length");
    await button(page, "Change password").click();
    await heading(page, "Password changed");
  },
  "address to confirm": async (page) => {
    await page.goto("/verify-email#a-token-of-a-test");
    await heading(page, "Confirm your e-mail address");
  },
  "address confirmed": async (page) => {
    await answer(page, "/auth/verify-email", {});
    await page.goto("/verify-email#a-token-of-a-test");
    await page.getByLabel("Enter the password you chose").fill("a password of some length");
    await button(page, "Confirm").click();
    await heading(page, "Address confirmed");
  },
  "address to confirm, with a wrong password": async (page) => {
    await refuse(page, "/auth/verify-email", 401, "invalid_credentials");
    await page.goto("/verify-email#a-token-of-a-test");
    await page.getByLabel("Enter the password you chose").fill("a password of some length");
    await button(page, "Confirm").click();
    await page.getByText("This is not the password").waitFor();
  },
  "sign-up by invitation": async (page) => {
    await page.goto("/sign-up");
    await heading(page, "By invitation");
  },
  "sign-up": async (page) => {
    await tellServer(page, { sign_up: "open" });
    await page.goto("/sign-up");
    await button(page, "Continue").click();
    await page.getByText("Enter a name.").waitFor();
  },
  "sign-up, address to confirm": async (page) => {
    await tellServer(page, { sign_up: "open", mail: true });
    await answer(page, "/auth/sign-up/email", { confirmation_mailed: true });
    await page.goto("/sign-up");
    await page.getByLabel("Your name").fill("Margaret");
    await page.getByLabel("E-mail").fill("margaret@example.com");
    await page.getByLabel("Password", { exact: true }).fill("a password of some length");
    await button(page, "Continue").click();
    await heading(page, "Look into your mail");
  },
  "sign-in link, dead": async (page) => {
    await refuse(page, "/v1/sign_in_links/open", 404, "resource_missing");
    await page.goto("/sign-in-link#a-secret-of-a-test");
    await heading(page, "This link no longer works");
  },
  invitation: openInvitation,
  "invitation of somebody who has a sign-in": async (page) => {
    await openInvitation(page);
    await refuse(page, "/v1/invitations/accept", 409, "conflict");
    await page.getByLabel("Your name").fill("Margaret");
    await page.getByLabel("Password", { exact: true }).fill("a password of some length");
    await button(page, "Create a sign-in and join").click();
    await page.getByText("has a sign-in here already").waitFor();
  },
  "invitation, address to confirm": async (page) => {
    await openInvitation(page);
    const joined = { account: { slug: "acme", name: "Acme" }, role: "member" };
    await answer(page, "/v1/invitations/accept", { ...joined, confirmation_mailed: true });
    await page.getByLabel("Your name").fill("Margaret");
    await page.getByLabel("Password", { exact: true }).fill("a password of some length");
    await button(page, "Create a sign-in and join").click();
    await heading(page, "Look into your mail");
  },
  "invitation, dead": async (page) => {
    await refuse(page, "/v1/invitations/open", 404, "resource_missing");
    await page.goto("/invitation#a-secret-of-a-test");
    await heading(page, "This invitation no longer works");
  },
  "invitation without its end": async (page) => {
    await page.goto("/invitation");
    await heading(page, "Use the whole invitation link");
  },
  "invitation without a server": async (page) => {
    await page.route("**/v1/invitations/open", (route) => route.abort());
    await page.goto("/invitation#a-secret-of-a-test");
    await button(page, "Try again").waitFor();
  },
};

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, false),
);
