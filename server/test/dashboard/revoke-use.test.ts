import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, dialog, openKeyMenu } from "./parts.ts";
import { age, BEHIND_PROXY, send, stored } from "./traffic.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld(BEHIND_PROXY);
});
afterAll(() => world?.end());

const newKey = (description: string): Promise<ApiKeyJson> =>
  world.client.apiKeys.create("production", { type: "secret", description });

/** Opens the revoke dialog of a key from the list. */
async function asked(page: Page, description: string): Promise<Locator> {
  await page.goto(world.at("production"));
  await openKeyMenu(page, description);
  await page.getByRole("menuitem", { name: "Revoke API key" }).click();
  return dialog(page);
}

/** A key that was accepted once, that long ago. */
async function usedDaysAgo(description: string, lastUsed: number): Promise<ApiKeyJson> {
  const key = await newKey(description);
  await send(world, key.api_key ?? "");
  await stored(world, key.id, 1);
  age(world, key.id, { created: 300, lastUsed });
  return key;
}

test("of a key in use the dialog says by how many, when last and from where, and how much", async () => {
  const key = await newKey("Three callers");
  const token = key.api_key ?? "";
  await send(world, token, { from: "198.51.100.1", times: 2 });
  await send(world, token, { from: "198.51.100.2", userAgent: "curl/8.9.1" });
  await send(world, token, { from: "203.0.113.7", userAgent: "worker/2.0" });
  await send(world, token, { from: "203.0.113.7", type: "public" });
  await stored(world, key.id, 5);
  const { page, complaints } = await world.visit();
  const revoking = await asked(page, "Three callers");
  await revoking
    .getByText("In use: 3 callers in the last 24 h, latest just now from 203.0.113.7.")
    .waitFor();
  await expect.poll(() => revoking.getByText("4 accepted, 1 refused").count()).toBe(2);
  await revoking.getByText("198.51.100.2, just now").waitFor();
  await revoking.getByText("curl/8.9.1").waitFor();
  await button(revoking, "Revoke API key").click();
  await revoking.getByText("Refused everywhere").waitFor();
  expect(await world.authenticate(token)).toBe(401);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("of a key that was never used it says so", async () => {
  await newKey("Never needed");
  const { page } = await world.visit();
  const revoking = await asked(page, "Never needed");
  await revoking.getByText("This key has never been used.").waitFor();
  await expect.poll(() => revoking.getByText("0 accepted, 0 refused").count()).toBe(2);
  expect(await revoking.getByText("In use").count()).toBe(0);
  await page.context().close();
});

test("of a key that was used five days ago it says that", async () => {
  await usedDaysAgo("Weekly report", 5);
  const { page } = await world.visit();
  const revoking = await asked(page, "Weekly report");
  await revoking.getByText(/^Last used 5 days ago from 203\.0\.113\.7\.$/).waitFor();
  await page.context().close();
});

test("of a key that nobody has used for 30 days it says that nobody has", async () => {
  await usedDaysAgo("Old importer", 31);
  const { page } = await world.visit();
  const revoking = await asked(page, "Old importer");
  await revoking.getByText("Nobody has used this key for 30 days.").waitFor();
  await revoking.getByText(/^31 days ago \(/).waitFor();
  await page.context().close();
});

test("it follows while it is open: a key thought dead is seen to be used", async () => {
  const key = await newKey("Thought dead");
  const { page } = await world.visit();
  await page.clock.install();
  const revoking = await asked(page, "Thought dead");
  await revoking.getByText("This key has never been used.").waitFor();
  await send(world, key.api_key ?? "");
  await stored(world, key.id, 1);
  await page.clock.runFor(11_000);
  await revoking.getByText("In use: 1 caller in the last 24 h").waitFor();
  await page.context().close();
});

test.for([
  ["is refused", { status: 422 }],
  ["fails", { status: 503 }],
  ["never answers", null],
] as const)(
  "when the reading of its use %s, the key can be revoked all the same",
  async ([name, answer]) => {
    const key = await newKey(`Unknown use, ${name}`);
    const { page } = await world.visit();
    await page.route("**/usage?**", (route) =>
      answer === null
        ? undefined
        : route.fulfill({ ...answer, json: { code: "of_a_test", message: "No." } }),
    );
    const revoking = await asked(page, key.description);
    if (answer?.status === 422) {
      await revoking.getByText("could not be read. Revoking works all the same.").waitFor();
      await revoking.getByText("This key has never been used.").waitFor();
    }
    await button(revoking, "Revoke API key").click();
    await revoking.getByText("Refused everywhere").waitFor();
    expect(await world.authenticate(key.api_key ?? "")).toBe(401);
    await page.context().close();
  },
);
