import { readFile } from "node:fs/promises";
import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, keyRow } from "./parts.ts";
import { tellRole } from "./people.ts";
import { BEHIND_PROXY, send, stored } from "./traffic.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let billing: ApiKeyJson;
let site: ApiKeyJson;

/** Verifications of `production` alone: `development` stays without any. */
beforeAll(async () => {
  world = await openWorld(BEHIND_PROXY);
  const create = (type: "secret" | "public", description: string) =>
    world.client.apiKeys.create("production", { type, description });
  billing = await create("secret", "Billing worker");
  site = await create("public", "=SUM(A1) of the web site");
  await send(world, billing.api_key ?? "", { times: 12 });
  await send(world, billing.api_key ?? "", { times: 2, environment: "development" });
  await send(world, site.api_key ?? "", { times: 3 });
  await send(world, site.api_key ?? "", { times: 4, type: "any" });
  await stored(world, billing.id, 14);
  await stored(world, site.id, 7);
});
afterAll(() => world?.end());

const openUsage = (page: Page, environment = "production", search = ""): Promise<unknown> =>
  page.goto(world.at(environment, "observability/usage") + search);

const figure = (page: Page, by: "outcome" | "key"): Locator =>
  page.getByRole("figure", { name: `Verifications by ${by}` });

/** The legend of the chart, as "name count". */
async function legend(page: Page, by: "outcome" | "key"): Promise<string[]> {
  const entries = figure(page, by).getByRole("list", { name: "Legend" }).getByRole("listitem");
  return (await entries.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
}

/** The row of a key under the chart, cell by cell. */
const cells = (page: Page, description: string): Promise<string[]> =>
  keyRow(page, description).getByRole("cell").allInnerTexts();

test("what was verified is on the page: in the chart, its legend, its words and by key", async () => {
  const { page, complaints } = await world.visit();
  await page.goto(world.at("production"));
  await page.getByRole("link", { name: "Usage", exact: true }).click();
  await page.getByRole("heading", { name: "Usage", level: 1 }).waitFor();
  await figure(page, "outcome").locator("svg.recharts-surface").waitFor();
  expect(await legend(page, "outcome")).toEqual([
    "Accepted 16",
    "Refused: wrong type 3",
    "Refused: other environment 2",
  ]);
  await page
    .getByText(/^21 verifications in the last 24 hours: 16 accepted, 5 refused\. Busiest hour: /)
    .waitFor();
  expect(await cells(page, "Billing worker")).toEqual([
    billing.hint,
    "Billing worker",
    "12",
    "2",
    "66.7%",
  ]);
  expect((await cells(page, "=SUM")).slice(2)).toEqual(["4", "3", "33.3%"]);
  await keyRow(page, "Billing worker").getByRole("link", { name: billing.hint }).click();
  await page.waitForURL(`**/platform/api-keys/${billing.id}`);
  await page.getByRole("heading", { name: `API key ${billing.hint}` }).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("range and stacking live in the address, and every number of the chart is in a table too", async () => {
  const { page, complaints } = await world.visit();
  await openUsage(page);
  const choose = (group: string, name: string): Promise<void> =>
    page.getByRole("radiogroup", { name: group }).getByText(name, { exact: true }).click();
  await choose("Range", "1 hour");
  await page.waitForURL(/[?&]range=1h/);
  await page.getByText(/in the last hour: 16 accepted, 5 refused/).waitFor();
  await choose("Stacked", "By key");
  await page.waitForURL(/[?&]by=key/);
  await expect
    .poll(() => legend(page, "key"))
    .toEqual([`${billing.hint} · Billing worker 14`, `${site.hint} · ${site.description} 7`]);
  await choose("Range", "30 days");
  await page.getByText(/in the last 30 days: 16 accepted, 5 refused/).waitFor();
  await page.reload();
  await page.getByText(/in the last 30 days: 16 accepted, 5 refused/).waitFor();

  // By keyboard: the button is reached, opens the table, and says so.
  const show = button(page, "Show numbers");
  await show.focus();
  await page.keyboard.press("Enter");
  expect(await button(page, "Hide numbers").getAttribute("aria-expanded")).toBe("true");
  const numbers = page.getByRole("table", { name: "Verifications by key in numbers" });
  const counts = await numbers.locator("tbody tr td:last-child").allInnerTexts();
  expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(21);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("the switcher keeps one on the page of usage, in the other environment", async () => {
  const { page } = await world.visit();
  await openUsage(page, "production", "?by=key");
  await page.getByText(/^\d+ verifications in the last 24 hours/).waitFor();
  await button(page, "Environment: Production").click();
  await page.getByRole("menuitemradio", { name: "Development" }).click();
  await page.waitForURL(`**${world.at("development", "observability/usage")}`);
  await page.getByText("No verifications in the last 24 hours").waitFor();
  expect(await page.getByText("Billing worker").count()).toBe(0);
  await page.context().close();
});

test("the numbers follow while the page is open, say how old they are, and rest while it is hidden", async () => {
  const key = await world.client.apiKeys.create("production", { type: "secret" });
  const { page, complaints } = await world.visit();
  await page.clock.install();
  await openUsage(page, "production", "?range=1h");
  await page.getByText(/^\d+ verifications in the last hour/).waitFor();
  await page.getByText("Updated now").waitFor();
  await page.clock.runFor(3_000);
  await page.getByText(/^Updated [34] s ago$/).waitFor();

  await send(world, key.api_key ?? "", { times: 5 });
  await stored(world, key.id, 5);
  expect(await keyRow(page, key.hint).count()).toBe(0);
  await page.clock.runFor(10_000);
  await keyRow(page, key.hint).waitFor();

  let asked = 0;
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/v1/usage") asked += 1;
  });
  const hide = (hidden: boolean): Promise<void> =>
    page.evaluate(
      (state) => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
      },
      hidden ? "hidden" : "visible",
    );
  await hide(true);
  await page.clock.runFor(60_000);
  expect(asked).toBe(0);
  await hide(false);
  await expect.poll(() => asked).toBeGreaterThan(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("the exported table has every key, and no cell that a spreadsheet would run", async () => {
  const { page, complaints } = await world.visit({ acceptDownloads: true });
  await openUsage(page, "production", "?range=1h");
  const downloading = page.waitForEvent("download");
  await button(page, "Export CSV").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe("latchkey-usage-production-1h.csv");
  const csv = await readFile(await download.path(), "utf8");
  const [header, ...lines] = csv.trim().split("\r\n");
  for (const name of ["at", "api_key_id", "outcome", "count", "hint", "description"])
    expect(header?.split(",")).toContain(name);
  const of = (id: string): number =>
    lines.filter((line) => line.includes(id)).reduce((sum, line) => sum + countIn(line), 0);
  const countAt = header?.split(",").indexOf("count") ?? -1;
  const countIn = (line: string): number => Number(line.split(",")[countAt]);
  expect([of(billing.id), of(site.id)]).toEqual([14, 7]);
  expect(csv).toContain(",'=SUM(A1) of the web site");
  expect(csv).not.toMatch(/(?:^|[,"])=/m);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("where nothing was verified the page says how to begin, and leads to a longer range", async () => {
  const { page, complaints } = await world.visit();
  await openUsage(page, "development");
  await page.getByText("No verifications in the last 24 hours").waitFor();
  await page.getByText(`curl -i ${world.server.url}/v1/authenticate`).waitFor();
  expect(await page.getByRole("figure").count()).toBe(0);
  await button(page, "Look at 30 days").click();
  await page.getByText("No verifications in the last 30 days").waitFor();
  await page.waitForURL(/[?&]range=30d/);
  expect(await button(page, "Look at 30 days").count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a reading that fails is told with its request id and can be tried again; so is an export", async () => {
  const { page } = await world.visit();
  const broken = { status: 422, json: { code: "of_a_test", message: "No.", request_id: "req_x" } };
  await page.route("**/v1/usage?**", (route) => route.fulfill(broken));
  await openUsage(page);
  await page.getByText("The usage could not be loaded").waitFor();
  await page.getByText("req_x").waitFor();
  await button(page, "Export CSV").click();
  await page.getByText("Not exported").waitFor();
  await page.unroute("**/v1/usage?**");
  await button(page, "Try again").click();
  await page.getByText(/^\d+ verifications in the last 24 hours/).waitFor();
  await page.context().close();
});

test("Support sees no usage, no refusals, and no way to them", async () => {
  const { page } = await world.visit();
  let asked = 0;
  await tellRole(page, "support");
  page.on("request", (request) => {
    if (/\/v1\/(usage|refusals|api_keys)/.test(request.url())) asked += 1;
  });
  await openUsage(page);
  await page.getByText("Usage is not shown to Support").waitFor();
  expect(await page.getByRole("region", { name: "Observability" }).count()).toBe(0);
  await page.goto(world.at("production", "observability/refusals"));
  await page.getByText("Refusals are not shown to Support").waitFor();
  await page.goto(world.at("production", `platform/api-keys/${billing.id}`));
  await page.getByText("API keys are not shown to Support").waitFor();
  expect(asked).toBe(0);
  await page.context().close();
});
