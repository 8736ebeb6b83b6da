import type { ApiKeyJson, RevocationJson } from "@latchkey/sdk/client";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { button, dialog, keyRow, openKeyMenu } from "./parts.ts";
import { openPage, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

const newKey = (description: string): Promise<ApiKeyJson> =>
  world.client.apiKeys.create("production", { type: "secret", description });

/** The keys page with its list there. */
async function openKeys(page: Page, search = ""): Promise<void> {
  await page.goto(world.at("production") + search);
  await page.getByRole("table", { name: "API keys" }).waitFor();
}

/** Opens the revoke dialog of a key and confirms. */
async function revoke(page: Page, description: string): Promise<Locator> {
  await openKeyMenu(page, description);
  await page.getByRole("menuitem", { name: "Revoke API key" }).click();
  await button(dialog(page), "Revoke API key").click();
  return dialog(page);
}

test.for([
  ["the server answers 503", { status: 503 }],
  ["the network is down", null],
] as const)(
  "when %s the dialog does not know, says so, and trying again revokes",
  async ([name, answer]) => {
    const key = await newKey(`Doubtful, ${name}`);
    const { page } = await world.visit();
    await openKeys(page);
    await page.route("**/revoke", (route) =>
      answer === null
        ? route.abort()
        : route.fulfill({
            status: answer.status,
            headers: { "Retry-After": "1" },
            json: { code: "service_unavailable", message: "Not now.", request_id: "req_of_a_test" },
          }),
    );
    const revoking = await revoke(page, key.description);
    await revoking.getByText("The key may or may not be revoked").waitFor();
    await revoking.getByText("count on the key still working").waitFor();
    if (answer !== null) await revoking.getByText("req_of_a_test").waitFor();
    expect(await revoking.getByText("Refused everywhere").count()).toBe(0);
    expect(await world.authenticate(key.api_key ?? "")).toBe(200);

    await page.unroute("**/revoke");
    await button(revoking, "Try again").click();
    await revoking.getByText(/^Refused everywhere after .*: 1 of 1 verifier confirmed$/).waitFor();
    expect(await world.authenticate(key.api_key ?? "")).toBe(401);
    await button(revoking, "Done").click();
    await keyRow(page, key.description).waitFor({ state: "hidden" });
    await page.context().close();
  },
);

test("a revocation whose answer is lost has happened: its receipt is shown all the same", async () => {
  const key = await newKey("Lost answer");
  const { page } = await world.visit();
  await openKeys(page);
  await page.route("**/revoke", async (route) => {
    await route.fetch(); // the server has done it
    await route.abort();
  });
  const revoking = await revoke(page, "Lost answer");
  await revoking.getByText(/^Refused everywhere after .*: 1 of 1 verifier confirmed$/).waitFor();
  expect(await revoking.getByText("may or may not").count()).toBe(0);
  expect(await world.authenticate(key.api_key ?? "")).toBe(401);
  await page.context().close();
});

test("a refused revocation says that the key was not revoked", async () => {
  await newKey("Not yours");
  const { page } = await world.visit();
  await openKeys(page);
  await page.route("**/revoke", (route) =>
    route.fulfill({
      status: 403,
      json: { code: "access_denied", message: "Your role may not revoke keys." },
    }),
  );
  const revoking = await revoke(page, "Not yours");
  await revoking.getByText("The key was not revoked").waitFor();
  await revoking.getByText("Your role may not revoke keys.").waitFor();
  expect(await revoking.getByText("may or may not").count()).toBe(0);
  await page.context().close();
});

/** Answers every reading of a key, in lists too, and its revocation with these fields changed. */
async function answerWith(page: Page, key: ApiKeyJson, change: () => Partial<ApiKeyJson>) {
  await page.route(/\/v1\/api_keys\b/, async (route) => {
    if (route.request().url().endsWith("/revoke"))
      return route.fulfill({ json: { ...key, ...change() } });
    const response = await route.fetch();
    const body = await response.json();
    const changed = (one: ApiKeyJson): ApiKeyJson =>
      one.id === key.id ? { ...one, ...change() } : one;
    const json = body.entries ? { ...body, entries: body.entries.map(changed) } : changed(body);
    return route.fulfill({ response, json });
  });
}

const receipt = (of: Partial<RevocationJson>): RevocationJson => ({
  state: "effective",
  effective_at: new Date().toISOString(),
  took_ms: 14,
  acknowledged: 3,
  lapsed: 0,
  ...of,
});

test.each<[string, Partial<RevocationJson>, string, string]>([
  [
    "everybody confirmed",
    {},
    "Refused everywhere after 14 ms: 3 of 3 verifiers confirmed",
    "No server accepts it any more.",
  ],
  [
    "one was waited out",
    { took_ms: 10_120, acknowledged: 2, lapsed: 1 },
    "Refused everywhere after 10.1 s: 2 of 3 verifiers confirmed",
    "1 did not answer; its lease ran out.",
  ],
  [
    "several were waited out",
    { took_ms: 60_600, acknowledged: 0, lapsed: 2 },
    "Refused everywhere after 60.6 s: 0 of 2 verifiers confirmed",
    "2 did not answer; their leases ran out.",
  ],
])(
  "when %s the receipt says so, in the dialog and later in the list",
  async (name, of, first, second) => {
    const key = await newKey(`Receipt, ${name}`);
    const { page } = await world.visit();
    await openKeys(page);
    let revoked: Partial<ApiKeyJson> = {};
    await answerWith(page, key, () => revoked);
    await openKeyMenu(page, key.description);
    await page.getByRole("menuitem", { name: "Revoke API key" }).click();
    const at = new Date().toISOString();
    revoked = { revoked_at: at, revoked_by: key.created_by, revocation: receipt(of) };
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText(first, { exact: true }).waitFor();
    await dialog(page).getByText(second, { exact: true }).waitFor();
    await button(dialog(page), "Done").click();
    const inList = of.lapsed === undefined ? first : `${first}. ${second}`;
    await keyRow(page, key.description).getByText(inList, { exact: true }).waitFor();
    await page.context().close();
  },
);

test("what is recorded and not confirmed says so, in the list too, until it is checked again", async () => {
  const key = await newKey("Not yet");
  const { page } = await world.visit();
  await openKeys(page);
  const pending = receipt({ state: "pending", effective_at: null, took_ms: null, acknowledged: 0 });
  let revoked: Partial<ApiKeyJson> = {};
  await answerWith(page, key, () => revoked);
  await openKeyMenu(page, "Not yet");
  await page.getByRole("menuitem", { name: "Revoke API key" }).click();
  const at = new Date().toISOString();
  revoked = { revoked_at: at, revoked_by: key.created_by, revocation: pending };
  const revoking = dialog(page);
  await button(revoking, "Revoke API key").click();
  await revoking.getByText("Recorded; not yet confirmed everywhere").waitFor();
  await revoking.getByText("stop accepting as soon as their lease runs out").waitFor();
  await keyRow(page, "Not yet").getByText("Not yet confirmed everywhere").waitFor();
  expect(await page.getByText("Refused everywhere").count()).toBe(0);
  revoked = { ...revoked, revocation: receipt({ took_ms: 3_000 }) };
  await button(revoking, "Check again").click();
  await revoking.getByText("Refused everywhere after 3 s: 3 of 3 verifiers confirmed").waitFor();
  expect(await button(revoking, "Check again").count()).toBe(0);
  await page.context().close();
});

test("a revocation that is recorded when the server answers 503 is not called doubtful, and turns to its receipt by itself", async () => {
  const key = await newKey("Recorded, 503");
  const { page } = await world.visit();
  await openKeys(page);
  let revoked: Partial<ApiKeyJson> = {};
  await answerWith(page, key, () => revoked);
  await page.route("**/revoke", (route) => {
    const pending = receipt({ state: "pending", effective_at: null, took_ms: null });
    revoked = { revoked_at: new Date().toISOString(), revocation: pending };
    const message = "The revocation is recorded, but could not be confirmed everywhere yet.";
    return route.fulfill({ status: 503, json: { code: "service_unavailable", message } });
  });
  const revoking = await revoke(page, "Recorded, 503");
  await revoking.getByText("Recorded; not yet confirmed everywhere").waitFor();
  await button(revoking, "Check again").waitFor();
  expect(await revoking.getByText("may or may not").count()).toBe(0);
  revoked = { ...revoked, revocation: receipt({ took_ms: 4_200 }) };
  // Nobody touches anything: the key is read again every two seconds.
  await revoking.getByText("Refused everywhere after 4.2 s: 3 of 3 verifiers confirmed").waitFor();
  expect(await button(revoking, "Check again").count()).toBe(0);
  await page.context().close();
});

test("while it waits the dialog says what for and how long at most; after two seconds also since when", async () => {
  await newKey("Waited for");
  const { page } = await world.visit();
  await page.clock.install();
  await openKeys(page);
  await page.route("**/revoke", () => {}); // never answered
  const revoking = await revoke(page, "Waited for");
  const status = revoking.getByRole("status");
  await status.getByText("Waiting until every verifier confirms").waitFor();
  await status.getByText("at most 10 s, unless your operator set another lease").waitFor();
  await page.clock.runFor(1_500);
  expect(await revoking.getByRole("timer").count()).toBe(0);
  expect(await revoking.getByText("seems not to answer").count()).toBe(0);
  await page.clock.runFor(1_500);
  await status.getByText("A verifier seems not to answer").waitFor();
  await revoking.getByText("2 s so far").or(revoking.getByText("3 s so far")).waitFor();
  await page.clock.runFor(4_000);
  await revoking.getByText("6 s so far").or(revoking.getByText("7 s so far")).waitFor();
  // Read out once, not every second.
  expect(await status.getByRole("timer").count()).toBe(0);
  await page.context().close();
});

test("a key revoked in one tab leaves the other: by itself, and at once when that tab is looked at", async () => {
  const [slow, quick] = [await newKey("Seen by the clock"), await newKey("Seen on focus")];
  const context = await world.profile();
  const { page: other } = await openPage(context);
  await other.clock.install();
  await openKeys(other);
  await keyRow(other, slow.description).waitFor();
  const { page } = await openPage(context);
  await openKeys(page);

  await (await revoke(page, slow.description)).getByText("Refused everywhere").waitFor();
  await other.clock.fastForward(11_000); // the list is read again every ten seconds
  await keyRow(other, slow.description).waitFor({ state: "hidden" });

  await button(dialog(page), "Done").click();
  await (await revoke(page, quick.description)).getByText("Refused everywhere").waitFor();
  await other.clock.fastForward(3_000);
  await keyRow(other, quick.description).waitFor();
  await other.evaluate(() =>
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true })),
  );
  // Well before the next reading by the clock.
  await keyRow(other, quick.description).waitFor({ state: "hidden", timeout: 5_000 });
  await context.close();
});
