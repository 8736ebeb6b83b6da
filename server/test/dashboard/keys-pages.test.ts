import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { waitFor } from "../child.ts";
import { openFurnishedWorld, openKeys } from "./furnished.ts";
import { begin } from "./lives.ts";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button, dialog, keyRow, openKeyMenu } from "./parts.ts";
import type { World } from "./world.ts";

let world: World;
let context: BrowserContext;
beforeAll(async () => {
  world = await openFurnishedWorld();
  context = await world.profile();
});
afterAll(() => world?.end());

const states: Record<string, (page: Page) => Promise<unknown>> = {
  "API keys": async (page) => {
    await openKeys(page);
    await keyRow(page, "Billing worker").waitFor();
  },
  "API keys of every status": async (page) => {
    await openKeys(page, "?status=all");
    await keyRow(page, "found in a public repository").waitFor();
    await keyRow(page, "Nightly export").getByText("Expired").waitFor();
  },
  "API keys on two pages": async (page) => {
    await openKeys(page, "", "busy");
    await page.getByRole("navigation", { name: "Pages" }).scrollIntoViewIfNeeded();
  },
  "no API keys": async (page) => {
    await openKeys(page, "", "empty");
    await page.getByText("No active API keys").waitFor();
  },
  "no API keys found": async (page) => {
    await openKeys(page, "?q=nothing-has-this-name");
    await page.getByText("Nothing found").waitFor();
  },
  "API keys still loading": async (page) => {
    await page.route("**/v1/api_keys?**", () => {}); // never answered
    await openKeys(page);
    await page.getByText("Loading API keys").waitFor();
  },
  "API keys without a server": async (page) => {
    await page.route("**/v1/api_keys?**", (route) => route.abort());
    await openKeys(page);
    await button(page, "Try again").waitFor();
  },
  "API keys out of date": async (page) => {
    await openKeys(page);
    await keyRow(page, "Billing worker").waitFor();
    await page.route("**/v1/api_keys?**", (route) => route.abort());
    const readAgain = async (): Promise<true | undefined> => {
      await page.evaluate(() =>
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true })),
      );
      return (await page.getByText("may be out of date").count()) > 0 || undefined;
    };
    await waitFor("the list to be read again", readAgain, { withinMs: 30_000, everyMs: 200 });
  },
  "a key's menu": async (page) => {
    await openKeys(page);
    await openKeyMenu(page, "Map on the web site");
    await page.getByRole("menuitem", { name: "Copy token" }).waitFor();
  },
  "create dialog": async (page) => {
    await openKeys(page);
    await button(page, "Create API key").click();
    await dialog(page).getByRole("radio", { name: "Public" }).waitFor();
  },
  "create dialog with a mistake": async (page) => {
    await openKeys(page);
    await button(page, "Create API key").click();
    await dialog(page).getByLabel("Expires").selectOption("own");
    await button(dialog(page), "Create").click();
    await dialog(page).getByText("Choose a date and time.").waitFor();
  },
  "create dialog with the secret token": async (page) => {
    await openKeys(page, "", "empty");
    await page.route("**/v1/api_keys?**", answerCreation("secret"));
    await button(page, "Create API key").click();
    await button(dialog(page), "Create").click();
    await dialog(page).getByRole("group", { name: "Token" }).waitFor();
  },
  "create dialog with the public token": async (page) => {
    await openKeys(page, "", "empty");
    await page.route("**/v1/api_keys?**", answerCreation("public"));
    await button(page, "Create API key").click();
    await button(dialog(page), "Create").click();
    await dialog(page).getByText("You can copy it again from the list").waitFor();
  },
  "edit dialog": async (page) => {
    await openKeys(page);
    await begin(page, "Billing worker", "Edit description");
  },
  "revoke dialog": async (page) => {
    await openKeys(page);
    await begin(page, "Billing worker", "Revoke API key");
  },
  "revoke dialog while it waits": async (page) => {
    await openKeys(page);
    await page.route("**/revoke", () => {}); // never answered
    await begin(page, "Billing worker", "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("A verifier seems not to answer").waitFor();
  },
  "revoke dialog that does not know": async (page) => {
    await openKeys(page);
    await page.route("**/revoke", (route) => route.abort());
    await begin(page, "Billing worker", "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("may or may not be revoked").waitFor();
  },
  "revoke dialog with its receipt": async (page) => {
    const { description } = await world.client.apiKeys.create("development", {
      type: "secret",
      description: "Short-lived",
    });
    await openKeys(page);
    await begin(page, description, "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("Refused everywhere").waitFor();
  },
  "revoke dialog with lapsed verifiers": async (page) => {
    await openKeys(page);
    await page.route("**/revoke", async (route) =>
      route.fulfill({ json: await revoked({ acknowledged: 3, lapsed: 2, took_ms: 10_120 }) }),
    );
    await begin(page, "Billing worker", "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("3 of 5 verifiers confirmed").waitFor();
  },
  "revoke dialog still pending": async (page) => {
    await openKeys(page);
    await page.route("**/revoke", async (route) =>
      route.fulfill({ json: await revoked({ state: "pending", effective_at: null }) }),
    );
    await begin(page, "Billing worker", "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("not yet confirmed everywhere").waitFor();
  },
  "revoked API keys and how each ended": async (page) => {
    const at = new Date().toISOString();
    const ends = [
      { state: "effective", effective_at: at, took_ms: 10_120, acknowledged: 2, lapsed: 1 },
      { state: "pending", effective_at: null, took_ms: null, acknowledged: 0, lapsed: 0 },
    ];
    await page.route("**/v1/api_keys?**", async (route) => {
      const response = await route.fetch();
      const { entries, ...page } = await response.json();
      const changed = entries.map((key: object, index: number) =>
        index < ends.length ? { ...key, revoked_at: at, revocation: ends[index] } : key,
      );
      return route.fulfill({ json: { entries: changed, ...page } });
    });
    await openKeys(page, "?status=all");
    await page.getByText("1 did not answer; its lease ran out.").waitFor();
  },
};

/** Answers a creation with a token that nobody has, so that `empty` stays empty. */
const answerCreation =
  (type: "secret" | "public") =>
  async (route: Parameters<Parameters<Page["route"]>[1]>[0]): Promise<void> => {
    if (route.request().method() !== "POST") return route.continue();
    const [some] = (await world.client.apiKeys.list({ environment: "development" })).entries;
    const api_key = `${type === "secret" ? "sk" : "pk"}_${"0aZ".repeat(12)}`;
    return route.fulfill({ status: 201, json: { ...some, type, api_key } });
  };

/** A revoked key as the server answers it, with this receipt. */
async function revoked(receipt: object): Promise<object> {
  const [some] = (await world.client.apiKeys.list({ environment: "development" })).entries;
  const at = new Date().toISOString();
  const effective = { state: "effective", effective_at: at, took_ms: 14 };
  const revocation = { ...effective, acknowledged: 0, lapsed: 0, ...receipt };
  return { ...some, revoked_at: at, revoked_by: some?.created_by, revocation };
}

/** States that end when the table of keys gives way to cards: they are opened anew on a phone. */
const gone = new Set(["a key's menu"]);

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, gone.has(name)),
);
