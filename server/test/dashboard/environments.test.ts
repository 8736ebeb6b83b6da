import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, dialog, keyRow, openKeyMenu, tokenIn } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await newKey("development", "Only in development");
  await newKey("production", "Only in production");
});
afterAll(() => world?.end());

const newKey = (environment: string, description: string) =>
  world.client.apiKeys.create(environment, { type: "secret", description });

async function openEnvironments(page: Page, environment = "development"): Promise<void> {
  await page.goto(world.at(environment, "settings/environments"));
  await page.getByRole("list", { name: "Environments" }).waitFor();
}

async function openKeys(page: Page, environment = "development"): Promise<void> {
  await page.goto(world.at(environment));
  await page.getByRole("table", { name: "API keys" }).waitFor();
}

/** What the title and the top bar say of where one is. */
const standsIn = (page: Page, name: string): Promise<void> =>
  button(page, `Environment: ${name}`).waitFor();

test("a new environment shows its two tokens once, and both work", async () => {
  const { page, complaints } = await world.visit();
  await openEnvironments(page);
  await button(page, "Add environment").click();
  const adding = dialog(page);
  await adding.getByLabel("Name").fill("Load tests, 2nd");
  expect(await adding.getByLabel("Slug").inputValue()).toBe("load-tests-2nd");
  await button(adding, "Add").click();
  await adding.getByText("Load tests, 2nd is ready").waitFor();
  const secret = await tokenIn(adding, "Secret key");
  const shown = await tokenIn(adding, "Public key");
  expect(secret).toMatch(/^sk_/);
  expect(shown).toMatch(/^pk_/);
  for (const token of [secret, shown]) expect(await world.authenticate(token)).toBe(200);
  await page.keyboard.press("Escape");
  await page.mouse.click(5, 5);
  await adding.getByText(secret).waitFor();
  await button(adding, "Done").click();
  await adding.waitFor({ state: "hidden" });
  await keyRow(page, "load-tests-2nd").waitFor();
  expect(await page.content()).not.toContain(secret);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a slug that is taken, or was, is told at its field, and another one goes", async () => {
  await world.client.environments.create({ name: "Once", slug: "once" });
  await world.client.environments.delete("once");
  const { page } = await world.visit();
  await openEnvironments(page);
  await button(page, "Add environment").click();
  const adding = dialog(page);
  await adding.getByLabel("Name").fill("Anything");
  for (const taken of ["production", "once"]) {
    await adding.getByLabel("Slug").fill(taken);
    await button(adding, "Add").click();
    await expect
      .poll(() => adding.getByLabel("Slug").getAttribute("aria-invalid"), { message: taken })
      .toBe("true");
    expect(await adding.getByRole("alert").count()).toBe(0);
  }
  await adding.getByLabel("Slug").fill("Not A Slug");
  await button(adding, "Add").click();
  await adding.getByText("1 to 40 lower-case letters, digits and inner hyphens.").waitFor();
  await adding.getByLabel("Slug").fill("anything-else");
  await button(adding, "Add").click();
  await adding.getByText("Anything is ready").waitFor();
  await page.context().close();
});

test("renaming changes the name everywhere and the slug nowhere", async () => {
  await world.client.environments.create({ name: "Stagign", slug: "staging" });
  const { page } = await world.visit();
  await openEnvironments(page, "staging");
  await openKeyMenu(page, "Stagign");
  await page.getByRole("menuitem", { name: "Rename environment" }).click();
  await dialog(page).getByLabel("Name").fill("Staging");
  await button(dialog(page), "Save").click();
  await dialog(page).waitFor({ state: "hidden" });
  await keyRow(page, "Staging").getByText("staging", { exact: true }).waitFor();
  await standsIn(page, "Staging");
  await expect.poll(() => page.title()).toContain("Staging");
  expect(await page.getByText("Stagign").count()).toBe(0);
  expect(new URL(page.url()).pathname).toBe(world.at("staging", "settings/environments"));
  await page.context().close();
});

test("deleting needs the slug, ends every key at once, shows the receipt and moves on", async () => {
  const added = await world.client.environments.create({ name: "Doomed", slug: "doomed" });
  const tokens = [added.secret_key ?? "", added.public_key ?? ""];
  for (const token of tokens) expect(await world.authenticate(token)).toBe(200);
  const { page, complaints } = await world.visit();
  await openEnvironments(page, "doomed");
  await openKeyMenu(page, "doomed");
  await page.getByRole("menuitem", { name: "Delete environment" }).click();
  const deleting = dialog(page);
  const slug = deleting.getByLabel("Type doomed to confirm");
  for (const wrong of ["", "doome", "Doomed", "doomed "]) {
    await slug.fill(wrong);
    expect(await button(deleting, "Delete environment").isDisabled()).toBe(true);
    await slug.press("Enter");
  }
  for (const token of tokens) expect(await world.authenticate(token)).toBe(200);

  await slug.fill("doomed");
  await button(deleting, "Delete environment").click();
  await deleting.getByText(/^Refused everywhere after .*: 1 of 1 verifier confirmed$/).waitFor();
  for (const token of tokens) expect(await world.authenticate(token)).toBe(401);
  await page.waitForURL((url) => url.pathname === world.at("development", "settings/environments"));
  await button(deleting, "Done").click();
  await deleting.waitFor({ state: "hidden" });
  expect(await keyRow(page, "doomed").count()).toBe(0);
  await standsIn(page, "Development");

  await page.goto(world.at("doomed"));
  await page.getByRole("heading", { name: "Environment not found" }).waitFor();
  await page.getByRole("link", { name: "Go to Acme" }).click();
  await page.waitForURL((url) => url.pathname === world.at("development"));
  expect(complaints).toEqual([]);
  await page.context().close();
});

/** Makes an environment, opens its delete dialog and confirms. */
async function remove(page: Page, slug: string): Promise<Locator> {
  await openEnvironments(page);
  await openKeyMenu(page, slug);
  await page.getByRole("menuitem", { name: "Delete environment" }).click();
  await dialog(page).getByLabel(`Type ${slug} to confirm`).fill(slug);
  await button(dialog(page), "Delete environment").click();
  return dialog(page);
}

test("a deletion that nobody answered is not sure of itself, and trying again deletes", async () => {
  const { secret_key } = await world.client.environments.create({ name: "Unsure", slug: "unsure" });
  const { page } = await world.visit();
  await page.route("**/v1/environments/unsure", (route) => route.abort());
  const deleting = await remove(page, "unsure");
  await deleting.getByText("The environment may or may not be deleted").waitFor();
  await deleting.getByText("count on its keys still working").waitFor();
  expect(await deleting.getByText("Recorded").count()).toBe(0);
  expect(await world.authenticate(secret_key ?? "")).toBe(200);
  await page.unroute("**/v1/environments/unsure");
  await button(deleting, "Try again").click();
  await deleting.getByText("Refused everywhere").waitFor();
  expect(await world.authenticate(secret_key ?? "")).toBe(401);
  await page.context().close();
});

test.for([
  ["the server answers 503", { status: 503 }],
  ["the answer is lost", null],
] as const)(
  "when %s to a deletion that is recorded the dialog says so, and checking again confirms it",
  async ([, answer]) => {
    const slug = answer === null ? "lost" : "late";
    await world.client.environments.create({ name: "Recorded", slug });
    const { page } = await world.visit();
    let answers = 0;
    await page.route(`**/v1/environments/${slug}`, async (route) => {
      await route.fetch(); // the server has done it
      await (answer === null
        ? route.abort()
        : route.fulfill({ ...answer, json: { code: "service_unavailable", message: "Repeat." } }));
      answers += 1;
    });
    const deleting = await remove(page, slug);
    await deleting.getByText("Recorded; not yet confirmed everywhere").waitFor();
    expect(await deleting.getByText("may or may not").count()).toBe(0);
    expect(await deleting.getByText("Refused everywhere").count()).toBe(0);
    await keyRow(page, slug).waitFor({ state: "hidden" });
    // Still not proved: nothing more is claimed.
    await button(deleting, "Check again").click();
    await expect.poll(() => answers).toBe(2);
    await deleting.getByText("Recorded; not yet confirmed everywhere").waitFor();
    await page.unroute(`**/v1/environments/${slug}`);
    await button(deleting, "Check again").click();
    await deleting.getByText("Already deleted, and refused everywhere").waitFor();
    expect(await button(deleting, "Check again").count()).toBe(0);
    await button(deleting, "Done").click();
    await deleting.waitFor({ state: "hidden" });
    await page.context().close();
  },
);

test("a deletion tells who confirmed and who was waited out, like a revocation", async () => {
  await world.client.environments.create({ name: "Fleet", slug: "fleet" });
  const { page } = await world.visit();
  await page.route("**/v1/environments/fleet", (route) =>
    route.fulfill({
      json: {
        revocation: {
          state: "effective",
          effective_at: new Date().toISOString(),
          took_ms: 10_120,
          acknowledged: 2,
          lapsed: 1,
        },
      },
    }),
  );
  const deleting = await remove(page, "fleet");
  await deleting.getByText("Refused everywhere after 10.1 s: 2 of 3 verifiers confirmed").waitFor();
  await deleting.getByText("1 did not answer; its lease ran out.").waitFor();
  await page.context().close();
});

test("the switcher goes to the same page of another environment, by menu and by E and a digit", async () => {
  const { page } = await world.visit();
  await openKeys(page);
  await button(page, "Environment: Development").click();
  await page.getByRole("menuitemradio", { name: "Production" }).click();
  await page.waitForURL((url) => url.pathname === world.at("production"));
  await keyRow(page, "Only in production").waitFor();

  await page.keyboard.press("e");
  await page.getByRole("menuitemradio", { name: "Production", checked: true }).waitFor();
  await page.keyboard.press("1");
  await page.waitForURL((url) => url.pathname === world.at("development"));
  await keyRow(page, "Only in development").waitFor();

  // Also on another page, and while the menu of the first time still fades out.
  await page.getByRole("link", { name: "Environments" }).click();
  await page.getByRole("heading", { name: "Environments" }).waitFor();
  await page.keyboard.press("E");
  await page.getByRole("menuitemradio", { name: "Production" }).waitFor();
  await page.keyboard.press("2");
  await page.waitForURL((url) => url.pathname === world.at("production", "settings/environments"));
  await page.getByRole("link", { name: "Audit log" }).click();
  await page.getByRole("heading", { name: "Audit log" }).waitFor();
  await page.keyboard.press("e");
  await page.getByRole("menuitemradio", { name: "Development" }).waitFor();
  await page.keyboard.press("1");
  await page.waitForURL((url) => url.pathname === world.at("development", "settings/audit-log"));
  await page.context().close();
});

test("E and a digit are only letters in a text box, and nothing while a dialog is open", async () => {
  const { page } = await world.visit();
  await openKeys(page);
  const search = page.getByRole("searchbox", { name: "Search API keys" });
  await search.press("e");
  await search.press("2");
  expect(await search.inputValue()).toBe("e2");
  expect(await page.getByRole("menu").count()).toBe(0);
  await search.fill("");

  await keyRow(page, "Only in development").waitFor();
  await button(page, "Create API key").click();
  await dialog(page).getByRole("radio", { name: "Secret" }).focus();
  await page.keyboard.press("e");
  await page.keyboard.press("2");
  expect(await page.getByRole("menu").count()).toBe(0);
  await dialog(page).getByText("Create API key for Development").waitFor();
  await button(dialog(page), "Cancel").click();
  await page.keyboard.press("Control+e");
  expect(await page.getByRole("menu").count()).toBe(0);
  expect(new URL(page.url()).pathname).toBe(world.at("development"));
  await page.context().close();
});

test("no row of one environment stands under the name of another, not for a moment", async () => {
  const { page } = await world.visit();
  await openKeys(page);
  await keyRow(page, "Only in development").waitFor();
  // Every frame of the page is looked at, from before the switch on.
  await page.evaluate(() => {
    const seen: string[] = [];
    const look = (): void => {
      const text = document.querySelector("main")?.textContent ?? "";
      if (!location.pathname.includes("/development/") && text.includes("Only in development"))
        seen.push(text);
      if (document.title.includes("Production") && text.includes("Only in development"))
        seen.push(text);
    };
    new MutationObserver(look).observe(document, {
      childList: true,
      subtree: true,
      characterData: true,
    });
    Object.assign(window, { seenElsewhere: seen });
  });
  let letThrough = (): void => {};
  const held = new Promise<void>((resolve) => {
    letThrough = resolve;
  });
  await page.route("**/v1/api_keys?environment=production**", async (route) => {
    await held;
    await route.continue();
  });
  await page.keyboard.press("e");
  await page.getByRole("menuitemradio", { name: "Production" }).waitFor();
  await page.keyboard.press("2");
  await page.getByText("They call your API for Production").waitFor();
  await page.getByText("Loading API keys").waitFor();
  expect(await page.getByText("Only in development").count()).toBe(0);
  letThrough();
  await keyRow(page, "Only in production").waitFor();
  expect(await page.evaluate(() => Reflect.get(window, "seenElsewhere"))).toEqual([]);
  await page.context().close();
});

test("search, filter and cursor stay behind in the environment that they belong to", async () => {
  const { page } = await world.visit();
  await openKeys(page);
  const search = page.getByRole("searchbox", { name: "Search API keys" });
  await search.fill("Only in development");
  await page.waitForURL(/[?&]q=/);
  await search.blur();
  await page.keyboard.press("e");
  await page.getByRole("menuitemradio", { name: "Production" }).waitFor();
  await page.keyboard.press("2");
  await keyRow(page, "Only in production").waitFor();
  expect(await search.inputValue()).toBe("");
  expect(new URL(page.url()).search).toBe("");

  // What is still being typed is not searched for over there.
  await search.pressSequentially("late");
  await button(page, "Environment: Production").click();
  await page.getByRole("menuitemradio", { name: "Development" }).click();
  await keyRow(page, "Only in development").waitFor();
  expect(new URL(page.url()).search).toBe("");
  await page.context().close();
});
