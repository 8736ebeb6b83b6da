import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, eventually, kept, keyRow, tokenIn } from "./parts.ts";
import { openPage, openWorld, type World } from "./world.ts";

let world: World;
let context: BrowserContext;
beforeAll(async () => {
  world = await openWorld({ LATCHKEY_SIGNUP: "open" });
  context = await world.profile();
  await world.client.apiKeys.create("development", { type: "secret", description: "Of Acme" });
});
afterAll(() => world?.end());

/** The accounts that a page's calls named, by what they asked for. */
function watchAccounts(page: Page): Set<string> {
  const named = new Set<string>();
  page.on("request", (request) => {
    const account = request.headers()["latchkey-account"];
    if (account !== undefined) named.add(account);
  });
  return named;
}

async function makeKey(page: Page, account: string, description: string): Promise<void> {
  const answer = await page.request.post("/v1/api_keys?environment=development", {
    data: { type: "secret", description },
    headers: { Origin: world.server.url, "Latchkey-Account": account },
  });
  if (!answer.ok()) throw new Error(`no key was made: ${answer.status()}`);
}

test("somebody signs up, makes an account, and gets its tokens once", async () => {
  const { page, complaints } = await world.visit({ signedIn: false });
  await page.goto("/");
  await page.getByRole("link", { name: "Create a sign-in" }).click();
  await page.getByLabel("Your name").fill("Margaret");
  await page.getByLabel("E-mail").fill("margaret@example.com");
  await page.getByLabel("Password", { exact: true }).fill("another password of some length");
  await button(page, "Continue").click();
  await page.getByRole("heading", { name: "Create your first account" }).waitFor();
  await page.getByLabel("Account name").fill("Apollo Guidance");
  expect(await page.getByLabel("Account slug").inputValue()).toBe("apollo-guidance");
  await button(page, "Create account").click();
  await page.getByRole("heading", { name: "Your keys" }).waitFor();
  const token = await tokenIn(page, "Development secret key");
  expect(await world.authenticate(token)).toBe(200);
  await page.getByLabel("I have saved these tokens in a safe place").check();
  await button(page, "Go to API keys").click();
  await page.getByRole("heading", { name: "API keys" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/apollo-guidance/development/platform/api-keys");
  expect(await kept(page)).not.toContain(token);
  expect(await page.getByText("Of Acme").count()).toBe(0);
  await page.goto(world.at("development"));
  await page.getByRole("heading", { name: "Account not found" }).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("two tabs on two accounts never mix, while one of them switches", async () => {
  const { page: first, complaints } = await openPage(context);
  await first.goto(world.at("development"));
  await button(first, "Account: Acme").click();
  await first.getByRole("menuitem", { name: "Create an account" }).click();
  await first.getByLabel("Account name").fill("Beta");
  await first.getByLabel("Account slug").fill("acme");
  await button(first, "Create account").click();
  await first
    .getByText("This slug is taken, or was: slugs are never given out again.", { exact: true })
    .waitFor();
  await first.getByLabel("Account slug").fill("beta");
  await button(first, "Create account").click();
  await first.getByRole("heading", { name: "Your keys" }).waitFor();
  await first.getByLabel("I have saved these tokens in a safe place").check();
  await button(first, "Go to API keys").click();
  await first.getByRole("heading", { name: "API keys" }).waitFor();
  await makeKey(first, "beta", "Of Beta");
  await first.reload();
  await keyRow(first, "Of Beta").waitFor();

  const { page: second } = await openPage(context);
  const bySecond = watchAccounts(second);
  await second.goto(world.at("development"));
  await keyRow(second, "Of Acme").waitFor();
  const byFirst = watchAccounts(first);
  await first.reload();
  await keyRow(first, "Of Beta").waitFor();
  expect(await first.getByText("Of Acme").count()).toBe(0);
  expect(await second.getByText("Of Beta").count()).toBe(0);

  // One switches: nothing of the account that it leaves is on it, not for a moment, nor does the other tab move.
  await second.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const heading = document
        .querySelector("[aria-label^='Account: ']")
        ?.getAttribute("aria-label");
      const rows = document.querySelector("main")?.textContent ?? "";
      if (heading === "Account: Beta" && rows.includes("Of Acme")) seen.push(rows);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  await button(second, "Account: Acme").click();
  await second.getByRole("menuitemradio", { name: /^Beta/ }).click();
  await keyRow(second, "Of Beta").waitFor();
  expect(await second.evaluate(() => Reflect.get(window, "seen"))).toEqual([]);
  await button(second, "Account: Beta").click();
  await second.getByRole("menuitemradio", { name: /^Acme/ }).click();
  await keyRow(second, "Of Acme").waitFor();
  await makeKey(second, "acme", "Later of Acme");
  await second.reload();
  await keyRow(second, "Later of Acme").waitFor();
  await eventually(() => first.getByText("Of Beta").count()).toBe(1);
  expect(await first.getByText("of Acme").count()).toBe(0);
  expect([...byFirst]).toEqual(["beta"]);
  expect([...bySecond].toSorted()).toEqual(["acme", "beta"]);
  expect(complaints).toEqual([]);
  await first.close();
  await second.close();
});
