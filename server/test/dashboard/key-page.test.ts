import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, dialog, keyRow, openKeyMenu } from "./parts.ts";
import { tellRole } from "./people.ts";
import { BEHIND_PROXY, send, stored } from "./traffic.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld(BEHIND_PROXY);
});
afterAll(() => world?.end());

const newKey = (description: string): Promise<ApiKeyJson> =>
  world.client.apiKeys.create("production", { type: "secret", description });

const openKey = (page: Page, key: ApiKeyJson, search = ""): Promise<unknown> =>
  page.goto(world.at("production", `platform/api-keys/${key.id}`) + search);

test("the menu of a key leads to its page: facts, chart, callers and history", async () => {
  const key = await newKey("Invoices");
  const token = key.api_key ?? "";
  await send(world, token, { times: 3, from: "198.51.100.4", userAgent: "invoices/3.1" });
  await send(world, token, { from: "2001:db8::7", userAgent: "curl/8.9.1" });
  await send(world, token, { type: "public" });
  await stored(world, key.id, 5);
  const { page, complaints } = await world.visit();
  await page.goto(world.at("production"));
  await openKeyMenu(page, "Invoices");
  await page.getByRole("menuitem", { name: "View usage" }).click();
  await page.waitForURL(`**/platform/api-keys/${key.id}`);
  await page.getByRole("heading", { name: `API key ${key.hint}`, level: 1 }).waitFor();
  await page.getByText(key.id).waitFor();
  await page.getByText(/^5 verifications in the last 24 hours: 4 accepted, 1 refused\./).waitFor();
  await page.locator("figure svg.recharts-surface").waitFor();
  const callers = page.getByRole("table", { name: "Callers" });
  const row = callers.getByRole("row").filter({ hasText: "198.51.100.4" });
  expect(await row.getByRole("cell").allInnerTexts()).toEqual([
    "198.51.100.4",
    "invoices/3.1",
    "just now",
    "just now",
    "3",
  ]);
  await callers.getByText("2001:db8::7").waitFor();
  // A refused call is no use: its caller is in the refusals.
  expect(await callers.locator("tbody tr").count()).toBe(2);
  await page.getByRole("region", { name: "History" }).getByText("by First token").waitFor();
  expect(await page.getByText("since it was revoked").count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("one watches a key go quiet and revokes it on its page; later use of it stands out", async () => {
  const key = await newKey("Old worker");
  const token = key.api_key ?? "";
  await send(world, token, { times: 2 });
  await stored(world, key.id, 2);
  const { page, complaints } = await world.visit();
  await page.clock.install();
  await openKey(page, key, "?range=1h");
  await page.getByText(/^2 verifications in the last hour/).waitFor();
  await button(page, `Actions for ${key.hint}`).click();
  expect(await page.getByRole("menuitem", { name: "View usage" }).count()).toBe(0);
  await page.getByRole("menuitem", { name: "Revoke API key" }).click();
  await dialog(page).getByText("In use: 1 caller in the last 24 h").waitFor();
  await dialog(page).getByLabel("Reason").fill("replaced");
  await button(dialog(page), "Revoke API key").click();
  await dialog(page).getByText("Refused everywhere").waitFor();
  await button(dialog(page), "Done").click();
  const history = page.getByRole("region", { name: "History" });
  await history.getByText("replaced").waitFor();
  await history.getByText(/^Refused everywhere after .*1 of 1 verifier confirmed$/).waitFor();
  expect(await page.getByText("since it was revoked").count()).toBe(0);

  await send(world, token, { times: 3, from: "203.0.113.99" });
  await stored(world, key.id, 5);
  await page.clock.runFor(11_000);
  await page
    .getByText(/^Used 3 times since it was revoked, last just now from 203\.0\.113\.99$/)
    .waitFor();
  await page.getByText(/^5 verifications in the last hour: 2 accepted, 3 refused/).waitFor();
  await page.getByRole("link", { name: "See its refusals" }).click();
  await page.waitForURL(new RegExp(`/observability/refusals\\?key=${key.id}`));
  await keyRow(page, "Old worker").first().getByText("Revoked key still in use").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("use of an expired key stands out too", async () => {
  const key = await world.client.apiKeys.create("production", {
    type: "secret",
    description: "Trial",
    expires_at: new Date(Date.now() + 700).toISOString(),
  });
  await expect.poll(() => world.authenticate(key.api_key ?? "")).toBe(401);
  await stored(world, key.id, 1, "expired");
  const { page } = await world.visit();
  await openKey(page, key);
  await page.getByText(/^Used \d+ times? since it expired/).waitFor();
  await page
    .getByRole("region", { name: "History" })
    .getByText("Expired", { exact: true })
    .waitFor();
  await page.context().close();
});

test("a key that nobody has used has a page that says so, and its export is a table", async () => {
  const key = await newKey("Untouched");
  const { page, complaints } = await world.visit({ acceptDownloads: true });
  await openKey(page, key);
  await page.getByText("No verifications in the last 24 hours.").waitFor();
  await page.getByText("No callers").waitFor();
  const downloading = page.waitForEvent("download");
  await button(page, "Export CSV").click();
  expect((await downloading).suggestedFilename()).toBe(`latchkey-usage-${key.id}-24h.csv`);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a key that is not there, or is in another environment, is not found; and one gets back", async () => {
  const key = await newKey("In production");
  const { page, complaints } = await world.visit();
  await page.goto(world.at("development", `platform/api-keys/${key.id}`));
  await page.getByText("API key not found").waitFor();
  expect(await page.getByText("In production").count()).toBe(0);
  await page.goto(world.at("development", "platform/api-keys/key_nobody"));
  await page.getByText("API key not found").waitFor();
  await page.getByRole("link", { name: "All API keys of Development" }).click();
  await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("its description can be changed on its page", async () => {
  const key = await newKey("Working title");
  const { page } = await world.visit();
  await openKey(page, key);
  await button(page, `Actions for ${key.hint}`).click();
  await page.getByRole("menuitem", { name: "Edit description" }).click();
  await dialog(page).getByLabel("Description").fill("Final title");
  await button(dialog(page), "Save").click();
  await dialog(page).waitFor({ state: "hidden" });
  await page.getByText("Final title").waitFor();
  expect(await page.getByText("Working title").count()).toBe(0);
  await page.context().close();
});

test("members see how a key is used, and are offered nothing that they may not do", async () => {
  const key = await newKey("Shared");
  const { page } = await world.visit();
  await tellRole(page, "member");
  await openKey(page, key);
  await page.getByText("No verifications in the last 24 hours.").waitFor();
  await button(page, `Actions for ${key.hint}`).click();
  await page.getByRole("menuitem", { name: "Copy key id" }).waitFor();
  expect(await page.getByRole("menuitem", { name: "Revoke API key" }).count()).toBe(0);
  await page.goto(world.at("production"));
  await keyRow(page, "Shared").waitFor();
  expect(await page.getByRole("checkbox").count()).toBe(0);
  await page.context().close();
});
