import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFurnishedWorld, openKeys } from "./furnished.ts";
import { expectGoodFourWays, expectGoodLooks, WITHIN_MS } from "./looks.ts";
import { button, dialog } from "./parts.ts";
import { openPage, PHONE, type World } from "./world.ts";

let world: World;
let context: BrowserContext;
beforeAll(async () => {
  world = await openFurnishedWorld();
  context = await world.profile();
});
afterAll(() => world?.end());

const states: Record<string, (page: Page) => Promise<unknown>> = {
  "account menu": async (page) => {
    await openKeys(page);
    await button(page, "Account: Acme").click();
    await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
  },
  "environment menu": async (page) => {
    await openKeys(page);
    await button(page, "Environment: Development").click();
    await page.getByRole("menuitemradio", { name: "Production" }).waitFor();
  },
  "no such page": async (page) => {
    await page.goto("/acme/development/platform/nothing");
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
  },
  "no such account": async (page) => {
    await page.goto("/somebody/development/platform/api-keys");
    await page.getByRole("heading", { name: "Account not found" }).waitFor();
  },
  "no such environment": async (page) => {
    await page.goto("/acme/nowhere/platform/api-keys");
    await page.getByRole("heading", { name: "Environment not found" }).waitFor();
  },
  "no answer at all": async (page) => {
    await page.route("**/v1/me", (route) => route.abort());
    await page.goto(world.at("development"));
    await button(page, "Try again").waitFor();
  },
  loading: async (page) => {
    await page.route("**/v1/me", () => {}); // never answered
    await page.goto(world.at("development"));
    await page.getByText("Loading…").waitFor();
  },
};

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, false),
);

test("on a phone the navigation is a drawer that leads to every page and closes behind one", async () => {
  const { page, complaints } = await openPage(context);
  await page.setViewportSize(PHONE);
  await openKeys(page);
  await button(page, "Open navigation").click();
  await dialog(page).getByRole("link", { name: "Environments" }).waitFor();
  await expectGoodLooks(page, "navigation");
  await dialog(page).getByRole("link", { name: "Environments" }).click();
  await page.getByRole("heading", { name: "Environments" }).waitFor();
  await dialog(page).waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.close();
});
