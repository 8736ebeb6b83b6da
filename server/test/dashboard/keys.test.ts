import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, dialog, kept, keyRow, openKeyMenu, tokenIn } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await world.client.environments.create({ name: "Crowd", slug: "crowd" });
  for (let count = 1; count <= 60; count += 1)
    await world.client.apiKeys.create("crowd", { type: "secret", description: `Service ${count}` });
});
afterAll(() => world?.end());

const newKey = (description: string, type: ApiKeyJson["type"] = "secret"): Promise<ApiKeyJson> =>
  world.client.apiKeys.create("production", { type, description });

/** The keys page of an environment, with its list there. */
async function openKeys(page: Page, environment = "production", search = ""): Promise<void> {
  await page.goto(world.at(environment) + search);
  await page.getByRole("table", { name: "API keys" }).waitFor();
}

test("a secret token is shown once, cannot be dismissed by accident, and is nowhere after Done", async () => {
  const { page, complaints } = await world.visit({
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.goto(world.at("production", "settings/environments"));
  await page.getByRole("link", { name: "API keys" }).click();
  await button(page, "Create API key").click();
  const creating = dialog(page);
  await creating.getByRole("radio", { name: "Secret" }).check();
  await creating.getByLabel("Description").fill("Invoices");
  await creating.getByLabel("Expires").selectOption({ label: "In 30 days" });
  await button(creating, "Create").click();
  const token = await tokenIn(creating, "Token");
  expect(token).toMatch(/^sk_[0-9A-Za-z]{36}$/);
  expect(await world.authenticate(token)).toBe(200);

  await page.keyboard.press("Escape");
  await page.mouse.click(5, 5);
  await creating.getByText("You will not see it again").waitFor();
  expect(await button(creating, "Close").count()).toBe(0);
  // Neither going back nor leaving the site loses it without a question.
  const asked: string[] = [];
  page.on("dialog", (question) => {
    asked.push(question.type());
    void question.dismiss();
  });
  await page.evaluate(() => window.history.back());
  await expect.poll(() => asked).toEqual(["confirm"]);
  await page.evaluate(() => window.location.reload());
  await expect.poll(() => asked).toEqual(["confirm", "beforeunload"]);
  await creating.getByText(token).waitFor();

  await button(creating, "Copy token").click();
  await creating.getByText("Copied.").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  await button(creating, "Done").click();
  await creating.waitFor({ state: "hidden" });
  await keyRow(page, "Invoices").getByText("Expires in 30 days").waitFor();
  expect(await kept(page)).not.toContain(token);
  await page.reload(); // no question any more
  expect(asked.length).toBe(2);
  await keyRow(page, "Invoices").waitFor();
  expect(await kept(page)).not.toContain(token);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a public token can be copied at any time", async () => {
  const { page } = await world.visit({ permissions: ["clipboard-read", "clipboard-write"] });
  await openKeys(page);
  await button(page, "Create API key").click();
  await dialog(page).getByRole("radio", { name: "Public" }).check();
  await dialog(page).getByLabel("Description").fill("Web site");
  await button(dialog(page), "Create").click();
  const token = await tokenIn(dialog(page), "Token");
  expect(token).toMatch(/^pk_[0-9A-Za-z]{36}$/);
  await button(dialog(page), "Done").click();
  await page.reload();
  await openKeyMenu(page, "Web site");
  await page.getByRole("menuitem", { name: "Copy token" }).click();
  await page.getByText("Token copied").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  await page.context().close();
});

test("creating again after a lost answer makes no second key, and says that its token is lost", async () => {
  const { page } = await world.visit();
  await openKeys(page);
  await button(page, "Create API key").click();
  await dialog(page).getByLabel("Description").fill("Once only");
  let lost = 0;
  await page.route("**/v1/api_keys?*", async (route) => {
    if (route.request().method() !== "POST" || lost > 0) return route.continue();
    lost += 1;
    await route.fetch(); // the server has done it
    return route.abort();
  });
  await button(dialog(page), "Create").click();
  await dialog(page).getByText("The server could not be reached").waitFor();
  await button(dialog(page), "Create").click();
  await dialog(page).getByText("The token was lost on its way").waitFor();
  await button(dialog(page), "Done").click();
  await keyRow(page, "Once only").waitFor();
  expect(await keyRow(page, "Once only").count()).toBe(1);
  await page.context().close();
});

test("an expiry of one's own lies in the future, and a refused field is told at the field", async () => {
  const { page } = await world.visit();
  await openKeys(page);
  await button(page, "Create API key").click();
  const creating = dialog(page);
  await creating.getByLabel("Expires").selectOption("own");
  await creating.getByLabel("Expires at").fill("2020-01-01T10:00");
  await button(creating, "Create").click();
  await creating.getByText("Choose a moment in the future.").waitFor();
  await creating.getByLabel("Expires at").fill("2099-01-01T10:00");
  await page.route("**/v1/api_keys?*", (route) =>
    route.fulfill({
      status: 422,
      json: {
        code: "invalid_params",
        message: "Wrong.",
        errors: [{ field: "description", message: "Not this word." }],
      },
    }),
  );
  await button(creating, "Create").click();
  await creating.getByText("Not this word.").waitFor();
  expect(await creating.getByLabel("Description").getAttribute("aria-invalid")).toBe("true");
  await page.unroute("**/v1/api_keys?*");
  await creating.getByLabel("Description").fill("Far away");
  await button(creating, "Create").click();
  await button(creating, "Done").click();
  await keyRow(page, "Far away")
    .getByText(/^Expires in \d+ years$/)
    .waitFor();
  await page.context().close();
});

test("a description can be changed, and markup in it is only text", async () => {
  await newKey("Before");
  const { page, complaints } = await world.visit();
  await openKeys(page);
  await openKeyMenu(page, "Before");
  await page.getByRole("menuitem", { name: "Edit description" }).click();
  const markup = `<img src=x onerror="document.title='owned'"> & "After"`;
  await dialog(page).getByLabel("Description").fill(markup);
  await button(dialog(page), "Save").click();
  await dialog(page).waitFor({ state: "hidden" });
  await keyRow(page, markup).waitFor();
  expect(await page.getByText("Before", { exact: true }).count()).toBe(0);
  expect(await page.title()).toContain("API keys");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("searching waits for a pause, lives in the address and survives a reload", async () => {
  const { page } = await world.visit();
  await openKeys(page, "crowd");
  const asked: (string | null)[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.pathname === "/v1/api_keys" && url.searchParams.has("q"))
      asked.push(url.searchParams.get("q"));
  });
  const search = page.getByRole("searchbox", { name: "Search API keys" });
  await search.pressSequentially("Service 17");
  await page.waitForURL(/[?&]q=Service(?:\+|%20)17/);
  await expect.poll(() => keyRow(page, "Service").count()).toBe(1);
  expect(asked.length).toBeLessThan("Service 17".length);
  expect(asked.at(-1)).toBe("Service 17");
  await page.reload();
  await keyRow(page, "Service 17").waitFor();
  expect(await search.inputValue()).toBe("Service 17");
  expect(await keyRow(page, "Service").count()).toBe(1);

  await search.fill("42"); // a number in the address is text in the box
  await page.waitForURL(/[?&]q=/);
  await keyRow(page, "Service 42").waitFor();
  await page.reload();
  await keyRow(page, "Service 42").waitFor();
  expect(await search.inputValue()).toBe("42");

  await search.fill("nobody");
  await page.getByText("Nothing found").waitFor();
  await page.getByRole("button", { name: "Clear search" }).last().click();
  await keyRow(page, "Service 60").waitFor();
  expect(new URL(page.url()).search).toBe("");
  await page.context().close();
});

test("the status filter lives in the address, and revoked keys say who, when and why", async () => {
  const { id } = await newKey("Left the company");
  await world.client.apiKeys.revoke(id, { reason: "no longer needed" });
  await world.client.apiKeys.create("production", {
    type: "secret",
    description: "For a moment",
    expires_at: new Date(Date.now() + 500).toISOString(),
  });
  await newKey("Still at work");
  const expired = { environment: "production", status: "expired" } as const;
  await expect.poll(async () => (await world.client.apiKeys.list(expired)).entries.length).toBe(1);
  const { page } = await world.visit();
  await openKeys(page);
  const status = (name: string): Promise<void> =>
    page.getByRole("radiogroup", { name: "Status" }).getByText(name, { exact: true }).click();

  await status("Revoked");
  await page.waitForURL(/[?&]status=revoked/);
  const row = keyRow(page, "Left the company");
  await row.getByText(/just now by First token: no longer needed/).waitFor();
  await row.getByText("Revoked", { exact: true }).waitFor();
  await row.getByText(/^Refused everywhere after \d+ ms: 1 of 1 verifier confirmed$/).waitFor();
  await keyRow(page, "Still at work").waitFor({ state: "hidden" });
  await openKeyMenu(page, "Left the company");
  await page.getByRole("menuitem", { name: "Copy key id" }).waitFor();
  expect(await page.getByRole("menuitem", { name: "Revoke API key" }).count()).toBe(0);
  await page.keyboard.press("Escape");

  await status("Expired");
  await page.waitForURL(/[?&]status=expired/);
  await keyRow(page, "For a moment").getByText("Expired", { exact: true }).waitFor();
  await row.waitFor({ state: "hidden" });

  await status("All");
  await page.waitForURL(/[?&]status=all/);
  for (const text of ["Left the company", "For a moment", "Still at work"])
    await keyRow(page, text).waitFor();
  await page.reload();
  await row.waitFor();

  await page.goBack();
  await page.waitForURL(/[?&]status=expired/);
  await keyRow(page, "Still at work").waitFor({ state: "hidden" });
  await status("Active");
  await keyRow(page, "Still at work").waitFor();
  expect(new URL(page.url()).search).toBe("");
  await page.context().close();
});

test("62 keys are three pages, each key on exactly one of them, there and back", async () => {
  const { page } = await world.visit();
  await openKeys(page, "crowd");
  const hints = (): Promise<string[]> => page.locator("tbody tr td:nth-child(2)").allInnerTexts();
  const turn = async (name: "Next" | "Previous"): Promise<string[]> => {
    const before = await hints();
    await button(page, name).click();
    await expect.poll(async () => (await hints())[0]).not.toBe(before[0]);
    return hints();
  };
  const one = await hints();
  expect(await button(page, "Previous").isDisabled()).toBe(true);
  const two = await turn("Next");
  await page.waitForURL(/[?&]after=/);
  const three = await turn("Next");
  expect(await button(page, "Next").isDisabled()).toBe(true);
  expect([one.length, two.length, three.length]).toEqual([25, 25, 12]);
  expect(new Set([...one, ...two, ...three]).size).toBe(62);
  expect(await turn("Previous")).toEqual(two);
  expect(await turn("Previous")).toEqual(one);
  await page.goBack();
  await expect.poll(hints).toEqual(two);
  await page.reload();
  await expect.poll(hints).toEqual(two);
  await page.context().close();
});
