import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createClient } from "@latchkey/sdk/client";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button, dialog, keyRow, openKeyMenu, tokenIn } from "./parts.ts";
import { tellRole } from "./people.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

const DAY_MS = 86_400_000;

async function openPageOfTokens(page: Page): Promise<void> {
  await page.goto(world.at("production", "settings/service-tokens"));
  await page.getByRole("heading", { name: "Service tokens" }).waitFor();
}

const newToken = (name: string, expires_at?: string) =>
  world.client.serviceTokens.create({ name, expires_at });

/** What the management API answers to a service token. */
async function managed(token: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  return (await fetch(`${world.server.url}/v1/environments`, { headers })).status;
}

const exchange = async (token: string, environment = "production"): Promise<string> => {
  const client = createClient({ url: world.server.url, token });
  return (await client.apiKeys.exchange(environment)).api_key;
};

/** Runs a command that the dashboard shows, with the token where it belongs; hears what everybody sees of curl. */
async function runCommand(line: string, token: string) {
  const watched = `curl() { echo "$*" >&2; command curl "$@"; }\n${line}`;
  const env = { PATH: process.env.PATH, LATCHKEY_SERVICE_TOKEN: token };
  const { stdout, stderr } = await promisify(execFile)("sh", ["-c", watched], { env });
  return { answer: stdout, curlArguments: stderr };
}

async function create(page: Page, name: string, expires: string): Promise<void> {
  await button(page, "Create token").click();
  await dialog(page).getByLabel("Name").fill(name);
  await dialog(page).getByLabel("Expires", { exact: true }).selectOption({ label: expires });
}

async function askToDelete(page: Page, name: string): Promise<void> {
  await openKeyMenu(page, name);
  await page.getByRole("menuitem", { name: "Delete token" }).click();
}

test("a service token is shown once, works at once, and is listed with its end", async () => {
  const { page, complaints } = await world.visit({
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.goto(world.at("production"));
  await page.getByRole("link", { name: "Service tokens" }).click();
  await create(page, " Deployments ", "In 90 days");
  await button(dialog(page), "Create").click();
  const token = await tokenIn(dialog(page), "Service token");
  expect(token).toMatch(/^st_[0-9A-Za-z]{36}$/);
  expect(await managed(token)).toBe(200);
  const command = dialog(page).getByRole("region", { name: "Command" });
  const line = (await command.locator("code").textContent()) ?? "";
  expect(line).not.toContain(token);
  const ran = await runCommand(line, token);
  expect(JSON.parse(ran.answer)).toMatchObject({ service_token_name: "Deployments" });
  expect(ran.curlArguments).toContain(`${world.server.url}/v1/whoami`);
  expect(ran.curlArguments).not.toContain(token);
  await page.keyboard.press("Escape");
  await dialog(page).getByText("You will not see it again").waitFor();
  await button(dialog(page), "Copy service token").click();
  await dialog(page).getByText("Copied.").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  await button(dialog(page), "Done").click();
  await keyRow(page, "Deployments").getByText("by Ada").waitFor();
  await keyRow(page, "Deployments").getByText("in 3 months").waitFor();
  await page.reload();
  await keyRow(page, "Deployments").waitFor();
  expect(await page.content()).not.toContain(token);
  const [made] = (await world.client.serviceTokens.list()).entries;
  const lifeMs = Date.parse(made?.expires_at ?? "") - Date.parse(made?.created_at ?? "");
  expect(Math.abs(lifeMs - 90 * DAY_MS)).toBeLessThan(60_000);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("an end of one's own is kept to the minute, and has to lie ahead", async () => {
  const { page } = await world.visit();
  await openPageOfTokens(page);
  await create(page, "Own end", "At a date and time…");
  await button(dialog(page), "Create").click();
  await dialog(page).getByText("Choose a date and time.").waitFor();
  await dialog(page).getByLabel("Expires at").fill("2020-01-01T00:00");
  await button(dialog(page), "Create").click();
  await dialog(page).getByText("Choose a moment in the future.").waitFor();
  await dialog(page).getByLabel("Expires at").fill("2090-05-06T07:08");
  await button(dialog(page), "Create").click();
  await tokenIn(dialog(page), "Service token");
  const [made] = (await world.client.serviceTokens.list()).entries;
  const asShown = await page.evaluate(() => new Date("2090-05-06T07:08").toISOString());
  expect([made?.name, made?.expires_at]).toEqual(["Own end", asShown]);
  await page.context().close();
});

test("deleting says what breaks, and when its receipt is shown nothing of it works any more", async () => {
  const doomed = await newToken("Doomed");
  const other = await newToken("Other");
  const keys = [await exchange(doomed.token), await exchange(doomed.token, "development")];
  const kept = await exchange(other.token);
  const { page, complaints } = await world.visit();
  await openPageOfTokens(page);
  await askToDelete(page, "Doomed");
  await dialog(page).getByText("Programs that use it are refused at once").waitFor();
  await dialog(page).getByText("2 API keys that it was exchanged for are revoked").waitFor();
  await button(dialog(page), "Cancel").click();
  expect(await managed(doomed.token)).toBe(200);

  await askToDelete(page, "Doomed");
  await button(dialog(page), "Delete token").click();
  await dialog(page)
    .getByText(/^Refused everywhere after .*: 1 of 1 verifier confirmed$/)
    .waitFor();
  expect(await managed(doomed.token)).toBe(401);
  for (const key of keys) expect(await world.authenticate(key)).toBe(401);
  expect(await managed(other.token)).toBe(200);
  expect(await world.authenticate(kept)).toBe(200);
  await button(dialog(page), "Done").click();
  await keyRow(page, "Doomed").waitFor({ state: "hidden" });
  await askToDelete(page, "Other");
  await dialog(page).getByText("1 API key that it was exchanged for is revoked").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("creating again after a lost answer makes no second token, and says that it is lost", async () => {
  const { page } = await world.visit();
  await openPageOfTokens(page);
  let lost = 0;
  await page.route("**/v1/service_tokens", async (route) => {
    if (route.request().method() !== "POST" || lost > 0) return route.continue();
    lost += 1;
    await route.fetch(); // the server has done it
    return route.abort();
  });
  await create(page, "Once only", "Never");
  await button(dialog(page), "Create").click();
  await dialog(page).getByText("The server could not be reached").waitFor();
  await button(dialog(page), "Create").click();
  await dialog(page).getByText("The token was lost on its way").waitFor();
  await button(dialog(page), "Done").click();
  await keyRow(page, "Once only").getByText("Never").first().waitFor();
  const names: string[] = [];
  for await (const { name } of world.client.serviceTokens.all()) names.push(name);
  expect(names.filter((name) => name === "Once only")).toHaveLength(1);
  await page.context().close();
});

test("a deletion whose answer is lost is recorded, and checking again proves it", async () => {
  const { token } = await newToken("Lost answer");
  const { page } = await world.visit();
  await openPageOfTokens(page);
  await page.route("**/v1/service_tokens/tok_*", async (route) => {
    await route.fetch(); // the server has done it
    await route.abort();
  });
  await askToDelete(page, "Lost answer");
  await button(dialog(page), "Delete token").click();
  await dialog(page).getByText("Recorded; not yet confirmed everywhere").waitFor();
  await page.unroute("**/v1/service_tokens/tok_*");
  await button(dialog(page), "Check again").click();
  await dialog(page).getByText("Already deleted, and refused everywhere").waitFor();
  expect(await managed(token)).toBe(401);
  await page.context().close();
});

test.for(["member", "support"])(
  "the role %s sees no way there, and the page asks for nothing",
  async (role) => {
    const { page } = await world.visit();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await tellRole(page, role);
    await page.goto(world.at("production", "settings/environments"));
    await page.getByRole("link", { name: "Environments" }).waitFor();
    expect(await page.getByRole("link", { name: "Service tokens" }).count()).toBe(0);
    await openPageOfTokens(page);
    await page.getByText("Only owners and admins see service tokens").waitFor();
    expect(await button(page, "Create token").count()).toBe(0);
    expect(asked.filter((path) => path.startsWith("/v1/service_tokens"))).toEqual([]);
    await page.context().close();
  },
);

test("many service tokens are turned over in pages, which the address names", async () => {
  for (let count = 0; count < 26; count += 1) await newToken(`Of many ${count}`);
  const { page } = await world.visit();
  await openPageOfTokens(page);
  const rows = page.locator("tbody").getByRole("row");
  await expect.poll(() => rows.count()).toBe(25);
  await button(page, "Next").click();
  await keyRow(page, "Of many 0").waitFor();
  expect(page.url()).toMatch(/\?after=tok_[0-9a-f]{32}$/);
  await page.reload();
  await button(page, "Previous").click();
  await keyRow(page, "Of many 25").waitFor();
  await page.context().close();
});

describe("service tokens look good", () => {
  let context: BrowserContext;
  beforeAll(async () => {
    context = await world.profile();
    await newToken("Ends soon", new Date(Date.now() + 5 * DAY_MS).toISOString());
    await newToken("long-name-".repeat(6));
  });

  const page_info = { after: null, before: null, page_size: 25 };

  /** Answers the list with tokens of which the newest has ended, for no test waits that long. */
  async function endTheNewest(page: Page): Promise<void> {
    await page.route("**/v1/service_tokens?**", async (route) => {
      const { entries, ...rest } = await (await route.fetch()).json();
      const expires_at = new Date(Date.now() - DAY_MS).toISOString();
      const ended = { ...entries[0], name: "Ended", expires_at, exchanged_keys: 3 };
      return route.fulfill({ json: { entries: [ended, ...entries.slice(1)], ...rest } });
    });
  }

  const states: Record<string, (page: Page) => Promise<unknown>> = {
    "service tokens": async (page) => {
      await endTheNewest(page);
      await openPageOfTokens(page);
      await keyRow(page, "Ended").getByText("Expired").waitFor();
    },
    "no service tokens": async (page) => {
      await page.route("**/v1/service_tokens?**", (route) =>
        route.fulfill({ json: { entries: [], page_info } }),
      );
      await openPageOfTokens(page);
      await page.getByText("No service tokens").waitFor();
    },
    "service tokens still loading": async (page) => {
      await page.route("**/v1/service_tokens?**", () => {}); // never answered
      await openPageOfTokens(page);
      await page.getByText("Loading service tokens").waitFor();
    },
    "service tokens without a server": async (page) => {
      await page.route("**/v1/service_tokens?**", (route) => route.abort());
      await openPageOfTokens(page);
      await button(page, "Try again").waitFor();
    },
    "service tokens, for a member": async (page) => {
      await tellRole(page, "member");
      await openPageOfTokens(page);
      await page.getByText("Only owners and admins see service tokens").waitFor();
    },
    "create dialog of service tokens": async (page) => {
      await openPageOfTokens(page);
      await create(page, "Deployments", "At a date and time…");
      await dialog(page).getByLabel("Expires at").waitFor();
    },
    "create dialog of service tokens with mistakes": async (page) => {
      await openPageOfTokens(page);
      await create(page, " ", "At a date and time…");
      await button(dialog(page), "Create").click();
      await dialog(page).getByText("Enter a name.").waitFor();
    },
    "create dialog with the service token": async (page) => {
      await openPageOfTokens(page);
      await page.route("**/v1/service_tokens", async (route) => {
        const [some] = (await world.client.serviceTokens.list()).entries;
        const token = `st_${"0aZ".repeat(12)}`;
        await route.fulfill({ status: 201, json: { ...some, token } });
      });
      await create(page, "Deployments", "Never");
      await button(dialog(page), "Create").click();
      await dialog(page).getByText("LATCHKEY_SERVICE_TOKEN, where").waitFor();
    },
    "delete dialog of a service token": async (page) => {
      await endTheNewest(page);
      await openPageOfTokens(page);
      await askToDelete(page, "Ended");
      await dialog(page).getByText("3 API keys").waitFor();
    },
    "delete dialog of a service token with its receipt": async (page) => {
      const effective_at = new Date().toISOString();
      const revocation = { state: "effective", effective_at, took_ms: 14, acknowledged: 5 };
      await endTheNewest(page);
      await openPageOfTokens(page);
      await page.route("**/v1/service_tokens/tok_*", (route) =>
        route.fulfill({ json: { revocation: { ...revocation, lapsed: 0 } } }),
      );
      await askToDelete(page, "Ended");
      await button(dialog(page), "Delete token").click();
      await dialog(page).getByText("5 of 5 verifiers confirmed").waitFor();
    },
  };

  test.concurrent.for(Object.entries(states))(
    "%s, four ways: axe, the policy and the console are content",
    { timeout: WITHIN_MS },
    ([name, open]) => expectGoodFourWays(context, name, open, false),
  );
});
