import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { totp } from "../totp.ts";
import { asks, joinAs, type Newcomer, signInOn } from "./newcomers.ts";
import { button, dialog, eventually, kept, keyRow, tokenIn } from "./parts.ts";
import { openPage, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

async function openYou(page: Page): Promise<void> {
  await page.goto("/acme/production/you");
  await page.getByRole("heading", { name: "Second factor" }).waitFor();
}

/** Fills in the password that the steps begin with, scans the key, and proves it with the code of a period ago. */
async function enrol(page: Page, { password }: Newcomer): Promise<string> {
  await page.getByLabel("Your password").fill(password);
  await button(page, "Continue").click();
  await page.getByRole("img", { name: "QR code with the setup key" }).waitFor();
  const key = await tokenIn(page, "Setup key");
  await page.getByLabel("Code", { exact: true }).fill(totp(key, Date.now() - 30_000));
  await page.getByLabel("Code", { exact: true }).press("Enter");
  await page.getByText("Save these recovery codes now").waitFor();
  return key;
}

const shownCodes = (page: Page): Promise<string[]> =>
  page.getByRole("group", { name: "Recovery codes" }).getByRole("listitem").allTextContents();

/** A browser in which they have given their password, and are asked for more. */
async function passwordGiven(newcomer: Newcomer): Promise<Page> {
  const { page } = await world.visit({ signedIn: false });
  await page.goto(world.at("production"));
  await signInOn(page, newcomer);
  await page.getByRole("heading", { name: "Second factor" }).waitFor();
  expect(await asks(page.context(), "/v1/environments")).toBe(401);
  return page;
}

test("the second factor is turned on with an app, signs in by code and by recovery code, and is turned off", async () => {
  const grace = await joinAs(world, "Grace", "admin");
  const { page, complaints } = await openPage(grace.context);
  await openYou(page);
  await button(page, "Turn on").click();
  await dialog(page).getByLabel("Your password").fill("not the password");
  await button(dialog(page), "Continue").click();
  await dialog(page).getByText("This is not your password.").waitFor();
  const key = await enrol(page, grace);
  const codes = await shownCodes(page);
  expect(codes.length).toBeGreaterThanOrEqual(8);

  // They are shown once: nothing leaves the page unasked, and nothing keeps them.
  await page.keyboard.press("Escape");
  await dialog(page).getByText("Save these recovery codes now").waitFor();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    button(dialog(page), "Download").click(),
  ]);
  expect(saved.suggestedFilename()).toBe("latchkey-recovery-codes.txt");
  await button(dialog(page), "I have saved them").click();
  await button(page, "Turn off").waitFor();
  for (const secret of [key, ...codes]) expect(await kept(page)).not.toContain(secret);

  const byCode = await passwordGiven(grace);
  await byCode.getByLabel("Code", { exact: true }).fill("000000");
  await button(byCode, "Sign in").click();
  await byCode.getByText("The code is wrong or too old").waitFor();
  await byCode.getByLabel("Code", { exact: true }).fill(totp(key, Date.now()));
  await button(byCode, "Sign in").click();
  // Back to where they wanted to go.
  await byCode.waitForURL(`${world.server.url}${world.at("production")}`);
  await byCode.getByRole("heading", { name: "API keys" }).waitFor();

  const [first = ""] = codes;
  for (const [code, outcome] of [
    [first, "API keys"],
    [first, "Second factor"],
  ] as const) {
    const byRecovery = await passwordGiven(grace);
    await button(byRecovery, "Use a recovery code").click();
    await byRecovery.getByLabel("Recovery code").fill(code);
    await button(byRecovery, "Sign in").click();
    await byRecovery.getByRole("heading", { name: outcome }).waitFor();
    if (outcome === "Second factor")
      await byRecovery.getByText("This is none of your recovery codes").waitFor();
    await byRecovery.context().close();
  }

  await button(page, "New recovery codes").click();
  await dialog(page).getByLabel("Your password").fill(grace.password);
  await button(dialog(page), "Show new codes").click();
  await dialog(page).getByText("Save these recovery codes now").waitFor();
  expect((await shownCodes(page)).filter((code) => codes.includes(code))).toEqual([]);
  await button(dialog(page), "I have saved them").click();
  await button(page, "Turn off").click();
  await dialog(page).getByLabel("Your password").fill(grace.password);
  await button(dialog(page), "Turn off").click();
  await button(page, "Turn on").waitFor();
  expect(complaints).toEqual([]);
  await byCode.context().close();
  await grace.context.close();
});

test("an account that requires it shows the way there instead of errors, and nobody locks themselves out", async () => {
  const hedy = await joinAs(world, "Hedy", "owner");
  const linus = await joinAs(world, "Linus", "member");
  const owner = await openPage(hedy.context);
  await owner.page.goto(world.at("production", "settings/general"));
  await owner.page.getByText("You have none yourself").waitFor();
  expect(await button(owner.page, "Require it").isDisabled()).toBe(true);
  await owner.page.getByRole("link", { name: "Turn on your own second factor" }).click();
  await button(owner.page, "Turn on").click();
  await enrol(owner.page, hedy);
  await button(owner.page, "I have saved them").click();
  await button(owner.page, "Turn off").waitFor();

  const member = await openPage(linus.context);
  await member.page.clock.install();
  await member.page.goto(world.at("production"));
  await member.page.getByRole("heading", { name: "API keys" }).waitFor();
  await owner.page.getByRole("link", { name: "General" }).click();
  await button(owner.page, "Require it").click();
  await dialog(owner.page)
    .getByText(/members? (has|have) none: .*Linus/)
    .waitFor();
  await button(dialog(owner.page), "Require it").click();
  await owner.page.getByText("Whoever has no second factor is not let in.").waitFor();
  expect(await asks(linus.context, "/v1/environments")).toBe(403);

  // The page that is open hears of it by itself.
  await member.page.getByRole("link", { name: "Refusals" }).click();
  await member.page.getByRole("heading", { name: "Acme requires a second factor" }).waitFor();
  await enrol(member.page, linus);
  // What is known of the person changes under the codes, which stay until they are put away.
  const me = member.page.waitForResponse("**/v1/me");
  await member.page.clock.fastForward(31_000);
  await me;
  await member.page.getByText("Save these recovery codes now").waitFor();
  expect((await shownCodes(member.page)).length).toBeGreaterThanOrEqual(8);
  await button(member.page, "I have saved them").click();
  await member.page.getByRole("heading", { name: "Refusals" }).waitFor();
  expect(await asks(linus.context, "/v1/environments")).toBe(200);

  await owner.page.getByRole("link", { name: "Members" }).click();
  await eventually(() =>
    keyRow(owner.page, linus.email).getByText("On", { exact: true }).count(),
  ).toBe(1);
  await owner.page.getByRole("link", { name: "General" }).click();
  await button(owner.page, "No longer require it").click();
  await button(dialog(owner.page), "No longer require it").click();
  await owner.page.getByText("A password is enough to be let in.").waitFor();
  expect([...owner.complaints, ...member.complaints]).toEqual([]);
  await hedy.context.close();
  await linus.context.close();
});
