import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { begin, DAY_MS, fromNow } from "./lives.ts";
import { button, dialog, eventually, keyRow, openKeyMenu } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

const newKey = (
  description: string,
  { expires_at, environment = "production" }: { expires_at?: string; environment?: string } = {},
): Promise<ApiKeyJson> =>
  world.client.apiKeys.create(environment, {
    type: "secret",
    description,
    ...(expires_at === undefined ? {} : { expires_at }),
  });

async function openKeys(page: Page, environment = "production", search = ""): Promise<void> {
  await page.goto(world.at(environment) + search);
  await page.getByRole("table", { name: "API keys" }).waitFor();
}

const endOf = async ({ id }: ApiKeyJson): Promise<number | null> => {
  const { expires_at } = await world.client.apiKeys.get(id);
  return expires_at === null ? null : Date.parse(expires_at);
};

/** A moment as the native field takes it, in the browser's own time zone. */
const typed = (page: Page, iso: string): Promise<string> =>
  page.evaluate((at) => {
    const date = new Date(at);
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  }, iso);

test("an end that is brought forward is known everywhere before it is said; a later one just closes", async () => {
  const key = await newKey("Contractor");
  const { page, complaints } = await world.visit({ timezoneId: "America/St_Johns" });
  await openKeys(page);
  const changing = dialog(page);
  await begin(page, "Contractor", "Change expiry");
  await changing.getByText("It does not expire.").waitFor();
  await changing.getByLabel("Expires").selectOption({ label: "In 30 days" });
  const beforeMs = Date.now();
  await button(changing, "Save").click();
  await changing.getByText("Every verifier has confirmed it").waitFor();
  const afterMs = Date.now();
  await button(changing, "Done").click();
  await keyRow(page, "Contractor").getByText("Expires in 30 days").waitFor();
  const endMs = (await endOf(key)) ?? 0;
  expect(endMs).toBeGreaterThanOrEqual(beforeMs + 30 * DAY_MS);
  expect(endMs).toBeLessThanOrEqual(afterMs + 30 * DAY_MS);

  // What nobody has touched stays to the millisecond.
  await begin(page, "Contractor", "Change expiry");
  expect(await changing.getByLabel("Expires", { exact: true }).inputValue()).toBe("own");
  await button(changing, "Save").click();
  await changing.waitFor({ state: "hidden" });
  expect(await endOf(key)).toBe(endMs);

  const moment = fromNow(60 * DAY_MS);
  await begin(page, "Contractor", "Change expiry");
  await changing.getByLabel("Expires at").fill(await typed(page, moment));
  await button(changing, "Save").click();
  await changing.waitFor({ state: "hidden" });
  expect(await endOf(key)).toBe(Math.floor(Date.parse(moment) / 60_000) * 60_000);

  await begin(page, "Contractor", "Change expiry");
  await changing.getByLabel("Expires", { exact: true }).selectOption({ label: "Never" });
  await button(changing, "Save").click();
  await changing.waitFor({ state: "hidden" });
  expect(await endOf(key)).toBeNull();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("an end in its last week stands out in words, and so does one that has passed", async () => {
  await newKey("Ends this week", { expires_at: fromNow(3 * DAY_MS) });
  await newKey("Ends next month", { expires_at: fromNow(40 * DAY_MS) });
  const { page } = await world.visit();
  await openKeys(page);
  const soon = keyRow(page, "Ends this week");
  await soon.getByText("Expires in 3 days").waitFor();
  expect(await soon.getByText("Active").count()).toBe(0);
  const late = keyRow(page, "Ends next month");
  await late.getByText("Active").waitFor();
  await late.getByText("Expires in 40 days").waitFor();
  await page.clock.install({ time: Date.now() + 4 * DAY_MS });
  await page.reload();
  await soon.getByText("Expired", { exact: true }).waitFor();
  await page.context().close();
});

test("a key that has ended offers no other end; one in rotation says why, and leads to its overlap", async () => {
  const gone = await newKey("Revoked for good");
  await world.client.apiKeys.revoke(gone.id);
  const old = await newKey("In rotation");
  await world.client.apiKeys.rotate(old.id, { overlap_seconds: 86_400 });
  const { page } = await world.visit();
  await openKeys(page, "production", "?status=all");
  await openKeyMenu(page, gone.hint);
  await page.getByRole("menuitem", { name: "Edit description" }).waitFor();
  for (const deed of ["Change expiry", "Rotate API key", "Change overlap", "Finish now"])
    expect(await page.getByRole("menuitem", { name: deed }).count()).toBe(0);
  await page.keyboard.press("Escape");

  await begin(page, old.hint, "Change expiry");
  await dialog(page).getByText("This key is being rotated, and ends with its overlap").waitFor();
  expect(await dialog(page).getByLabel("Expires").count()).toBe(0);
  await button(dialog(page), "Change overlap").click();
  await dialog(page).getByText("The overlap began on").waitFor();
  await page.keyboard.press("Escape");
  const menu = button(page, `Actions for ${old.hint}`);
  await eventually(() => menu.evaluate((one) => one === document.activeElement)).toBe(true);
  await page.context().close();
});

test("a moment that is past, or refused, is told at the field; one that nobody confirmed may be tried again", async () => {
  const key = await newKey("Mistakes");
  const { page } = await world.visit();
  await openKeys(page);
  const changing = dialog(page);
  await begin(page, "Mistakes", "Change expiry");
  await changing.getByLabel("Expires").selectOption("own");
  await button(changing, "Save").click();
  await changing.getByText("Choose a date and time.").waitFor();
  await changing.getByLabel("Expires at").fill("2020-01-01T10:00");
  await button(changing, "Save").click();
  await changing.getByText("Choose a moment in the future.").waitFor();
  const path = `**/v1/api_keys/${key.id}`;
  const errors = [{ field: "expires_at", message: "Not on a Sunday." }];
  const answers = [
    { status: 422, json: { code: "invalid_params", message: "Wrong.", errors } },
    { status: 503, json: { code: "service_unavailable", message: "Not now." } },
    { status: 409, json: { code: "conflict", message: "This API key was revoked." } },
  ];
  await page.route(path, (route) => {
    const answer = route.request().method() === "PATCH" ? answers.shift() : undefined;
    return answer === undefined ? route.fallback() : route.fulfill(answer);
  });
  await changing.getByLabel("Expires at").fill("2099-01-01T10:00");
  await button(changing, "Save").click();
  await changing.getByText("Not on a Sunday.").waitFor();
  expect(await changing.getByLabel("Expires at").getAttribute("aria-invalid")).toBe("true");
  await button(changing, "Save").click();
  await changing.getByText("may or may not be changed").waitFor();
  await button(changing, "Save").click();
  await changing.getByText("This API key was revoked.").waitFor();
  expect(await endOf(key)).toBeNull();
  await button(changing, "Save").click();
  await changing.getByText("Every verifier has confirmed it").waitFor();
  expect(await endOf(key)).not.toBeNull();
  await page.context().close();
});

test("the list is filtered by when keys expire; the filter lives in the address", async () => {
  const { client } = world;
  await client.environments.create({ name: "Ends", slug: "ends" });
  await newKey("In five days", { environment: "ends", expires_at: fromNow(5 * DAY_MS) });
  await newKey("In twenty days", { environment: "ends", expires_at: fromNow(20 * DAY_MS) });
  await newKey("In a year", { environment: "ends", expires_at: fromNow(365 * DAY_MS) });
  const { page } = await world.visit();
  await openKeys(page, "ends");
  const filter = page.getByRole("combobox", { name: "Expiry" });
  const shown = async (): Promise<string[]> =>
    (await page.locator("tbody tr td:nth-child(3)").allInnerTexts()).sort();
  await filter.selectOption({ label: "Expires within 7 days" });
  await page.waitForURL(/[?&]expires=within_7_days/);
  await eventually(shown).toEqual(["In five days"]);
  await filter.selectOption({ label: "Expires within 30 days" });
  await eventually(shown).toEqual(["In five days", "In twenty days"]);
  await page.reload();
  await eventually(shown).toEqual(["In five days", "In twenty days"]);
  expect(await filter.inputValue()).toBe("within_30_days");
  await filter.selectOption({ label: "Never expires" });
  await eventually(shown).toEqual(["No description", "No description"]); // the environment's first two
  await page.goBack();
  await eventually(shown).toEqual(["In five days", "In twenty days"]);

  // Of those that were revoked none ends.
  await page.getByRole("radiogroup", { name: "Status" }).getByText("Revoked").click();
  await page.getByText("None expires within 30 days").waitFor();
  await button(page, "Clear filters").click();
  await eventually(async () => (await shown()).length).toBe(5);
  expect(new URL(page.url()).search).toBe("");
  await page.context().close();
});
