import { randomBytes } from "node:crypto";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, eventually, keyRow } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

/** What an environment of a large account has. */
const MANY = 10_000;

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await world.client.environments.create({ name: "Crowd", slug: "crowd" });
  const model = await world.client.apiKeys.create("crowd", {
    type: "secret",
    description: "Model",
  });
  copy(model.id, MANY);
});
afterAll(() => world?.end());

/** Copies a key in the database, each copy a second older than the one before. */
function copy(id: string, times: number): void {
  const database = new SqliteDatabase(join(world.server.dataFolder, "latchkey.db"), {
    timeout: 5_000,
  });
  try {
    const row = database
      .prepare<[string], Record<string, unknown>>("select * from api_key where id = ?")
      .get(id);
    if (row === undefined) throw new Error(`no key ${id}`);
    const { number: _, ...model } = row;
    const names = Object.keys(model);
    const insert = database.prepare(
      `insert into api_key (${names.join(", ")}) values (${names.map((name) => `@${name}`).join(", ")})`,
    );
    database.transaction(() => {
      for (let count = 1; count <= times; count += 1) {
        const own = `${id.slice(0, -8)}${String(count).padStart(8, "0")}`;
        insert.run({
          ...model,
          id: own,
          search_text: `service ${count} ${own}`,
          digest: randomBytes(32),
          description: `Service ${count}`,
          created_at: Number(model.created_at) - count * 1_000,
        });
      }
    })();
  } finally {
    database.close();
  }
}

/** The paths that the page asks the API for, from now on. */
function asked(page: Page): string[] {
  const paths: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/v1/")) paths.push(pathname);
  });
  return paths;
}

test("a page of ten thousand keys with many rotations asks no question for each row", async () => {
  const { client } = world;
  const { entries } = await client.apiKeys.list({ environment: "crowd", page_size: 20 });
  for (const { id } of entries.slice(0, 12))
    await client.apiKeys.rotate(id, { overlap_seconds: 86_400 });
  const { page, complaints } = await world.visit();
  const paths = asked(page);
  await page.goto(world.at("crowd"));
  await page.getByText("Neither was used in the last hour").nth(11).waitFor();
  expect(await page.locator("tbody").getByRole("row").count()).toBe(25);
  const count = (path: string): number => paths.filter((one) => one === path).length;
  expect(count("/v1/api_keys")).toBe(1);
  // The sparklines of all, and the traffic of all pairs.
  expect(count("/v1/usage")).toBe(2);
  expect(paths.filter((path) => path.startsWith("/v1/api_keys/"))).toEqual([]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("among ten thousand keys one is found, and every page can be turned to", async () => {
  const { page } = await world.visit();
  await page.goto(world.at("crowd"));
  await page.getByRole("table", { name: "API keys" }).waitFor();
  await page.getByRole("searchbox", { name: "Search API keys" }).fill("Service 9876");
  await keyRow(page, "Service 9876").waitFor();
  await eventually(() => page.locator("tbody").getByRole("row").count()).toBe(1);
  await page.getByRole("combobox", { name: "Expiry" }).selectOption("within_7_days");
  await page.getByText("Nothing found").waitFor();
  await page.goto(world.at("crowd"));
  await page.getByRole("table", { name: "API keys" }).waitFor();
  const first = (): Promise<string | null> => page.locator("tbody tr").first().textContent();
  for (let turn = 1; turn <= 3; turn += 1) {
    const before = await first();
    await button(page, "Next").click();
    await eventually(first).not.toBe(before);
  }
  expect(await page.locator("tbody").getByRole("row").count()).toBe(25);
  await page.context().close();
});

test("partners on different pages of the list lead to each other", async () => {
  const { client } = world;
  const { entries } = await client.apiKeys.list({ environment: "crowd", q: "Service 5000" });
  const old = entries[0];
  if (old === undefined) throw new Error("no key of that name");
  const successor = await client.apiKeys.rotate(old.id, { overlap_seconds: 86_400 });
  const { page } = await world.visit();
  const at = (id: string): string => world.at("crowd", `platform/api-keys/${id}`);
  await page.goto(world.at("crowd"));
  await keyRow(page, successor.hint).getByRole("link", { name: "Succeeds another key" }).click();
  await page.waitForURL(`**${at(old.id)}`);
  // Searching for its id shows the old key alone; its traffic is read with that of the successor all the same.
  await page.goto(`${world.at("crowd")}?q=${old.id}`);
  const row = keyRow(page, old.hint);
  await row.getByText("Neither was used in the last hour").waitFor();
  await row.getByRole("link", { name: "See its successor" }).click();
  await page.waitForURL(`**${at(successor.id)}`);
  await page.getByRole("region", { name: "Rotation" }).getByText(old.hint).waitFor();
  await page.context().close();
});
