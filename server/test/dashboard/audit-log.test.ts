import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiKeyJson } from "@latchkey/sdk/client";
import SqliteDatabase from "better-sqlite3";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button } from "./parts.ts";
import { retellMe } from "./people.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let context: BrowserContext;
/** A key that Ada made, edited and revoked in person. */
let checkout: ApiKeyJson;
/** One that a program rotated, and its successor. */
let rotated: ApiKeyJson;
let successor: ApiKeyJson;
/** One that was edited very often. */
let many: ApiKeyJson;
beforeAll(async () => {
  world = await openWorld();
  context = await world.profile();
  await furnish();
});
afterAll(() => world?.end());

/** Asks as Ada, from her browser. */
async function asAda(method: string, path: string, data: object): Promise<ApiKeyJson> {
  const headers = { Origin: world.server.url, "Latchkey-Account": "acme" };
  const answer = await context.request.fetch(path, { method, headers, data });
  expect(answer.ok(), await answer.text()).toBe(true);
  return answer.json();
}

/** Changes of two days, by a person and a program. */
async function furnish(): Promise<void> {
  const { client } = world;
  rotated = await client.apiKeys.create("production", {
    type: "secret",
    description: "Old worker",
  });
  many = await client.apiKeys.create("development", { type: "secret" });
  for (let edit = 0; edit < 55; edit += 1)
    await client.apiKeys.update(many.id, { description: `Edit ${edit}` });
  backdate();
  successor = await client.apiKeys.rotate(rotated.id, { overlap_seconds: 3_600 });
  await client.environments.create({ name: "Staging", slug: "staging" });
  await client.environments.rename("staging", { name: "Pre-production" });
  const description = "Checkout";
  const made = { type: "secret", description };
  checkout = await asAda("POST", "/v1/api_keys?environment=production", made);
  await asAda("PATCH", `/v1/api_keys/${checkout.id}`, {
    description: "Checkout of the shop",
    metadata: { team: "payments" },
  });
  await asAda("POST", `/v1/api_keys/${checkout.id}/revoke`, { reason: "found in a log" });
  await asAda("PATCH", "/v1/account", { api_key_max_age_days: 90 });
  await asAda("POST", "/v1/service_tokens", { name: "Deploys" });
}

/** Makes what was done so far a day older, as its own ids tell it. */
function backdate(): void {
  const database = new SqliteDatabase(join(world.server.dataFolder, "latchkey.db"), {
    timeout: 5_000,
  });
  try {
    const rows = database
      .prepare<[], { id: string; at: number }>("select id, at from audit_event")
      .all();
    const move = database.prepare("update audit_event set id = ?, at = ? where id = ?");
    for (const { id, at } of rows) {
      const earlier = at - 86_400_000;
      move.run(`evt_${earlier.toString(16).padStart(12, "0")}${id.slice(16)}`, earlier, id);
    }
  } finally {
    database.close();
  }
}

async function openLog(page: Page, search = ""): Promise<void> {
  await page.goto(world.at("production", "settings/audit-log") + search);
  await page.getByRole("heading", { name: "Audit log", level: 1 }).waitFor();
}

const entry = (page: Page, text: string) =>
  page.locator("main ol").getByRole("listitem").filter({ hasText: text });

const days = (page: Page) => page.locator("main h2");

const sentence = (hint: string) => `Ada revoked ${hint} (Checkout of the shop)`;

test("who did what is told in sentences, by day, and the details on demand", async () => {
  const { page, complaints } = await world.visit();
  await page.goto(world.at("production"));
  await page.getByRole("link", { name: "Audit log" }).click();
  const revoked = entry(page, sentence(checkout.hint));
  await revoked.getByText("“found in a log”").waitFor();
  await entry(page, "Ada set the maximum age of API keys to 90 days").waitFor();
  await entry(page, "First token renamed the environment Staging to Pre-production").waitFor();
  await entry(
    page,
    `First token rotated ${rotated.hint} (Old worker) to ${successor.hint}`,
  ).waitFor();
  expect(await days(page).allTextContents()).toEqual(["Today", "Yesterday"]);
  expect(await page.getByText("found in a log").count()).toBe(1);

  const edited = entry(page, "Ada changed the description and metadata of");
  expect(await edited.getByText("Request id").count()).toBe(0);
  await edited.getByRole("button", { name: /^Details: Ada changed/ }).click();
  await edited.getByText("Request id").waitFor();
  await edited.locator("del", { hasText: "Checkout" }).waitFor();
  await edited.getByText("Metadata “team”").waitFor();
  await edited.getByRole("button", { name: /^Details/ }).press("Enter");
  expect(await edited.getByText("Request id").count()).toBe(0);

  await revoked.getByRole("link", { name: checkout.hint }).click();
  await page.getByRole("heading", { name: `API key ${checkout.hint}` }).waitFor();
  await page.getByRole("link", { name: "Every change of this key in the audit log" }).click();
  await page.waitForURL(new RegExp(`[?&]key=${checkout.id}`));
  await entry(page, "Ada created").waitFor();
  expect(await page.locator("main ol > li").count()).toBe(3);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("who, what, which key and when narrow the log, live in the address, and can be cleared", async () => {
  const { page, complaints } = await world.visit();
  await openLog(page);
  const what = page.getByRole("combobox", { name: "What" });
  await what.selectOption("environment.*");
  await page.waitForURL(/action=environment/);
  await entry(page, sentence(checkout.hint)).waitFor({ state: "hidden" });
  await entry(page, "created the environment Staging").waitFor();
  await what.selectOption("");
  await page.getByRole("combobox", { name: "Who" }).click();
  await page.getByRole("option", { name: "Ada (you)" }).click();
  await page.waitForURL(/actor=per_/);
  await entry(page, sentence(checkout.hint)).waitFor();
  await entry(page, "created the environment Staging").waitFor({ state: "hidden" });
  await page.reload(); // a colleague gets the same by the address
  await entry(page, sentence(checkout.hint)).waitFor();
  expect(await entry(page, "created the environment Staging").count()).toBe(0);
  await button(page, "Clear filters").click();
  await entry(page, "created the environment Staging").waitFor();
  expect(new URL(page.url()).search).toBe("");

  await page.getByRole("combobox", { name: "When" }).selectOption("custom");
  await page.waitForURL(/from=.*to=/);
  await expect.poll(() => days(page).allTextContents()).toEqual(["Today"]);
  await entry(page, sentence(checkout.hint)).waitFor();
  await page.getByLabel("From", { exact: true }).fill("2001-01-01");
  await page.getByLabel("To", { exact: true }).fill("2001-01-31");
  await page.getByText("No change matches").waitFor();
  await page.getByRole("status").getByRole("button", { name: "Clear filters" }).click();
  await entry(page, sentence(checkout.hint)).waitFor();

  const program = entry(page, "created the environment Staging");
  await program.getByRole("button", { name: /^Details/ }).click();
  await program.getByRole("button", { name: "Only by First token" }).click();
  await entry(page, sentence(checkout.hint)).waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("what the filters leave is downloaded whole, as a table or as lines of JSON", async () => {
  const { page, complaints } = await world.visit();
  await openLog(page, `?key=${checkout.id}`);
  const download = async (item: string) => {
    await button(page, "Export").click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: item }).click(),
    ]);
    return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
  };
  const table = await download("CSV, for spreadsheets");
  expect(table.name).toBe("latchkey-audit-log-acme.csv");
  expect(table.text.split("\r\n")).toHaveLength(5);
  const lines = await download("JSON lines, for a SIEM");
  expect(lines.name).toBe("latchkey-audit-log-acme.jsonl");
  const actions = lines.text.trimEnd().split("\n");
  expect(actions.map((line) => JSON.parse(line).action)).toEqual([
    "api_key.revoked",
    "api_key.edited",
    "api_key.created",
  ]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a long log is read page by page, and a new change appears by itself", async () => {
  const { page, complaints } = await world.visit();
  await page.clock.install();
  await openLog(page, `?key=${many.id}`);
  const entries = page.locator("main ol > li");
  await entry(page, "Edit 54").first().waitFor();
  expect(await entries.count()).toBe(50);
  await button(page, "Next").click();
  await expect.poll(() => entries.count()).toBe(6);
  await button(page, "Previous").click();
  await expect.poll(() => entries.count()).toBe(50);
  await openLog(page, `?key=${many.id}`);
  await entries.first().waitFor();
  await world.client.apiKeys.revoke(many.id);
  await page.clock.runFor(11_000);
  await entry(page, "First token revoked").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("who may not read it is told so, finds no link, and asks for nothing", async () => {
  const { page } = await world.visit();
  let asked = 0;
  await tellLittle(page);
  page.on("request", (request) => {
    if (request.url().includes("/v1/audit_logs")) asked += 1;
  });
  await openLog(page);
  await page.getByText("Only owners and admins see the audit log").waitFor();
  expect(await page.getByRole("link", { name: "Audit log" }).count()).toBe(0);
  expect(await button(page, "Export").count()).toBe(0);
  expect(asked).toBe(0);
  await page.context().close();
});

/** Tells that one may see the account and nothing more. */
const tellLittle = (page: Page): Promise<void> =>
  retellMe(page, ({ accounts }) => {
    for (const account of accounts) Object.assign(account, { permissions: ["account:read"] });
  });

/** Every state of the page, and how one gets there. */
const states: Record<string, (page: Page) => Promise<unknown>> = {
  "audit log": async (page) => {
    await openLog(page);
    await entry(page, sentence(checkout.hint)).waitFor();
  },
  "audit log with details": async (page) => {
    await openLog(page, `?key=${checkout.id}`);
    const edited = entry(page, "Ada changed the description and metadata of");
    await edited.getByRole("button", { name: /^Details/ }).click();
    await edited.getByText("Request id").waitFor();
  },
  "audit log between two days": async (page) => {
    await openLog(page, "?from=2026-01-01&to=2099-12-31&action=api_key.*");
    await entry(page, sentence(checkout.hint)).waitFor();
  },
  "audit log of nothing that matches": async (page) => {
    await openLog(page, "?action=member.*");
    await page.getByText("No change matches").waitFor();
  },
  "audit log without an entry": async (page) => {
    const json = { entries: [], page_info: { after: null, before: null, page_size: 50 } };
    await page.route("**/v1/audit_logs?**", (route) => route.fulfill({ json }));
    await openLog(page);
    await page.getByText("No changes yet").waitFor();
  },
  "audit log still loading": async (page) => {
    await page.route("**/v1/audit_logs?**", () => {}); // never answered
    await openLog(page);
    await page.getByText("Loading audit log").waitFor();
  },
  "audit log without a server": async (page) => {
    await page.route("**/v1/audit_logs?**", (route) => route.abort());
    await openLog(page);
    await button(page, "Try again").waitFor();
  },
  "audit log's choice of who": async (page) => {
    await openLog(page);
    await entry(page, sentence(checkout.hint)).waitFor();
    await page.getByRole("combobox", { name: "Who" }).click();
    await page.getByRole("option", { name: "Ada (you)" }).waitFor();
  },
  "audit log's export": async (page) => {
    await openLog(page);
    await button(page, "Export").click();
    await page.getByRole("menuitem", { name: "CSV, for spreadsheets" }).waitFor();
  },
  "audit log for who may not read it": async (page) => {
    await tellLittle(page);
    await openLog(page);
    await page.getByText("Only owners and admins see the audit log").waitFor();
  },
};

test.concurrent.each(Object.keys(states))(
  "%s: good to look at in both themes, on a desktop and a phone, and clean for axe",
  async (name) => {
    const open = states[name];
    if (open === undefined) throw new Error(name);
    await expectGoodFourWays(context, name, open, /choice|export|details/.test(name));
  },
  WITHIN_MS,
);
