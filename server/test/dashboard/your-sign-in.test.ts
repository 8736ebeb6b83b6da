import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { secretOf } from "../http/visitor.ts";
import { asks, joinAs, signInOn } from "./newcomers.ts";
import { button, eventually, kept, keyRow } from "./parts.ts";
import { openPage, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

const NEW_PASSWORD = "quite another one, and long enough";

async function openYou(page: Page): Promise<void> {
  await page.goto("/acme/production/you");
  await page.getByText("This one").waitFor();
}

test("changing the password signs every other browser out, and this one stays", async () => {
  const grace = await joinAs(world, "Grace", "member");
  const elsewhere = await world.visit({ signedIn: false });
  await elsewhere.page.goto("/sign-in");
  await signInOn(elsewhere.page, grace);
  await elsewhere.page.getByRole("heading", { name: "API keys" }).waitFor();

  const { page, complaints } = await openPage(grace.context);
  await page.goto(world.at("production"));
  await button(page, "Account: Acme").click();
  await page.getByRole("menuitem", { name: "Your sign-in" }).click();
  await page.getByText("This one").waitFor();
  await page.getByLabel("Current password").fill("not the password");
  await page.getByLabel("New password").fill(NEW_PASSWORD);
  await button(page, "Change password").click();
  await page.getByText("This is not your password.").waitFor();
  expect(await asks(elsewhere.page.context(), "/v1/environments")).toBe(200);
  await page.getByLabel("Current password").fill(grace.password);
  await button(page, "Change password").click();
  await page.getByText("Password changed").waitFor();
  expect(await page.getByLabel("Current password").inputValue()).toBe("");
  expect(await asks(elsewhere.page.context(), "/v1/environments")).toBe(401);
  expect(await asks(grace.context, "/v1/environments")).toBe(200);
  await elsewhere.page.getByRole("link", { name: "Refusals" }).click();
  await elsewhere.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await signInOn(elsewhere.page, grace);
  await elsewhere.page.getByText("E-mail and password do not match").waitFor();
  await signInOn(elsewhere.page, { ...grace, password: NEW_PASSWORD });
  await elsewhere.page.getByRole("heading", { name: "Refusals" }).waitFor();
  expect(complaints).toEqual([]);
  await elsewhere.page.context().close();
  await grace.context.close();
});

test("another name is in the menu without a reload, and among the members; mistakes are told at the field", async () => {
  const hedy = await joinAs(world, "Hedwig", "member");
  const { page, complaints } = await openPage(hedy.context);
  await openYou(page);
  const form = page.getByRole("form", { name: "Change name" });
  const field = form.getByLabel("Name", { exact: true });
  const change = button(form, "Change name");
  expect([await field.inputValue(), await change.isDisabled()]).toEqual(["Hedwig", true]);
  await field.fill("  ");
  await change.click();
  await form.getByText("Enter a name.").waitFor();
  // Turns the direction of what follows, and is not seen: only the server knows all of those.
  await field.fill("Hedy \u202eLamarr");
  expect(await form.getByText("Enter a name.").count()).toBe(0);
  await change.click();
  await form.getByText("Must not contain").waitFor();
  expect(await field.getAttribute("aria-invalid")).toBe("true");
  await field.fill("Hedwig ");
  expect(await change.isDisabled()).toBe(true);

  await field.fill(" Hedy Lamarr ");
  await page.keyboard.press("Enter");
  await form.getByText("Name changed").waitFor();
  expect([await field.inputValue(), await change.isDisabled()]).toEqual(["Hedy Lamarr", true]);
  await button(page, "Account: Acme").click();
  await page.getByRole("menu").getByText("Hedy Lamarr").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Members" }).click();
  await keyRow(page, hedy.email).getByText("Hedy Lamarr").waitFor();
  expect(complaints.filter((said) => !said.includes("422"))).toEqual([]);
  await hedy.context.close();
});

test("a name whose answer is lost is not said to be changed, nor kept from being tried again", async () => {
  const ines = await joinAs(world, "Ines", "support");
  const { page } = await openPage(ines.context);
  await openYou(page);
  const form = page.getByRole("form", { name: "Change name" });
  const field = form.getByLabel("Name", { exact: true });
  const change = button(form, "Change name");
  await page.route("**/auth/update-user", (route) => route.abort());
  await field.fill("Inès");
  await change.click();
  await form.getByRole("alert").getByText("The name was not changed").waitFor();
  expect(await form.getByText("Name changed").count()).toBe(0);
  expect(await field.inputValue()).toBe("Inès");
  await page.unroute("**/auth/update-user");
  await page.route("**/auth/update-user", async (route) => {
    await route.fetch();
    await route.abort();
  });
  const lost = page.waitForEvent("requestfailed");
  await change.click();
  await lost;
  // It was given, and the page has asked: there is nothing left to change, nor to complain of.
  await eventually(() => change.getAttribute("data-loading")).toBe(null);
  expect(await change.isDisabled()).toBe(true);
  expect(await form.getByRole("alert").count()).toBe(0);
  expect(await field.inputValue()).toBe("Inès");
  await ines.context.close();
});

test("sessions are listed by device, and end one by one or all but this", async () => {
  const linus = await joinAs(world, "Linus", "member");
  const agents = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "curl/8.14.1",
  ];
  const others = await Promise.all(
    agents.map(async (userAgent) => {
      const context = await world.profile({ signedIn: false, userAgent });
      await context.request.post("/auth/sign-in/email", {
        data: { email: linus.email, password: linus.password },
        headers: { Origin: world.server.url },
      });
      return context;
    }),
  );
  const still = () => Promise.all(others.map((context) => asks(context, "/v1/environments")));
  expect(await still()).toEqual([200, 200, 200]);
  const { page } = await openPage(linus.context);
  await openYou(page);
  await keyRow(page, "Firefox on Linux").waitFor();
  await button(page, "Sign out Safari on iPhone, 127.0.0.1").click();
  await eventually(() => page.getByText("Safari on iPhone").count()).toBe(0);
  expect(await still()).toEqual([401, 200, 200]);
  await button(page, "Sign out all others").click();
  await eventually(() => page.locator("tbody").getByRole("row").count()).toBe(1);
  expect(await still()).toEqual([401, 401, 401]);
  expect(await asks(linus.context, "/v1/environments")).toBe(200);
  for (const context of [...others, linus.context]) await context.close();
});

test("the operator's link sets a new password once, and ends every session", async () => {
  const hedy = await joinAs(world, "Hedy", "member");
  const { url } = await world.operator.passwordResetLinks.create({ email: hedy.email });
  const { page, complaints } = await world.visit({ signedIn: false });
  await page.goto(url);
  await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
  expect(page.url()).toBe(`${world.server.url}/reset-password`);
  expect(await kept(page)).not.toContain(secretOf(url));
  await page.getByRole("textbox", { name: "New password" }).fill(NEW_PASSWORD);
  await button(page, "Change password").click();
  await page.getByRole("heading", { name: "Password changed" }).waitFor();
  expect(await asks(hedy.context, "/v1/environments")).toBe(401);
  await page.getByRole("link", { name: "Sign in" }).click();
  await signInOn(page, { ...hedy, password: NEW_PASSWORD });
  await page.getByRole("heading", { name: "API keys" }).waitFor();

  await page.goto(url);
  await page.getByRole("textbox", { name: "New password" }).fill("a third one that is long enough");
  await button(page, "Change password").click();
  await page.getByRole("heading", { name: "This link no longer works" }).waitFor();
  expect(await asks(page.context(), "/v1/environments")).toBe(200);
  expect(complaints).toEqual([]);
  await hedy.context.close();
  await page.context().close();
});

test("a sign-in link leads into its account once, and to nothing of the person's own", async () => {
  const { url } = await world.operator.accounts.createSignInLink("acme", {
    email: "customer@example.com",
    role: "member",
  });
  const { page, complaints } = await world.visit({ signedIn: false });
  await page.goto(url);
  await page.getByRole("heading", { name: "API keys" }).waitFor();
  expect(await kept(page)).not.toContain(secretOf(url));
  await page.goto("/acme/production/you");
  await page.getByText("You came here by a link").waitFor();
  expect(await page.getByLabel("Current password").count()).toBe(0);
  expect(await page.getByRole("form", { name: "Change name" }).count()).toBe(0);
  const devTools = await page.context().newCDPSession(page);
  const { entries } = await devTools.send("Page.getNavigationHistory");
  expect(entries.map((entry) => entry.url).join()).not.toContain(secretOf(url));

  const late = await world.visit({ signedIn: false });
  await late.page.goto(url);
  await late.page.getByRole("heading", { name: "This link no longer works" }).waitFor();
  expect(await asks(late.page.context(), "/v1/environments")).toBe(401);
  expect(complaints).toEqual([]);
  await late.page.context().close();
  await page.context().close();
});
