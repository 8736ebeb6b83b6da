import type { ApiKeyJson, Rotation } from "@latchkey/sdk/client";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { begin } from "./lives.ts";
import { button, dialog, eventually, kept, keyRow, openKeyMenu, tokenIn } from "./parts.ts";
import { tellRole } from "./people.ts";
import { send, stored } from "./traffic.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

const newKey = (description: string, environment = "production") =>
  world.client.apiKeys.create(environment, { type: "secret", description });

/** A key that was rotated past the browser, and its successor. */
async function newPair(description: string, rotation: Rotation = { overlap_seconds: 86_400 }) {
  const old = await newKey(description);
  const successor = await world.client.apiKeys.rotate(old.id, rotation);
  return { old, successor };
}

async function openKeys(page: Page, environment = "production", search = ""): Promise<void> {
  await page.goto(world.at(environment) + search);
  await page.getByRole("table", { name: "API keys" }).waitFor();
}

const openKey = async (page: Page, key: ApiKeyJson): Promise<void> => {
  await page.goto(world.at("production", `platform/api-keys/${key.id}`));
  await page.getByRole("heading", { name: `API key ${key.hint}`, level: 1 }).waitFor();
};

const rowOf = (page: Page, key: ApiKeyJson) => keyRow(page, key.hint);

test("rotating shows the new token once; the old key goes on, and both stand together with the time left", async () => {
  const old = await newKey("Checkout");
  await newKey("Something newer than the old key");
  const { page, complaints } = await world.visit();
  await page.goto(world.at("production", "settings/environments"));
  await page.getByRole("link", { name: "API keys" }).click();
  await begin(page, old.hint, "Rotate API key");
  const rotating = dialog(page);
  await rotating.getByText("This key has never been used.").waitFor();
  await rotating.getByText("The new key does not expire, as this one does not.").waitFor();
  await button(rotating, "Rotate API key").click();
  const token = await tokenIn(rotating, "Token");
  expect(token).toMatch(/^sk_[0-9A-Za-z]{36}$/);
  await rotating
    .getByText(/^It is accepted until .* \(tomorrow\), and refused everywhere/)
    .waitFor();
  expect(await world.authenticate(token)).toBe(200);
  expect(await world.authenticate(old.api_key ?? "")).toBe(200);

  // Nothing but Done puts the token away.
  await page.keyboard.press("Escape");
  await page.mouse.click(5, 5);
  const asked: string[] = [];
  page.on("dialog", (question) => {
    asked.push(question.type());
    void question.dismiss();
  });
  await page.evaluate(() => window.history.back());
  await eventually(() => asked).toEqual(["confirm"]);
  await rotating.getByText(token).waitFor();
  await button(rotating, "Done").click();
  await rotating.waitFor({ state: "hidden" });

  const rows = page.locator("tbody").getByRole("row");
  await eventually(
    async () => (await rows.allInnerTexts()).filter((row) => row.includes("Checkout")).length,
  ).toBe(2);
  const texts = await rows.allInnerTexts();
  const place = texts.findIndex((row) => row.includes("New key"));
  expect(texts[place]).toContain(`sk_…${token.slice(-4)}`);
  expect(texts[place + 1]).toContain(old.hint);
  expect(texts[place + 1]).toContain("Old key");
  await rowOf(page, old).getByText("Ends tomorrow").waitFor();
  expect(await kept(page)).not.toContain(token);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("without an overlap the old key is refused everywhere by the time that the token is shown", async () => {
  const old = await newKey("Leaked");
  const { page, complaints } = await world.visit();
  await openKeys(page);
  await begin(page, "Leaked", "Rotate API key");
  const rotating = dialog(page);
  await rotating.getByRole("radio", { name: "The first use of the new key" }).waitFor();
  await rotating
    .getByLabel("The old key goes on working for")
    .selectOption({ label: "Not at all: revoke it now" });
  expect(await rotating.getByRole("radio").count()).toBe(0);
  await rotating.getByText("whoever still uses it is cut off").waitFor();
  await button(rotating, "Rotate API key").click();
  await rotating.getByText(/^Refused everywhere after .*1 of 1 verifier confirmed$/).waitFor();
  await rotating.getByText(`Old key ${old.hint}: revoked`).waitFor();
  expect(await world.authenticate(old.api_key ?? "")).toBe(401);
  expect(await world.authenticate(await tokenIn(rotating, "Token"))).toBe(200);
  await button(rotating, "Done").click();
  await rowOf(page, old).waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a length of one's own is a whole number up to 30 days", async () => {
  await newKey("For an odd time");
  const { page } = await world.visit();
  await openKeys(page);
  await begin(page, "For an odd time", "Rotate API key");
  const rotating = dialog(page);
  await rotating.getByLabel("The old key goes on working for").selectOption("own");
  for (const wrong of ["", "0", "31", "1.5", "many"]) {
    await rotating.getByLabel("How many").fill(wrong);
    await button(rotating, "Rotate API key").click();
    await rotating.getByText("Enter a whole number; at most 30 days.").waitFor();
  }
  await rotating.getByLabel("How many").fill("90");
  await rotating.getByLabel("Unit").selectOption("minutes");
  await rotating.getByRole("radio", { name: "The first use of the new key" }).check();
  await rotating.getByText("until 90 minutes after the first use of the new one").waitFor();
  await button(rotating, "Rotate API key").click();
  await rotating
    .getByText("It is accepted until 90 minutes after the first use of the new key.")
    .waitFor();
  await button(rotating, "Done").click();
  await keyRow(page, "Waits for the first use of the new key").waitFor();
  await page.context().close();
});

test("one watches the traffic go over, and an overlap begin with the first use of the new key", async () => {
  const { old, successor } = await newPair("Moves over", {
    overlap_seconds: 7_200,
    starts: "first_use",
  });
  await send(world, old.api_key ?? "", { times: 3 });
  await stored(world, old.id, 3);
  const { page, complaints } = await world.visit();
  await page.clock.install();
  await openKeys(page);
  const row = rowOf(page, old);
  await row.getByText("100% old · 0% new in the last hour").waitFor();
  await row.getByText("Waits for the first use of the new key").waitFor();
  await send(world, successor.api_key);
  await stored(world, successor.id, 1);
  await waitFor("the overlap to begin", async () => {
    const { overlap } = await world.client.apiKeys.get(old.id);
    return overlap?.started_at ?? undefined;
  });
  await page.clock.runFor(11_000);
  await row.getByText("75% old · 25% new in the last hour").waitFor();
  await row.getByText("Ends in 2 hours").waitFor();
  expect(await world.authenticate(old.api_key ?? "")).toBe(200);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("finishing now has a receipt, and leaves the successor as it is", async () => {
  const { old, successor } = await newPair("To be finished");
  const { page, complaints } = await world.visit();
  await openKeys(page);
  await begin(page, old.hint, "Finish now");
  await dialog(page).getByText("Its successor goes on working.").waitFor();
  expect(await button(dialog(page), "Rotate instead").count()).toBe(0);
  await button(dialog(page), "Finish now").click();
  await dialog(page).getByText("Rotation finished").waitFor();
  await dialog(page).getByText("Refused everywhere").waitFor();
  expect(await world.authenticate(old.api_key ?? "")).toBe(401);
  expect(await world.authenticate(successor.api_key)).toBe(200);
  await button(dialog(page), "Done").click();
  await rowOf(page, old).waitFor({ state: "hidden" });
  await rowOf(page, successor).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("an overlap is made longer or shorter; one that would be over already is not saved", async () => {
  const { old } = await newPair("Changes its mind");
  const { page, complaints } = await world.visit();
  await openKeys(page);
  const changing = dialog(page);
  const length = changing.getByLabel("The old key goes on working for");
  await begin(page, old.hint, "Change overlap");
  expect(await length.inputValue()).toBe("86400");
  await length.selectOption({ label: "7 days" });
  await button(changing, "Save").click();
  await changing.waitFor({ state: "hidden" });
  await rowOf(page, old).getByText("Ends in 7 days").waitFor();

  await begin(page, old.hint, "Change overlap");
  await length.selectOption({ label: "1 hour" });
  await button(changing, "Save").click();
  await changing.getByText(/^Ends on /).waitFor();
  await changing.getByText("Every verifier has confirmed it").waitFor();
  await button(changing, "Done").click();
  await rowOf(page, old).getByText("Ends in 1 hour").waitFor();
  const { expires_at, overlap } = await world.client.apiKeys.get(old.id);
  expect(Date.parse(expires_at ?? "") - Date.parse(overlap?.started_at ?? "")).toBe(3_600_000);

  // Somebody leaves the dialog open until it is too late.
  await page.clock.install({ time: Date.parse(overlap?.started_at ?? "") + 120_000 });
  await begin(page, old.hint, "Change overlap");
  await length.selectOption("own");
  await changing.getByLabel("How many").fill("1");
  await changing.getByLabel("Unit").selectOption("minutes");
  await button(changing, "Save").click();
  await changing.getByText("That is over already. Choose longer, or finish now.").waitFor();
  await button(changing, "Finish now").click();
  await page.getByRole("dialog", { name: "Finish the rotation now" }).waitFor();
  expect((await world.client.apiKeys.get(old.id)).overlap?.seconds).toBe(3_600);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("who comes second is told so, and sees what the key has become", async () => {
  const old = await newKey("Rotated by two");
  const { page } = await world.visit();
  await openKeys(page);
  await begin(page, "Rotated by two", "Rotate API key");
  const { id } = await world.client.apiKeys.rotate(old.id, { overlap_seconds: 3_600 });
  await button(dialog(page), "Rotate API key").click();
  await dialog(page).getByText("Somebody else was faster").waitFor();
  await dialog(page).getByText("This API key was rotated already.").waitFor();
  expect(await button(dialog(page), "Rotate API key").count()).toBe(0);
  await button(dialog(page), "Close").last().click(); // the first is the cross
  await rowOf(page, old).getByText("Ends in 1 hour").waitFor();
  expect((await world.client.apiKeys.get(old.id)).rotated_to).toBe(id);
  await openKeyMenu(page, old.hint);
  await page.getByRole("menuitem", { name: "Change overlap" }).waitFor();
  expect(await page.getByRole("menuitem", { name: "Rotate API key" }).count()).toBe(0);
  await page.context().close();
});

test("a lost answer makes no second successor; the one whose token nobody has is revoked, and the key rotated again", async () => {
  const old = await newKey("Unlucky");
  const { page } = await world.visit();
  await openKeys(page);
  await begin(page, "Unlucky", "Rotate API key");
  let lost = 0;
  await page.route("**/rotate", async (route) => {
    if (lost > 0) return route.continue();
    lost += 1;
    await route.fetch(); // the server has done it
    return route.abort();
  });
  await button(dialog(page), "Rotate API key").click();
  await dialog(page).getByText("The key may or may not be rotated").waitFor();
  await button(dialog(page), "Try again").click();
  await dialog(page).getByText("The new token was lost on its way").waitFor();
  const { rotated_to } = await world.client.apiKeys.get(old.id);
  const vain = await world.client.apiKeys.get(rotated_to ?? "");
  await button(dialog(page), `Revoke ${vain.hint}`).click();
  await button(dialog(page), "Revoke API key").click();
  await dialog(page).getByText("Refused everywhere").waitFor();
  await button(dialog(page), "Done").click();
  expect(await world.authenticate(old.api_key ?? "")).toBe(200);

  await openKey(page, old);
  await page.getByText("Rotated in vain: the successor has ended").waitFor();
  await button(page, "Rotate again").click();
  await button(dialog(page), "Rotate API key").click();
  const token = await tokenIn(dialog(page), "Token");
  expect(await world.authenticate(token)).toBe(200);
  await button(dialog(page), "Done").click();
  await page.getByText("Being rotated").first().waitFor();
  expect((await world.client.apiKeys.get(old.id)).rotated_to).not.toBe(vain.id);
  await page.context().close();
});

test("of a key in use the revoke dialog offers to rotate it instead; then the focus goes back to its menu", async () => {
  const old = await newKey("Busy");
  await send(world, old.api_key ?? "");
  await stored(world, old.id, 1);
  const { page } = await world.visit();
  await openKeys(page);
  await begin(page, "Busy", "Revoke API key");
  await button(dialog(page), "Rotate instead").click();
  const rotating = page.getByRole("dialog", { name: "Rotate API key" });
  await rotating.getByText("In use: 1 caller in the last 24 h").waitFor();
  expect(await page.getByRole("dialog").count()).toBe(1);
  await page.keyboard.press("Escape");
  await rotating.waitFor({ state: "hidden" });
  await eventually(() =>
    button(page, `Actions for ${old.hint}`).evaluate((one) => one === document.activeElement),
  ).toBe(true);
  expect(await world.authenticate(old.api_key ?? "")).toBe(200);

  await newKey("Idle");
  await page.reload();
  await begin(page, "Idle", "Revoke API key");
  await dialog(page).getByText("This key has never been used.").waitFor();
  expect(await button(dialog(page), "Rotate instead").count()).toBe(0);
  await page.context().close();
});

test("each key's page leads to the other, and tells the rotation in its history", async () => {
  const { old, successor } = await newPair("Has a past");
  const { page, complaints } = await world.visit();
  await openKey(page, old);
  const history = page.getByRole("region", { name: "History" });
  await history.getByText("Rotated: another key succeeds it").waitFor();
  await history.getByText("for 24 hours").waitFor();
  await history.getByText("Overlap will end").waitFor();
  await history.getByRole("link", { name: successor.hint }).click();
  await page.getByRole("heading", { name: `API key ${successor.hint}`, level: 1 }).waitFor();
  await history.getByText("Succeeds another key").waitFor();
  const rotation = page.getByRole("region", { name: "Rotation" });
  await rotation.getByText(/^The old key ends tomorrow \(/).waitFor();
  await button(rotation, "Finish now").click();
  await button(dialog(page), "Finish now").click();
  await dialog(page).getByText("Refused everywhere").waitFor();
  await button(dialog(page), "Done").click();
  await rotation.waitFor({ state: "hidden" });
  await history.getByRole("link", { name: old.hint }).click();
  await history.getByText("Revoked", { exact: true }).waitFor();
  expect(await world.authenticate(old.api_key ?? "")).toBe(401);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("members see a pair, and are offered nothing that they may not do", async () => {
  const { old } = await newPair("Seen by members");
  const { page } = await world.visit();
  await tellRole(page, "member");
  await openKeys(page);
  await rowOf(page, old).getByText("Being rotated").waitFor();
  await openKeyMenu(page, old.hint);
  await page.getByRole("menuitem", { name: "Copy key id" }).waitFor();
  for (const deed of ["Change overlap", "Finish now", "Change expiry"])
    expect(await page.getByRole("menuitem", { name: deed }).count()).toBe(0);
  await openKey(page, old);
  await page.getByRole("region", { name: "Rotation" }).waitFor();
  expect(await button(page, "Finish now").count()).toBe(0);
  await page.context().close();
});
