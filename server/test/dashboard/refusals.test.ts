import type { ApiKeyJson, RefusalJson } from "@latchkey/sdk/client";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { button, dialog, keyRow } from "./parts.ts";
import { BEHIND_PROXY, type Calls, send } from "./traffic.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld(BEHIND_PROXY);
});
afterAll(() => world?.end());

const newKey = (description: string, type: "secret" | "public" = "secret"): Promise<ApiKeyJson> =>
  world.client.apiKeys.create("production", { type, description });

/** Calls with a token that is refused, and waits until that can be looked up. */
async function refused(token: string, calls: Calls = {}): Promise<{ id: string; body: string }> {
  const { status, requestId, body } = await send(world, token, calls);
  expect(status).toBeGreaterThanOrEqual(401);
  await waitFor("the refusal to be stored", async () =>
    world.client.refusals.get(requestId).then(
      () => true,
      () => undefined,
    ),
  );
  return { id: requestId, body };
}

const openRefusals = (page: Page, search = ""): Promise<unknown> =>
  page.goto(world.at("production", "observability/refusals") + search);

test("the truth about a refused request is found by what its caller pastes", async () => {
  const key = await newKey("Left the company");
  await world.client.apiKeys.revoke(key.id, { reason: "Ada has left" });
  const { id, body } = await refused(key.api_key ?? "", {
    from: "198.51.100.9",
    userAgent: "old-worker/0.9",
  });
  expect(body).toContain(id);
  expect(body).not.toContain("revoked");

  const { page, complaints } = await world.visit({
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.goto(world.at("production"));
  await page.getByRole("link", { name: "Refusals", exact: true }).click();
  await page.evaluate((text) => navigator.clipboard.writeText(text), body);
  const search = page.getByRole("searchbox", { name: "Request id" });
  await search.focus();
  await page.keyboard.press("ControlOrMeta+V");
  const detail = dialog(page);
  await detail.getByText("Ada has left").waitFor();
  await detail.getByText("Revoked key still in use").waitFor();
  await detail.getByText("198.51.100.9").waitFor();
  await detail.getByText("old-worker/0.9").waitFor();
  await detail.getByText("api_key_missing").waitFor();
  expect(await search.inputValue()).toBe(id);
  expect(new URL(page.url()).searchParams.get("request")).toBe(id);

  await page.reload(); // a colleague gets the same by the address
  await detail.getByText("Ada has left").waitFor();
  await page.keyboard.press("Escape");
  await detail.waitFor({ state: "hidden" });
  expect(new URL(page.url()).search).toBe("");
  const details = button(page, `Details of ${id}`);
  await expect.poll(() => details.evaluate((one) => one === document.activeElement)).toBe(true);
  await page.keyboard.press("Enter");
  await detail.getByRole("link", { name: key.hint }).click();
  await page.getByRole("heading", { name: `API key ${key.hint}` }).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("reason and key narrow the list, live in the address, and are in words", async () => {
  const [one, other] = [await newKey("First suspect", "public"), await newKey("Second suspect")];
  await refused(one.api_key ?? "", { type: "secret" });
  await refused(other.api_key ?? "", { type: "public" });
  await refused(other.api_key ?? "", { environment: "development" });
  const { page, complaints } = await world.visit();
  await openRefusals(page);
  await keyRow(page, "First suspect").getByText("Wrong type of key").waitFor();
  expect(await keyRow(page, "Second suspect").count()).toBe(2);

  await page.getByRole("combobox", { name: "Reason" }).selectOption("environment_mismatch");
  await page.waitForURL(/[?&]reason=environment_mismatch/);
  await keyRow(page, "First suspect").waitFor({ state: "hidden" });
  await keyRow(page, "Second suspect").getByText("Key of another environment").waitFor();
  // Not late: nobody uses a dead key here.
  expect(await keyRow(page, "Second suspect").getByText("still in use").count()).toBe(0);

  const key = page.getByRole("combobox", { name: "Key" });
  await key.fill("First sus");
  await page.getByRole("option", { name: /First suspect/ }).click();
  await page.waitForURL(/[?&]key=key_/);
  await page.getByText("No refusals for this reason").waitFor();
  await page.getByRole("combobox", { name: "Reason" }).selectOption("");
  await keyRow(page, "First suspect").waitFor();
  expect(await keyRow(page, "Second suspect").count()).toBe(0);
  await page.reload();
  await keyRow(page, "First suspect").waitFor();
  expect(await key.inputValue()).toContain("First suspect");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a key that was rotated away and is still used is named so, with its successor", async () => {
  const [old, successor] = [await newKey("Before rotation"), await newKey("After rotation")];
  await world.client.apiKeys.revoke(old.id);
  const { id } = await refused(old.api_key ?? "");
  const { page, complaints } = await world.visit();
  await page.route(/\/v1\/refusals/, async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const rotated = (one: RefusalJson): RefusalJson =>
      one.api_key?.id === old.id
        ? { ...one, api_key: { ...one.api_key, rotated_to: successor.id } }
        : one;
    const json = body.entries ? { ...body, entries: body.entries.map(rotated) } : rotated(body);
    return route.fulfill({ response, json });
  });
  await openRefusals(page);
  await keyRow(page, "Before rotation").getByText("Rotated key still in use").waitFor();
  await button(page, `Details of ${id}`).click();
  await dialog(page).getByRole("link", { name: successor.id }).click();
  await page.getByRole("heading", { name: `API key ${successor.hint}` }).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a refusal that happens while the page is open appears by itself", async () => {
  const key = await newKey("Watched");
  const { page } = await world.visit();
  await page.clock.install();
  await openRefusals(page);
  await page.getByRole("heading", { name: "Refusals" }).waitFor();
  await refused(key.api_key ?? "", { type: "public" });
  await page.clock.runFor(11_000);
  await keyRow(page, "Watched").waitFor();
  await page.context().close();
});

test("what is not there is told with what is kept and where else to look; nonsense is not even asked for", async () => {
  const { requestId } = await send(world, "sk_nonsense");
  const { page } = await world.visit();
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().includes("/v1/refusals/")) asked += 1;
  });
  await openRefusals(page);
  const search = page.getByRole("searchbox", { name: "Request id" });
  await search.fill("it does not work");
  await button(page, "Find").click();
  await page.getByText("There is no request id in it").waitFor();
  expect(asked).toBe(0);

  await search.fill(requestId);
  await page.keyboard.press("Enter");
  await dialog(page).getByText("No such refusal").waitFor();
  await dialog(page).getByText("belongs to no account: ask whoever runs this Latchkey").waitFor();
  await dialog(page).getByText("under a flood of them only a sample is kept").waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => search.evaluate((one) => one === document.activeElement)).toBe(true);
  await page.context().close();
});

test("the operator finds what belongs to no account, and there nothing of any account", async () => {
  const key = await newKey("Somebody's");
  await refused(key.api_key ?? "", { type: "public" });
  const unknown = `sk_${"0aZ".repeat(12)}`;
  const { requestId } = await send(world, unknown, { from: "192.0.2.66", userAgent: "guesser/1" });
  await waitFor("the refusal to be stored", async () =>
    world.operator.operatorRefusals.get(requestId).then(
      (found: RefusalJson) => found.api_key === null || undefined,
      () => undefined,
    ),
  );
  const { page, complaints } = await world.visit();
  await page.goto(world.at("production"));
  await page.getByRole("link", { name: "Refusals without a key" }).click();
  await keyRow(page, "192.0.2.66").first().waitFor();
  expect(await page.getByText("Somebody's").count()).toBe(0);
  await page.getByRole("button", { name: `Details of ${requestId}` }).click();
  await dialog(page).getByText("guesser/1").waitFor();
  expect(await page.content()).not.toContain(unknown);
  await page.keyboard.press("Escape");
  await page.getByRole("combobox", { name: "Reason" }).selectOption("wrong_kind");
  await page.getByText("No refusals for this reason").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("who is not the operator sees none of those, and asks for none", async () => {
  const { page } = await world.visit();
  let asked = 0;
  await page.route("**/v1/me", async (route) => {
    const me = await (await route.fetch()).json();
    return route.fulfill({ json: { ...me, operator: false } });
  });
  page.on("request", (request) => {
    if (request.url().includes("/v1/operator/")) asked += 1;
  });
  await page.goto(world.at("production", "operator/refusals"));
  await page.getByText("Only the operator sees these refusals").waitFor();
  expect(await page.getByRole("link", { name: "Refusals without a key" }).count()).toBe(0);
  expect(asked).toBe(0);
  await page.context().close();
});
