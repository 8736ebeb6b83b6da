import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { waitFor } from "../child.ts";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button, dialog, keyRow, openKeyMenu } from "./parts.ts";
import { tellRole } from "./people.ts";
import { age, BEHIND_PROXY, send, stored } from "./traffic.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let context: BrowserContext;
let busy: ApiKeyJson;
let dead: ApiKeyJson;
beforeAll(async () => {
  world = await openWorld(BEHIND_PROXY);
  context = await world.profile();
  await furnish(world);
});
afterAll(() => world?.end());

/** Twelve keys in `production`: used by several callers, idle, expired, and one that was revoked and is still used. */
async function furnish({ client }: World): Promise<void> {
  const create = (description: string) =>
    client.apiKeys.create("production", { type: "secret", description });
  busy = await create("Billing worker");
  for (const [index, userAgent] of [
    "billing-worker/2.4.1 (node 24.1.0)",
    `python-requests/2.32.0 ${"very-long-product/1.0 ".repeat(8)}`.trim(),
    "curl/8.9.1",
    "Go-http-client/2.0",
  ].entries())
    await send(world, busy.api_key ?? "", {
      times: 3 + index,
      from: index === 1 ? "2001:db8:85a3:8d3:1319:8a2e:370:7348" : `198.51.100.${index}`,
      userAgent,
    });
  await send(world, busy.api_key ?? "", { type: "public", times: 2 });
  await send(world, busy.api_key ?? "", { environment: "development" });
  for (let number = 1; number <= 9; number += 1) {
    const key = await create(`Service ${number}`);
    await send(world, key.api_key ?? "", { times: number });
  }
  const never = await create(`https://example.com/${"long-name-".repeat(20)}`);
  age(world, never.id, { created: 40 });
  dead = await create("Laptop of an intern");
  await send(world, dead.api_key ?? "", { times: 2 });
  await stored(world, dead.id, 2);
  await client.apiKeys.revoke(dead.id, { reason: "found in a public repository" });
  await send(world, dead.api_key ?? "", { times: 3, from: "192.0.2.10" });
  await send(world, `sk_${"0aZ".repeat(12)}`, { from: "192.0.2.66" });
  await stored(world, dead.id, 5);
  await waitFor("every refusal to be stored", async () => {
    const { entries } = await client.refusals.list({ environment: "production" });
    return entries.length >= 6 || undefined;
  });
}

const openUsage = async (page: Page, search = "", environment = "production"): Promise<void> => {
  await page.goto(world.at(environment, "observability/usage") + search);
  await page.getByRole("heading", { name: "Usage", level: 1 }).waitFor();
};
const chart = (page: Page): Promise<void> =>
  page.locator("figure path.recharts-rectangle").first().waitFor({ state: "attached" });
const openKey = async (page: Page, key: ApiKeyJson): Promise<void> => {
  await page.goto(world.at("production", `platform/api-keys/${key.id}`));
  await page.getByRole("heading", { name: `API key ${key.hint}` }).waitFor();
};
const openRefusals = (page: Page, search = ""): Promise<unknown> =>
  page.goto(world.at("production", "observability/refusals") + search);

/** Ticks keys and asks for their revocation. */
async function askForThree(page: Page): Promise<void> {
  await page.goto(world.at("production"));
  for (const number of [1, 2, 3])
    await keyRow(page, `Service ${number}`).getByRole("checkbox").check();
  await button(page, "Revoke selected (3)").click();
  await dialog(page).waitFor();
}

/** Every state of the pages of what is observed, and how one gets there. */
const states: Record<string, (page: Page) => Promise<unknown>> = {
  "usage by outcome": async (page) => {
    await openUsage(page);
    await chart(page);
  },
  "usage by key with its numbers": async (page) => {
    await openUsage(page, "?by=key&range=1h");
    await chart(page);
    await button(page, "Show numbers").click();
  },
  "usage of 30 days": async (page) => {
    await openUsage(page, "?range=30d");
    await chart(page);
  },
  "usage with a tooltip": async (page) => {
    await openUsage(page);
    await chart(page);
    await page.locator("figure path.recharts-rectangle").last().hover();
    await page.locator(".recharts-tooltip-wrapper strong").first().waitFor();
  },
  "usage of nothing": async (page) => {
    await openUsage(page, "", "development");
    await page.getByText("No verifications in the last 24 hours").waitFor();
  },
  "usage still loading": async (page) => {
    await page.route("**/v1/usage?**", () => {}); // never answered
    await openUsage(page);
    await page.getByText("Loading usage").waitFor();
  },
  "usage without a server": async (page) => {
    await page.route("**/v1/usage?**", (route) => route.abort());
    await openUsage(page);
    await button(page, "Try again").waitFor();
  },
  "usage, for Support": async (page) => {
    await tellRole(page, "support");
    await openUsage(page);
    await page.getByText("Usage is not shown to Support").waitFor();
  },
  "API keys with their last 24 hours": async (page) => {
    await page.goto(world.at("production"));
    await page
      .getByRole("img", { name: /^Last 24 hours: / })
      .first()
      .waitFor();
    await keyRow(page, "long-name").getByText("Never used").waitFor();
  },
  "API keys with some selected": async (page) => {
    await page.goto(world.at("production"));
    await keyRow(page, "Service 1").getByRole("checkbox").check();
    await page.getByText("1 API key selected").waitFor();
  },
  "no API keys that are unused": async (page) => {
    await page.goto(`${world.at("production")}?last_used=over_90_days_ago`);
    await page.getByText("None is unused for 90 days").waitFor();
  },
  "revoke dialog of a key in use": async (page) => {
    await page.goto(world.at("production"));
    await openKeyMenu(page, "Billing worker");
    await page.getByRole("menuitem", { name: "Revoke API key" }).click();
    await dialog(page).getByText("In use: 4 callers in the last 24 h").waitFor();
  },
  "revoke dialog that reads the use": async (page) => {
    await page.route("**/usage?**", () => {}); // never answered
    await page.goto(world.at("production"));
    await openKeyMenu(page, "Billing worker");
    await page.getByRole("menuitem", { name: "Revoke API key" }).click();
    await dialog(page).getByRole("status", { name: "Reading who uses the key" }).waitFor();
  },
  "dialog for several": askForThree,
  "dialog for several with what became of them": async (page) => {
    await page.route("**/revoke", async (route) => {
      const [, id] = /api_keys\/(\w+)\/revoke/.exec(route.request().url()) ?? [];
      const key = await world.client.apiKeys.get(id ?? "");
      const at = new Date().toISOString();
      const revocation = { state: "effective", effective_at: at, took_ms: 14 };
      return key.description === "Service 2"
        ? route.abort()
        : route.fulfill({
            json: {
              ...key,
              revoked_at: at,
              revocation: { ...revocation, acknowledged: 5, lapsed: 1 },
            },
          });
    });
    await askForThree(page);
    await button(dialog(page), "Revoke 3 API keys").click();
    await dialog(page).getByText("2 of 3 revoked, 1 not").waitFor();
  },
  "dialog for many": async (page) => {
    await page.goto(world.at("production"));
    await page.getByRole("checkbox", { name: "Select all API keys of this page" }).check();
    await page.getByRole("button", { name: /^Revoke selected/ }).click();
    await dialog(page).waitFor();
  },
  "a key's page": async (page) => {
    await openKey(page, busy);
    await chart(page);
    await page.getByText("billing-worker/2.4.1").waitFor();
  },
  "the page of a revoked key that is still used": async (page) => {
    await openKey(page, dead);
    await page.getByText("Used 3 times since it was revoked").waitFor();
    await chart(page);
  },
  "the page of no key": async (page) => {
    await page.goto(world.at("production", "platform/api-keys/key_nobody"));
    await page.getByText("API key not found").waitFor();
  },
  refusals: async (page) => {
    await openRefusals(page);
    await page.getByText("Revoked key still in use").first().waitFor();
  },
  "refusals of one key": async (page) => {
    await openRefusals(page, `?key=${dead.id}`);
    await page.getByText("Revoked key still in use").first().waitFor();
  },
  "the choice of a key": async (page) => {
    await openRefusals(page);
    await page.getByRole("combobox", { name: "Key" }).click();
    await page.getByRole("listbox").getByRole("option").first().waitFor();
  },
  "no refusals": async (page) => {
    await openRefusals(page, "?reason=expired");
    await page.getByText("No refusals for this reason").waitFor();
  },
  "a refusal": async (page) => {
    const [late] = (await world.client.refusals.list({ reason: "revoked" })).entries;
    await openRefusals(page, `?request=${late?.request_id}`);
    await dialog(page).getByText("found in a public repository").waitFor();
  },
  "no such refusal": async (page) => {
    await openRefusals(page, `?request=req_${"0aZ".repeat(8)}`);
    await dialog(page).getByText("No such refusal").waitFor();
  },
  "a search without a request id": async (page) => {
    await openRefusals(page);
    await page.getByRole("searchbox", { name: "Request id" }).fill("help");
    await button(page, "Find").click();
    await page.getByText("There is no request id in it").waitFor();
  },
  "refusals without a key": async (page) => {
    await page.goto(world.at("production", "operator/refusals"));
    await keyRow(page, "192.0.2.66").first().waitFor();
  },
  "refusals without a key, for others than the operator": async (page) => {
    await page.route("**/v1/me", async (route) =>
      route.fulfill({ json: { ...(await (await route.fetch()).json()), operator: false } }),
    );
    await page.goto(world.at("production", "operator/refusals"));
    await page.getByText("Only the operator sees these refusals").waitFor();
  },
};

/** States that end when the table gives way to cards, or when the window changes under an open list. */
const gone = new Set(["usage with a tooltip", "the choice of a key"]);

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, gone.has(name)),
);
