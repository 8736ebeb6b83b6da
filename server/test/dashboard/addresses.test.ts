import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OWNER } from "../real-server.ts";
import { button, eventually, keyRow } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
/** The key's id, in the first environment. */
let key: string;
beforeAll(async () => {
  world = await openWorld();
  ({ id: key } = await world.client.apiKeys.create("production", {
    type: "secret",
    description: "Checkout",
  }));
});
afterAll(() => world?.end());

/** What no page knows, and what each refuses. */
const HOSTILE = [
  "range=bogus",
  "utm=1",
  "q[]=x",
  "status=__proto__",
  "by=constructor",
  "reason=toString",
  "last_used=valueOf",
  "expires=1",
  "after=",
  "action[]=x",
  "__proto__=1",
].join("&");

/** Pages that read their address, and what they show when it says nothing. */
const PAGES = {
  "settings/audit-log": async (page: Page) => {
    await page.locator("main ol").getByText("set up Latchkey").waitFor();
    expect(await page.getByLabel("When").inputValue()).toBe("");
    expect(await button(page, "Clear filters").count()).toBe(0);
  },
  "observability/usage": async (page: Page) => {
    await page
      .getByRole("radio", { name: "24 hours", checked: true })
      .waitFor({ state: "attached" });
    expect(await page.getByRole("radio", { name: "By outcome" }).isChecked()).toBe(true);
  },
  "platform/api-keys/:key": async (page: Page) => {
    await page
      .getByRole("radio", { name: "24 hours", checked: true })
      .waitFor({ state: "attached" });
  },
  "observability/refusals": async (page: Page) => {
    await page.getByRole("heading", { name: "Refusals" }).waitFor();
    expect(await page.getByLabel("Reason").inputValue()).toBe("");
    expect(await page.getByRole("dialog").count()).toBe(0);
  },
  "platform/api-keys": async (page: Page) => {
    await keyRow(page, "Checkout").waitFor();
    expect(await page.getByRole("radio", { name: "Active" }).isChecked()).toBe(true);
    expect(await page.getByRole("searchbox").inputValue()).toBe("");
  },
} as const;

const pathOf = (name: string): string => `/acme/production/${name.replace(":key", key)}`;

/** What the page asks the API for. */
function asked(page: Page): string[] {
  const urls: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.startsWith("/v1/")) urls.push(request.url());
  });
  return urls;
}

const HOSTILE_WORDS = /bogus|utm|proto|constructor|toString|valueOf|\[\]|%5B/;

test.each(Object.entries(PAGES))(
  "%s passes over what it does not know of its address, from the first sight on",
  async (name, expectDefaults) => {
    const { page, complaints } = await world.visit();
    const urls = asked(page);
    await page.goto(`${pathOf(name)}?${HOSTILE}`);
    await expectDefaults(page);
    await eventually(() => new URL(page.url()).search).toBe("");
    expect(urls.length).toBeGreaterThan(0);
    expect(urls.filter((url) => HOSTILE_WORDS.test(url))).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  },
);

test("nor does an address harm that signing in leads back to", async () => {
  const { page, complaints } = await world.visit({ signedIn: false });
  const urls = asked(page);
  const to = `${pathOf("settings/audit-log")}?${HOSTILE}`;
  await page.goto(`/sign-in?${new URLSearchParams({ to })}`);
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password", { exact: true }).fill(OWNER.password);
  await button(page, "Sign in").click();
  await PAGES["settings/audit-log"](page);
  expect(urls.filter((url) => HOSTILE_WORDS.test(url))).toEqual([]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("what a page knows stands beside what it does not, and is what it shows", async () => {
  const { page, complaints } = await world.visit();
  await page.goto(`${pathOf("settings/audit-log")}?action=environment.*&${HOSTILE}`);
  await page.getByText("No change matches").or(page.locator("main ol")).waitFor();
  expect(await page.getByLabel("What").inputValue()).toBe("environment.*");
  await eventually(() => new URL(page.url()).search).toBe("?action=environment.*");
  expect(await button(page, "Clear filters").count()).toBeGreaterThan(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});
