import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { begin, DAY_MS } from "./lives.ts";
import { button, dialog, eventually, keyRow } from "./parts.ts";
import { tellRole } from "./people.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

async function openGeneral(page: Page): Promise<void> {
  await page.goto(world.at("production", "settings/general"));
  await page.getByRole("heading", { name: "Maximum age of API keys" }).waitFor();
}

/** Sets the maximum past the page, as the owner who is signed in on it. */
async function set(page: Page, days: number | null): Promise<void> {
  const answer = await page.request.patch(`${world.server.url}/v1/account`, {
    data: { api_key_max_age_days: days },
    headers: { Origin: world.server.url, "Latchkey-Account": "acme" },
  });
  if (!answer.ok()) throw new Error(`the maximum was not set: ${answer.status()}`);
}

const maximum = async (): Promise<number | null> =>
  (await world.client.account.get()).api_key_max_age_days;

/** Chooses a maximum, and stops before it is confirmed. */
async function choose(page: Page, label: string, days?: string): Promise<void> {
  await page.getByLabel("Keys live at most").selectOption({ label });
  if (days !== undefined) await page.getByLabel("Days", { exact: true }).fill(days);
  await button(page, "Change").click();
}

test("an owner sets a maximum age after being told what it does; then no key outlives it", async () => {
  const { client } = world;
  const lasting = await client.apiKeys.create("production", {
    type: "secret",
    description: "Lasting",
  });
  const short = await client.apiKeys.create("production", {
    type: "secret",
    description: "Short",
    expires_at: new Date(Date.now() + 3 * DAY_MS).toISOString(),
  });
  const { page, complaints } = await world.visit();
  await page.goto(world.at("production"));
  await page.getByRole("link", { name: "General" }).click();
  await page.getByText("That is what it is now.").waitFor();
  await choose(page, "90 days");
  const confirming = dialog(page);
  await confirming.getByText("Keys that would live longer end at most 90 days from now.").waitFor();
  await button(confirming, "Cancel").click();
  await confirming.waitFor({ state: "hidden" });
  expect(await maximum()).toBeNull();

  await button(page, "Change").click();
  const beforeMs = Date.now();
  await button(confirming, "Set maximum").click();
  await confirming.getByText("Keys live at most 90 days", { exact: true }).waitFor();
  await confirming
    .getByText("Every verifier has confirmed the ends that were brought forward.")
    .waitFor();
  const afterMs = Date.now();
  await button(confirming, "Done").click();
  await page.getByText("That is what it is now.").waitFor();
  expect(await maximum()).toBe(90);
  const endMs = Date.parse((await client.apiKeys.get(lasting.id)).expires_at ?? "");
  expect(endMs).toBeGreaterThanOrEqual(beforeMs + 90 * DAY_MS);
  expect(endMs).toBeLessThanOrEqual(afterMs + 90 * DAY_MS);
  expect((await client.apiKeys.get(short.id)).expires_at).toBe(short.expires_at);

  // No control offers more, and each says why.
  await page.getByRole("link", { name: "API keys" }).click();
  await button(page, "Create API key").click();
  const expires = dialog(page).getByLabel("Expires", { exact: true });
  await dialog(page).getByText("Keys of this account live at most 90 days.").waitFor();
  expect(await expires.locator("option").allInnerTexts()).toEqual([
    "In 90 days (the longest)",
    "In 30 days",
    "In 7 days",
    "At a date and time…",
  ]);
  await dialog(page).getByLabel("Description").fill("Longest");
  await button(dialog(page), "Create").click();
  await button(dialog(page), "Done").click();
  await keyRow(page, "Longest").getByText("Expires in 3 months").waitFor();
  await begin(page, "Longest", "Rotate API key");
  await dialog(page).getByText("it lives as long as this one was made for").waitFor();
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "hidden" });
  await begin(page, "Longest", "Change expiry");
  await dialog(page).getByText("Keys of this account live at most 90 days.").waitFor();
  await dialog(page).getByLabel("Expires at").fill("2099-01-01T10:00");
  await button(dialog(page), "Save").click();
  await dialog(page)
    .getByText(/^Choose a moment up to /)
    .waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("raising or removing the maximum changes no key's end", async () => {
  const { page } = await world.visit();
  await set(page, 90);
  await openGeneral(page);
  const [key] = (await world.client.apiKeys.list({ environment: "development" })).entries;
  await choose(page, "Another number of days…", "120");
  await dialog(page)
    .getByText("New keys live at most 120 days. Keys that end keep the end they have.")
    .waitFor();
  await button(dialog(page), "Set maximum").click();
  await dialog(page).getByText("No key's end was changed.").waitFor();
  await button(dialog(page), "Done").click();
  expect(await maximum()).toBe(120);
  await choose(page, "No maximum");
  await button(dialog(page), "Remove maximum").click();
  await dialog(page).getByText("Keys have no maximum age").waitFor();
  await button(dialog(page), "Done").click();
  expect(await maximum()).toBeNull();
  expect((await world.client.apiKeys.get(key?.id ?? "")).expires_at).toBe(key?.expires_at);
  await page.context().close();
});

test("days of one's own are whole and at most ten years; what nobody confirmed may be tried again", async () => {
  const { page } = await world.visit();
  await set(page, null);
  await openGeneral(page);
  for (const wrong of ["", "0", "3651", "9.5", "some"]) {
    await choose(page, "Another number of days…", wrong);
    await page.getByText("Enter a whole number of days, 1 to 3,650.").waitFor();
    expect(await dialog(page).count()).toBe(0);
  }
  await choose(page, "Another number of days…", "3650");
  let failed = false;
  await page.route("**/v1/account", (route) => {
    if (route.request().method() !== "PATCH" || failed) return route.fallback();
    failed = true;
    return route.fulfill({
      status: 503,
      json: { code: "service_unavailable", message: "Not now." },
    });
  });
  await button(dialog(page), "Set maximum").click();
  await dialog(page).getByText("The maximum age may or may not be changed").waitFor();
  await button(dialog(page), "Try again").click();
  await dialog(page).getByText("Keys live at most 3,650 days", { exact: true }).waitFor();
  expect(await maximum()).toBe(3650);
  await page.context().close();
});

test("with the keyboard alone a maximum is chosen and confirmed, and the focus comes back", async () => {
  const { page } = await world.visit();
  await set(page, null);
  await openGeneral(page);
  await page.getByLabel("Keys live at most").focus();
  await page.keyboard.type("365");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const focused = (name: string) => () =>
    button(page, name).evaluate((one) => one === document.activeElement);
  await eventually(focused("Cancel")).toBe(true);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await eventually(focused("Done")).toBe(true);
  expect(await maximum()).toBe(365);
  await page.keyboard.press("Enter");
  await eventually(focused("Change")).toBe(true);
  await page.context().close();
});

test.each(["admin", "member", "support"])(
  "%s sees the maximum, and cannot choose another",
  async (role) => {
    const { page } = await world.visit();
    await tellRole(page, role);
    await openGeneral(page);
    await eventually(() => page.getByText("Only owners change it.").count()).toBe(2);
    expect(await page.getByLabel("Keys live at most").count()).toBe(0);
    expect(await button(page, "Change").count()).toBe(0);
    expect(await button(page, "Require it").count()).toBe(0);
    await page.context().close();
  },
);
