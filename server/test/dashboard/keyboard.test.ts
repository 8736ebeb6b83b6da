import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyRow, tokenIn } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

/** More presses of Tab than any page here needs. */
const TABS_MAX = 40;

const isFocused = (locator: Locator): Promise<boolean> =>
  locator.evaluate((element) => element === document.activeElement);

/** Whether whoever looks can tell where the focus is: an outline, or a field's own border. */
const focusShows = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    const focused = document.activeElement;
    if (focused === null || focused === document.body) return false;
    const { outlineStyle, outlineWidth } = getComputedStyle(focused);
    const outlined = outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0;
    return (
      outlined ||
      focused.matches("input:not([type=radio]), select, [role=menuitem], [role=menuitemradio]")
    );
  });

/** Presses Tab until the focus is there; at each stop it can be seen. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < TABS_MAX; presses += 1) {
    if (await isFocused(target)) return;
    await page.keyboard.press("Tab");
    const place = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200) ?? "");
    // After the last stop comes the browser's own frame, and then the first again.
    if (!place.startsWith("<body"))
      expect(await focusShows(page), `focus shows at ${place}`).toBe(true);
  }
  throw new Error(`not reached by Tab: ${target}`);
}

/** Moves through an open menu until the focus is there. */
async function arrowTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.role)).toMatch(/^menuitem/);
  for (let presses = 0; presses < TABS_MAX; presses += 1) {
    if (await isFocused(target)) return;
    await page.keyboard.press("ArrowDown");
  }
  throw new Error(`not reached by arrows: ${target}`);
}

const focusOn = (target: Locator): Promise<unknown> =>
  expect.poll(() => isFocused(target), { message: `focus on ${target}` }).toBe(true);

const button = (page: Page, name: string | RegExp): Locator =>
  page.getByRole("button", { name, exact: true });

const menuOf = (page: Page, text: string): Locator =>
  keyRow(page, text).getByRole("button", { name: /^Actions for/ });

test("a key is created, copied, described, revoked with the keyboard alone", async () => {
  const { page } = await world.visit({ permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto(world.at("development"));
  const create = button(page, "Create API key");
  await tabTo(page, create);
  await page.keyboard.press("Enter");
  await focusOn(page.getByRole("radio", { name: "Secret" }));
  await page.keyboard.press("ArrowDown");
  await focusOn(page.getByRole("radio", { name: "Public", checked: true }));
  await page.keyboard.press("ArrowUp");
  await focusOn(page.getByRole("radio", { name: "Secret", checked: true }));
  await tabTo(page, page.getByLabel("Description"));
  await page.keyboard.type("By keyboard");
  await tabTo(page, page.getByLabel("Expires"));
  await page.keyboard.press("ArrowDown");
  await tabTo(page, button(page, "Create"));
  await page.keyboard.press("Space");
  await focusOn(button(page, "Copy token"));
  const token = await tokenIn(page, "Token");
  await page.keyboard.press("Enter");
  await page.getByText("Copied.").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  await tabTo(page, button(page, "Done"));
  await page.keyboard.press("Enter");
  await focusOn(create);
  await keyRow(page, "By keyboard").getByText("Expires in 7 days").waitFor();

  // Edit: Escape and Save both lead back to the menu of the row.
  const menu = menuOf(page, "By keyboard");
  for (const leave of ["Escape", "Enter"]) {
    await tabTo(page, menu);
    await page.keyboard.press("Enter");
    await arrowTo(page, page.getByRole("menuitem", { name: "Edit description" }));
    await page.keyboard.press("Enter");
    await focusOn(page.getByRole("dialog").getByLabel("Description"));
    await page.keyboard.press("End");
    await page.keyboard.type(leave === "Enter" ? ", twice" : ", no");
    await page.keyboard.press(leave);
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await focusOn(menu);
  }
  await keyRow(page, "By keyboard, twice").waitFor();

  // The menu is left with Escape, and its button has the focus again.
  await page.keyboard.press("Space");
  await arrowTo(page, page.getByRole("menuitem", { name: "Revoke API key" }));
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "hidden" });
  await focusOn(menu);

  // Revoke: the harmless button has the focus first; after it the row is gone, and the heading has the focus.
  await page.keyboard.press("Enter");
  await arrowTo(page, page.getByRole("menuitem", { name: "Revoke API key" }));
  await page.keyboard.press("Enter");
  await focusOn(button(page, "Cancel"));
  await tabTo(page, page.getByRole("dialog").getByLabel("Reason"));
  await page.keyboard.type("tried out");
  await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Revoke API key" }));
  await page.keyboard.press("Enter");
  await page.getByText("Refused everywhere").waitFor();
  expect(await world.authenticate(token)).toBe(401);
  await focusOn(button(page, "Done"));
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await keyRow(page, "By keyboard").waitFor({ state: "hidden" });
  await focusOn(page.getByRole("heading", { name: "API keys", level: 1 }));
  await page.context().close();
});

test("a key is rotated, its overlap changed and its rotation finished with the keyboard alone", async () => {
  const { hint } = await world.client.apiKeys.create("development", {
    type: "secret",
    description: "Rotated by keyboard",
  });
  const { page } = await world.visit();
  await page.goto(world.at("development"));
  const menu = menuOf(page, hint);
  const begin = async (deed: string): Promise<void> => {
    await tabTo(page, menu);
    await page.keyboard.press("Enter");
    await arrowTo(page, page.getByRole("menuitem", { name: deed }));
    await page.keyboard.press("Enter");
  };
  const length = page.getByLabel("The old key goes on working for");
  await begin("Rotate API key");
  await focusOn(length);
  await page.keyboard.type("7 days");
  await tabTo(page, page.getByRole("radio", { name: "Now" }));
  await page.keyboard.press("ArrowDown");
  await focusOn(page.getByRole("radio", { name: "The first use of the new key", checked: true }));
  await tabTo(page, button(page, "Rotate API key"));
  await page.keyboard.press("Enter");
  await focusOn(button(page, "Copy token"));
  await page.getByText("until 7 days after the first use of the new key").waitFor();
  await tabTo(page, button(page, "Done"));
  await page.keyboard.press("Enter");
  await focusOn(menu);

  await begin("Change overlap");
  await focusOn(length);
  await page.keyboard.type("1 hour");
  await page.getByText("The old key ends 1 hour after the first use of the new one.").waitFor();
  await page.keyboard.press("Tab");
  await focusOn(button(page, "Finish now"));
  await page.keyboard.press("Enter");
  await focusOn(button(page, "Cancel"));
  await page.getByRole("dialog", { name: "Finish the rotation now" }).waitFor();
  await tabTo(page, button(page, "Finish now"));
  await page.keyboard.press("Enter");
  await page.getByText("Refused everywhere").waitFor();
  await focusOn(button(page, "Done"));
  await page.keyboard.press("Enter");
  await menu.waitFor({ state: "hidden" });
  await focusOn(page.getByRole("heading", { name: "API keys", level: 1 }));
  await page.context().close();
});

test("the focus stays inside an open dialog", async () => {
  const { page } = await world.visit();
  await page.goto(world.at("development"));
  await tabTo(page, button(page, "Create API key"));
  await page.keyboard.press("Enter");
  await focusOn(page.getByRole("radio", { name: "Secret" }));
  for (const key of ["Tab", "Shift+Tab"])
    for (let presses = 0; presses < 10; presses += 1) {
      await page.keyboard.press(key);
      expect(
        await page.evaluate(() => document.activeElement?.closest("[role=dialog]") !== null),
      ).toBe(true);
    }
  await page.keyboard.press("Escape");
  await focusOn(button(page, "Create API key"));
  await page.context().close();
});

test("the environment is switched with Tab and arrows, and the focus goes to the heading", async () => {
  const { page } = await world.visit();
  await page.goto(world.at("development"));
  const switcher = button(page, /^Environment: /);
  await tabTo(page, switcher);
  await page.keyboard.press("Enter");
  await arrowTo(page, page.getByRole("menuitemradio", { name: "Production" }));
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === world.at("production"));
  await button(page, "Environment: Production").waitFor();
  await page.getByRole("menu").waitFor({ state: "hidden" });
  const heading = page.getByRole("heading", { name: "API keys", level: 1 });
  await focusOn(heading);
  await page.keyboard.press("e");
  await arrowTo(page, page.getByRole("menuitemradio", { name: "Development" }));
  await page.keyboard.press("1");
  await button(page, "Environment: Development").waitFor();
  await page.getByRole("menu").waitFor({ state: "hidden" });
  await focusOn(heading);

  await tabTo(page, page.getByRole("link", { name: "Environments" }));
  await page.keyboard.press("Enter");
  await focusOn(page.getByRole("heading", { name: "Environments", level: 1 }));
  await page.context().close();
});

test("the first Tab offers to skip to the content, and doing so goes past the navigation", async () => {
  const { page } = await world.visit();
  await page.goto(world.at("development"));
  await button(page, "Create API key").waitFor();
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await focusOn(skip);
  await expect.poll(async () => (await skip.boundingBox())?.y ?? -1).toBeGreaterThanOrEqual(0);
  await page.keyboard.press("Enter");
  await focusOn(page.getByRole("main"));
  await page.keyboard.press("Tab");
  await focusOn(button(page, "Create API key"));
  expect(new URL(page.url()).pathname).toBe(world.at("development"));
  await page.context().close();
});

test("an environment is renamed and deleted with the keyboard alone", async () => {
  await world.client.environments.create({ name: "Brief", slug: "brief" });
  const { page } = await world.visit();
  await page.goto(world.at("development", "settings/environments"));
  const menu = button(page, /^Actions for Brief/);
  await tabTo(page, menu);
  await page.keyboard.press("Enter");
  await arrowTo(page, page.getByRole("menuitem", { name: "Rename environment" }));
  await page.keyboard.press("Enter");
  const name = page.getByRole("dialog").getByLabel("Name");
  await focusOn(name);
  await page.keyboard.press("End");
  await page.keyboard.type("ly");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await focusOn(button(page, "Actions for Briefly"));
  await page.keyboard.press("Enter");
  await arrowTo(page, page.getByRole("menuitem", { name: "Delete environment" }));
  await page.keyboard.press("Enter");
  await focusOn(page.getByLabel("Type brief to confirm"));
  await page.keyboard.type("brief");
  await page.keyboard.press("Enter");
  await page.getByText("Refused everywhere").waitFor();
  await focusOn(button(page, "Done"));
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await focusOn(page.getByRole("heading", { name: "Environments", level: 1 }));
  await page.context().close();
});
