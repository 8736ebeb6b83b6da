import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, dialog, keyRow } from "./parts.ts";
import { age, BEHIND_PROXY, send, stored } from "./traffic.ts";
import { openWorld, PHONE, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld(BEHIND_PROXY);
});
afterAll(() => world?.end());

/** An environment of its own with `count` keys that the test knows. */
async function furnish(slug: string, count: number): Promise<ApiKeyJson[]> {
  await world.client.environments.create({ name: slug, slug });
  const keys: ApiKeyJson[] = [];
  for (let number = 1; number <= count; number += 1)
    keys.push(
      await world.client.apiKeys.create(slug, { type: "secret", description: `Service ${number}` }),
    );
  return keys;
}

const tick = (page: Page, description: string): Promise<void> =>
  keyRow(page, description).getByRole("checkbox").check();

const token = (key: ApiKeyJson | undefined): string => key?.api_key ?? "";

test("several keys are revoked together: named, warned of, with a receipt for each", async () => {
  const keys = await furnish("together", 8);
  await send(world, token(keys[2]));
  await stored(world, keys[2]?.id ?? "", 1);
  const { page, complaints } = await world.visit();
  await page.goto(world.at("together"));
  for (const number of [1, 2, 3, 4, 5, 6, 7]) await tick(page, `Service ${number}`);
  await page.getByText("7 API keys selected").waitFor();
  await button(page, "Revoke selected (7)").click();

  const revoking = dialog(page);
  await revoking.getByText("1 of them was used in the last 24 hours").waitFor();
  await revoking.getByText(`${keys[2]?.hint}: whoever uses it is refused`).waitFor();
  const line = (text: string) => revoking.getByRole("listitem").filter({ hasText: text });
  await line("Service 3").getByText("Last used just now").waitFor();
  await line("Service 4").getByText("Never used").waitFor();
  expect(await revoking.getByText("Service 8").count()).toBe(0);
  expect(await world.authenticate(token(keys[0]))).toBe(200);

  let underWay = 0;
  let most = 0;
  await page.route("**/revoke", async (route) => {
    underWay += 1;
    most = Math.max(most, underWay);
    const response = await route.fetch();
    underWay -= 1;
    await route.fulfill({ response });
  });
  await revoking.getByLabel("Reason").fill("spring cleaning");
  await button(revoking, "Revoke 7 API keys").click();
  await revoking.getByText("7 of 7 revoked").waitFor();
  await expect
    .poll(() =>
      revoking.getByText(/^Refused everywhere after .*1 of 1 verifier confirmed$/).count(),
    )
    .toBe(7);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(5);
  for (const key of keys.slice(0, 7)) expect(await world.authenticate(token(key))).toBe(401);
  expect(await world.authenticate(token(keys[7]))).toBe(200);
  await button(revoking, "Done").click();
  await keyRow(page, "Service 1").waitFor({ state: "hidden" });
  await keyRow(page, "Service 8").waitFor();
  expect(await page.getByText("selected").count()).toBe(0);
  const { revoked_reason } = await world.client.apiKeys.get(keys[4]?.id ?? "");
  expect(revoked_reason).toBe("spring cleaning");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("one that fails stops no other, says why, and is tried again alone", async () => {
  const keys = await furnish("partly", 4);
  const { page } = await world.visit();
  await page.goto(world.at("partly"));
  await page.getByRole("checkbox", { name: "Select all API keys of this page" }).check();
  await page.getByText("6 API keys selected").waitFor();
  let tried = 0;
  await page.route("**/revoke", async (route) => {
    const url = route.request().url();
    if (url.includes(keys[1]?.id ?? "")) {
      tried += 1;
      return route.fulfill({ status: 403, json: { code: "access_denied", message: "Not you." } });
    }
    return url.includes(keys[2]?.id ?? "") ? route.abort() : route.continue();
  });
  await button(page, "Revoke selected (6)").click();
  const revoking = dialog(page);
  await button(revoking, "Revoke 6 API keys").click();
  await revoking.getByText("4 of 6 revoked, 2 not").waitFor();
  const line = (text: string) => revoking.getByRole("listitem").filter({ hasText: text });
  await line("Service 2").getByText("Not you.").waitFor();
  await line("Service 2").getByText("Not revoked").waitFor();
  // Without an answer nobody knows.
  await line("Service 3").getByText("It may or may not be revoked").waitFor();
  await line("Service 3").getByText("Not confirmed").waitFor();
  await line("Service 4").getByText("Refused everywhere").waitFor();
  expect(await world.authenticate(token(keys[3]))).toBe(401);
  expect(await world.authenticate(token(keys[1]))).toBe(200);

  await page.unroute("**/revoke");
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/revoke")) asked.push(request.url());
  });
  await button(revoking, "Try 2 keys again").click();
  await revoking.getByText("6 of 6 revoked").waitFor();
  expect(asked.length).toBe(2);
  expect(tried).toBe(1);
  for (const key of keys) expect(await world.authenticate(token(key))).toBe(401);
  await button(revoking, "Done").click();
  await page.getByText("No active API keys").waitFor();
  await page.context().close();
});

test("by keyboard on a phone: tick, ask, think again; nothing is revoked", async () => {
  const [key] = await furnish("phone", 2);
  const { page, complaints } = await world.visit({ viewport: PHONE });
  await page.goto(world.at("phone"));
  const box = keyRow(page, "Service 1").getByRole("checkbox");
  await box.focus();
  await page.keyboard.press("Space");
  const revoke = button(page, "Revoke selected (1)");
  await revoke.focus();
  await page.keyboard.press("Enter");
  await dialog(page).getByText("Service 1").waitFor();
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "hidden" });
  await expect.poll(() => revoke.evaluate((one) => one === document.activeElement)).toBe(true);
  expect(await box.isChecked()).toBe(true);
  await box.focus();
  await page.keyboard.press("Space");
  await revoke.waitFor({ state: "hidden" });
  expect(await world.authenticate(token(key))).toBe(200);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("what nobody needs is marked, can be filtered, and is revoked from there", async () => {
  const keys = await furnish("idle", 4);
  for (const key of keys.slice(0, 2)) await send(world, token(key));
  for (const key of keys.slice(0, 2)) await stored(world, key.id, 1);
  age(world, keys[0]?.id ?? "", { created: 300, lastUsed: 100 });
  age(world, keys[1]?.id ?? "", { created: 300 });
  age(world, keys[2]?.id ?? "", { created: 300 });
  const { page, complaints } = await world.visit();
  await page.goto(world.at("idle"));
  await keyRow(page, "Service 1").getByText("Unused for 90 days").waitFor();
  await keyRow(page, "Service 3").getByText("Never used").waitFor();
  // Used today, and young: no reason to mark either.
  for (const name of ["Service 2", "Service 4"])
    expect(
      await keyRow(page, name)
        .getByText(/Unused for|Never used/)
        .count(),
    ).toBe(0);

  const filter = page.getByRole("combobox", { name: "Last use" });
  await filter.selectOption({ label: "Unused for 90 days" });
  await page.waitForURL(/[?&]last_used=over_90_days_ago/);
  await keyRow(page, "Service 2").waitFor({ state: "hidden" });
  await keyRow(page, "Service 1").waitFor();
  await keyRow(page, "Service 3").waitFor();
  expect(await keyRow(page, "Service 4").count()).toBe(0);
  await page.reload();
  await keyRow(page, "Service 3").waitFor();
  expect(await keyRow(page, "Service 2").count()).toBe(0);

  await filter.selectOption({ label: "Never used" });
  await keyRow(page, "Service 4").waitFor();
  await keyRow(page, "Service 1").waitFor({ state: "hidden" });
  await filter.selectOption({ label: "Unused for 90 days" });
  await tick(page, "Service 1");
  await tick(page, "Service 3");
  await button(page, "Revoke selected (2)").click();
  expect(await dialog(page).getByText("used in the last 24 hours").count()).toBe(0);
  await button(dialog(page), "Revoke 2 API keys").click();
  await dialog(page).getByText("2 of 2 revoked").waitFor();
  await button(dialog(page), "Done").click();
  await page.getByText("None is unused for 90 days").waitFor();
  await button(page, "Clear filters").click();
  await keyRow(page, "Service 2").waitFor();
  expect(new URL(page.url()).search).toBe("");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("each row shows its last 24 hours, read in one call for the whole page", async () => {
  const keys = await furnish("lines", 3);
  await send(world, token(keys[0]), { times: 3 });
  await send(world, token(keys[0]), { type: "public" });
  await stored(world, keys[0]?.id ?? "", 4);
  const { page } = await world.visit();
  let asked = 0;
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/v1/usage") asked += 1;
  });
  await page.goto(world.at("lines"));
  await keyRow(page, "Service 1")
    .getByRole("img", { name: "Last 24 hours: 3 accepted, 1 refused" })
    .waitFor();
  await keyRow(page, "Service 2")
    .getByRole("img", { name: "No use in the last 24 hours" })
    .waitFor();
  expect(asked).toBe(1);
  await page.context().close();
});
