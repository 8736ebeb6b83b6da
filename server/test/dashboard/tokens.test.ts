import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, dialog, keyRow, openKeyMenu, tokenIn } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

async function openTokens(page: Page): Promise<void> {
  await page.goto(world.at("production", "operator/tokens"));
  await page.getByRole("table", { name: "Tokens" }).waitFor();
}

const newToken = (name: string) => world.operator.tokens.create({ kind: "verifier", name });

async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of world.operator.tokens.all()) found.push(name);
  return found;
}

/** Fills the create dialog in and sends it. */
async function create(page: Page, name: string, kind = "Verifier"): Promise<Locator> {
  await button(page, "Create token").click();
  const creating = dialog(page);
  await creating.getByLabel("Name").fill(name);
  await creating.getByRole("radio", { name: kind }).check();
  await button(creating, "Create").click();
  return creating;
}

/** Opens the delete dialog of a token and confirms. */
async function remove(page: Page, name: string): Promise<Locator> {
  await openKeyMenu(page, name);
  await page.getByRole("menuitem", { name: "Delete token" }).click();
  await button(dialog(page), "Delete token").click();
  return dialog(page);
}

test("a verifier token is shown once, with what a program needs, and verifies keys", async () => {
  const { page, complaints } = await world.visit({
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.goto(world.at("production"));
  await page.getByRole("link", { name: "Verifier tokens" }).click();
  const creating = await create(page, " Checkout service ");
  const token = await tokenIn(creating, "Verifier token");
  expect(token).toMatch(/^vt_[0-9A-Za-z]{36}$/);
  expect(await world.verifyWith(token)).toBe(200);
  const program = creating.getByRole("region", { name: "Program" });
  expect(await program.textContent()).toContain(`url: "${world.server.url}"`);
  // The lines may end up in a repository: the token is not in them.
  expect(await program.textContent()).not.toContain(token);

  await page.keyboard.press("Escape");
  await page.mouse.click(5, 5);
  await creating.getByText("You will not see it again").waitFor();
  expect(await button(creating, "Close").count()).toBe(0);
  const asked: string[] = [];
  page.on("dialog", (question) => {
    asked.push(question.type());
    void question.dismiss();
  });
  await page.evaluate(() => window.history.back());
  await expect.poll(() => asked).toEqual(["confirm"]);

  await button(creating, "Copy verifier token").click();
  await creating.getByText("Copied.").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  await button(creating, "Done").click();
  await creating.waitFor({ state: "hidden" });
  await keyRow(page, "Checkout service").getByText("Verifier", { exact: true }).waitFor();
  await keyRow(page, "Checkout service").getByText("by Ada").waitFor();
  await page.reload();
  await keyRow(page, "Checkout service").waitFor();
  expect(await page.content()).not.toContain(token);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("an operator token works at once", async () => {
  const { page } = await world.visit();
  await openTokens(page);
  const creating = await create(page, "Backend", "Operator");
  const token = await tokenIn(creating, "Operator token");
  expect(await creating.getByText("connectVerifier").count()).toBe(0);
  const answer = await fetch(`${world.server.url}/v1/accounts`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  await button(creating, "Done").click();
  await keyRow(page, "Backend").getByText("Operator", { exact: true }).waitFor();
  await page.context().close();
});

test("creating again after a lost answer makes no second token, and says that it is lost", async () => {
  const { page } = await world.visit();
  await openTokens(page);
  let lost = 0;
  await page.route("**/v1/tokens", async (route) => {
    if (route.request().method() !== "POST" || lost > 0) return route.continue();
    lost += 1;
    await route.fetch(); // the server has done it
    return route.abort();
  });
  const creating = await create(page, "Once only");
  await creating.getByText("The server could not be reached").waitFor();
  await button(creating, "Create").click();
  await creating.getByText("The token was lost on its way").waitFor();
  await button(creating, "Done").click();
  await keyRow(page, "Once only").waitFor();
  expect((await names()).filter((name) => name === "Once only")).toHaveLength(1);
  await page.context().close();
});

test("a name is asked for, and what the server says of it stands at the field", async () => {
  const { page } = await world.visit();
  await openTokens(page);
  const before = await names();
  const creating = await create(page, "  ");
  await creating.getByText("Enter a name.").waitFor();
  await page.route("**/v1/tokens", (route) =>
    route.fulfill({
      status: 422,
      json: {
        code: "invalid_params",
        message: "Some parameters are wrong.",
        errors: [{ field: "name", message: "Not this name." }],
      },
    }),
  );
  await creating.getByLabel("Name").fill("x");
  await button(creating, "Create").click();
  await creating.getByText("Not this name.").waitFor();
  await button(creating, "Cancel").click();
  expect(await names()).toEqual(before);
  await page.context().close();
});

test("a deleted token is refused when its receipt is shown, and no other", async () => {
  const { token } = await newToken("Old service");
  const other = await newToken("Other service");
  expect(await world.verifyWith(token)).toBe(200);
  const { page, complaints } = await world.visit();
  await openTokens(page);
  await openKeyMenu(page, "Old service");
  await page.getByRole("menuitem", { name: "Delete token" }).click();
  const deleting = dialog(page);
  await deleting.getByText("This ends its sessions at once").waitFor();
  await deleting.getByText("Last used").waitFor();
  await button(deleting, "Cancel").click();
  await deleting.waitFor({ state: "hidden" });
  expect(await world.verifyWith(token)).toBe(200);

  await remove(page, "Old service");
  await deleting.getByText(/^Refused everywhere after .*: 1 of 1 verifier confirmed$/).waitFor();
  expect(await world.verifyWith(token)).toBe(401);
  expect(await world.verifyWith(other.token)).toBe(200);
  await button(deleting, "Done").click();
  await keyRow(page, "Old service").waitFor({ state: "hidden" });
  await keyRow(page, "Other service").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test.for([
  ["the server answers 503", { status: 503 }],
  ["the network is down", null],
] as const)("when %s it is not known whether the token is deleted", async ([name, answer]) => {
  const { token } = await newToken(name);
  const { page } = await world.visit();
  await openTokens(page);
  await page.route("**/v1/tokens/tok_*", (route) =>
    answer === null
      ? route.abort()
      : route.fulfill({ ...answer, json: { code: "service_unavailable", message: "Not now." } }),
  );
  const deleting = await remove(page, name);
  await deleting.getByText("The token may or may not be deleted").waitFor();
  expect(await deleting.getByText("Refused everywhere").count()).toBe(0);
  expect(await world.verifyWith(token)).toBe(200);
  await page.unroute("**/v1/tokens/tok_*");
  await button(deleting, "Try again").click();
  await deleting.getByText(/^Refused everywhere after/).waitFor();
  expect(await world.verifyWith(token)).toBe(401);
  await page.context().close();
});

test("a deletion whose answer is lost is recorded, and checking again proves it", async () => {
  const { token } = await newToken("Lost answer");
  const { page } = await world.visit();
  await openTokens(page);
  await page.route("**/v1/tokens/tok_*", async (route) => {
    await route.fetch(); // the server has done it
    await route.abort();
  });
  const deleting = await remove(page, "Lost answer");
  await deleting.getByText("Recorded; not yet confirmed everywhere").waitFor();
  expect(await deleting.getByText("may or may not").count()).toBe(0);
  await page.unroute("**/v1/tokens/tok_*");
  await button(deleting, "Check again").click();
  await deleting.getByText("Already deleted, and refused everywhere").waitFor();
  expect(await world.verifyWith(token)).toBe(401);
  await button(deleting, "Done").click();
  await keyRow(page, "Lost answer").waitFor({ state: "hidden" });
  await page.context().close();
});

test("a refused deletion says that the token was not deleted", async () => {
  await newToken("Kept");
  const { page } = await world.visit();
  await openTokens(page);
  await page.route("**/v1/tokens/tok_*", (route) =>
    route.fulfill({
      status: 403,
      json: { code: "access_denied", message: "Only the operator may do this." },
    }),
  );
  const deleting = await remove(page, "Kept");
  await deleting.getByText("The token was not deleted").waitFor();
  await deleting.getByText("Only the operator may do this.").waitFor();
  expect(await names()).toContain("Kept");
  await page.context().close();
});

test("whoever is not the operator sees no way there, and the page asks for nothing", async () => {
  const { page } = await world.visit();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.route("**/v1/me", async (route) =>
    route.fulfill({ json: { ...(await (await route.fetch()).json()), operator: false } }),
  );
  await page.goto(world.at("production"));
  await page.getByRole("link", { name: "Environments" }).waitFor();
  expect(await page.getByRole("link", { name: "Verifier tokens" }).count()).toBe(0);
  expect(await page.getByRole("region", { name: "Operator" }).count()).toBe(0);
  await page.goto(world.at("production", "operator/tokens"));
  await page.getByText("Only the operator sees these tokens").waitFor();
  expect(await button(page, "Create token").count()).toBe(0);
  expect(asked.filter((path) => path.startsWith("/v1/tokens"))).toEqual([]);
  await page.context().close();
});

test("many tokens are turned over in pages, which the address names", async () => {
  // The oldest one is alone on the last page.
  for (let count = (await names()).length; count % 25 !== 1; count += 1) await newToken(`${count}`);
  const pages = Math.floor((await names()).length / 25);
  const { page } = await world.visit();
  await openTokens(page);
  const rows = page.locator("tbody").getByRole("row");
  const newest = () => rows.first().getByText(/^vt_…/).textContent();
  const before = await newest();
  expect(await rows.count()).toBe(25);
  for (let turned = 0; turned < pages; turned += 1) await button(page, "Next").click();
  await keyRow(page, "First verifier token").waitFor();
  expect(await rows.count()).toBe(1);
  expect(page.url()).toMatch(/\?after=tok_[0-9a-f]{32}$/);
  await page.reload();
  await keyRow(page, "First verifier token").waitFor();
  await button(page, "Previous").click();
  await expect.poll(() => rows.count()).toBe(25);
  expect(page.url()).toMatch(/\?before=tok_[0-9a-f]{32}$/);

  await page.goBack();
  const deleting = await remove(page, "First verifier token");
  await deleting.getByText(/^Refused everywhere after/).waitFor();
  await button(deleting, "Done").click();
  // A page that is empty now gives way to the first.
  await expect.poll(newest).toBe(before);
  expect(page.url()).toMatch(/\/operator\/tokens$/);
  await page.context().close();
});

test("with the keyboard alone the focus is always where the next step is", async () => {
  const { page } = await world.visit();
  await openTokens(page);
  const isFocused = (locator: Locator): Promise<boolean> =>
    locator.evaluate((element) => element === document.activeElement);
  await button(page, "Create token").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => isFocused(dialog(page).getByLabel("Name"))).toBe(true);
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Enter");
  await expect.poll(() => isFocused(button(dialog(page), "Copy verifier token"))).toBe(true);
  await button(dialog(page), "Done").press("Enter");
  await expect.poll(() => isFocused(button(page, "Create token"))).toBe(true);

  const menu = keyRow(page, "By keyboard").getByRole("button", { name: /^Actions for/ });
  await menu.press("Enter");
  await page.getByRole("menuitem", { name: "Delete token" }).press("Enter");
  await expect.poll(() => isFocused(button(dialog(page), "Cancel"))).toBe(true);
  await page.keyboard.press("Escape");
  await expect.poll(() => isFocused(menu)).toBe(true);
  await menu.press("Enter");
  await page.getByRole("menuitem", { name: "Delete token" }).press("Enter");
  await button(dialog(page), "Delete token").press("Enter");
  await expect.poll(() => isFocused(button(dialog(page), "Done"))).toBe(true);
  await page.keyboard.press("Enter");
  await keyRow(page, "By keyboard").waitFor({ state: "hidden" });
  await expect.poll(() => isFocused(page.getByRole("heading", { level: 1 }))).toBe(true);
  await page.context().close();
});
