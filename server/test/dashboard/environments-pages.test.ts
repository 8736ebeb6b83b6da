import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { openFurnishedWorld } from "./furnished.ts";
import { begin } from "./lives.ts";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button, dialog } from "./parts.ts";
import type { World } from "./world.ts";

let world: World;
let context: BrowserContext;
beforeAll(async () => {
  world = await openFurnishedWorld();
  context = await world.profile();
});
afterAll(() => world?.end());

const openEnvironments = async (page: Page): Promise<void> => {
  await page.goto(world.at("development", "settings/environments"));
  await page.getByRole("list", { name: "Environments" }).waitFor();
};

const states: Record<string, (page: Page) => Promise<unknown>> = {
  environments: openEnvironments,
  "an environment's menu": async (page) => {
    await openEnvironments(page);
    await button(page, "Actions for Development").click();
    await page.getByRole("menuitem", { name: "Delete environment" }).waitFor();
  },
  "add dialog": async (page) => {
    await openEnvironments(page);
    await button(page, "Add environment").click();
    await dialog(page).getByLabel("Slug").waitFor();
  },
  "add dialog with a mistake": async (page) => {
    await openEnvironments(page);
    await button(page, "Add environment").click();
    await button(dialog(page), "Add").click();
    await dialog(page).getByText("Enter a name.").waitFor();
  },
  "add dialog with the tokens": async (page) => {
    await openEnvironments(page);
    await button(page, "Add environment").click();
    await dialog(page).getByLabel("Name").fill("Staging");
    await button(dialog(page), "Add").click();
    await dialog(page).getByText("Staging is ready").waitFor();
  },
  "rename dialog": async (page) => {
    await openEnvironments(page);
    await begin(page, "development", "Rename environment");
  },
  "delete dialog": async (page) => {
    await openEnvironments(page);
    await begin(page, "development", "Delete environment");
  },
  "delete dialog with its receipt": async (page) => {
    await world.client.environments.create({ name: "Gone", slug: "gone" });
    await openEnvironments(page);
    await begin(page, "gone", "Delete environment");
    await dialog(page).getByLabel("Type gone to confirm").fill("gone");
    await button(dialog(page), "Delete environment").click();
    await dialog(page).getByText("Refused everywhere").waitFor();
  },
  "delete dialog still pending": async (page) => {
    await failedDeletion(page, "unproved", { status: 503 });
    await dialog(page).getByText("not yet confirmed everywhere").waitFor();
  },
  "delete dialog of what was gone before": async (page) => {
    await failedDeletion(page, "earlier", { status: 404 });
    await dialog(page).getByText("Already deleted").waitFor();
  },
};

/** Deletes an environment; the server does it, and answers like this. */
async function failedDeletion(page: Page, slug: string, answer: { status: number }): Promise<void> {
  await world.client.environments.create({ name: slug, slug });
  await openEnvironments(page);
  await begin(page, slug, "Delete environment");
  await page.route(`**/v1/environments/${slug}`, async (route) => {
    await route.fetch();
    await route.fulfill({ ...answer, json: { code: "of_a_test", message: "Of a test." } });
  });
  await dialog(page).getByLabel(`Type ${slug} to confirm`).fill(slug);
  await button(dialog(page), "Delete environment").click();
}

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, false),
);
