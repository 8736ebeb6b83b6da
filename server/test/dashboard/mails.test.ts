import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MailServer, startMailServer } from "../mail-server.ts";
import { ownAddress } from "../real-server.ts";
import { signInOn } from "./newcomers.ts";
import { button, dialog, kept, keyRow } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let mail: MailServer;
let world: World;
beforeAll(async () => {
  mail = await startMailServer();
  world = await openWorld({
    ...(await ownAddress()),
    LATCHKEY_SMTP_URL: mail.url,
    LATCHKEY_MAIL_FROM: "latchkey@example.com",
    LATCHKEY_SIGNUP: "open",
  });
});
afterAll(async () => {
  await world?.end();
  await mail?.close();
});

const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole("heading", { name }).waitFor();

const margaret = { email: "margaret@example.com", password: "another password of some length" };

test("an address is confirmed by the mailed link before it signs in, and a forgotten password is replaced by one", async () => {
  const { page, complaints } = await world.visit({ signedIn: false });
  await page.goto("/sign-up");
  await page.getByLabel("Your name").fill("Margaret");
  await page.getByLabel("E-mail").fill(margaret.email);
  await page.getByLabel("Password", { exact: true }).fill(margaret.password);
  await button(page, "Continue").click();
  await heading(page, "Look into your mail");
  await page.getByRole("link", { name: "Sign in" }).click();
  await signInOn(page, margaret);
  await page.getByText("Confirm your e-mail address first").waitFor();

  const token = await mail.linkTo(margaret.email, "/verify-email");
  await page.goto(`/verify-email#${token}`);
  await heading(page, "Confirm your e-mail address");
  expect(await kept(page)).not.toContain(token);
  const password = page.getByLabel("Enter the password you chose");
  expect(await password.getAttribute("maxlength")).toBe("128");
  await password.fill("what somebody else chose");
  await button(page, "Confirm").click();
  await page.getByText("This is not the password").waitFor();
  await password.fill(margaret.password);
  await button(page, "Confirm").click();
  await heading(page, "Address confirmed");
  await page.getByRole("link", { name: "Sign in" }).click();

  await page.getByRole("link", { name: "Forgot your password?" }).click();
  const said: string[] = [];
  for (const email of ["nobody@example.com", margaret.email]) {
    await page.goto("/forgot-password");
    await page.getByLabel("E-mail").fill(email);
    await button(page, "Send the link").click();
    const words = await page.getByRole("status").textContent();
    said.push((words ?? "").replace(email, "somebody"));
  }
  expect(said[0]).toContain("If somebody signs in here with somebody");
  expect(said[0]).toBe(said[1]);
  await page.goto(`/reset-password#${await mail.linkTo(margaret.email, "/reset-password")}`);
  await page.getByRole("textbox", { name: "New password" }).fill("a third one that is long enough");
  await button(page, "Change password").click();
  await heading(page, "Password changed");
  expect(mail.mails.filter(({ to }) => to.includes("nobody@example.com"))).toEqual([]);
  await page.getByRole("link", { name: "Sign in" }).click();
  await signInOn(page, { ...margaret, password: "a third one that is long enough" });
  await heading(page, "No account yet");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("an invitation goes by mail alone, and says so when the mail server does not take it", async () => {
  const { page } = await world.visit();
  await page.goto(world.at("production", "settings/members"));
  await button(page, "Invite").click();
  await dialog(page).getByLabel("E-mail").fill("radia@example.com");
  let made = "";
  await page.route("**/v1/invitations", async (route) => {
    const response = await route.fetch();
    made = await response.text();
    return route.fulfill({ response });
  });
  await button(dialog(page), "Invite").click();
  await dialog(page).getByText("Sent to radia@example.com").waitFor();
  const secret = await mail.linkTo("radia@example.com", "/invitation");
  expect(made).toContain("radia@example.com");
  expect(made).not.toContain(secret);
  await button(dialog(page), "Done").click();
  await keyRow(page, "radia@example.com").getByText("By mail").waitFor();

  const guest = await world.visit({ signedIn: false });
  await guest.page.goto(`/invitation#${secret}`);
  await heading(guest.page, "Join Acme");
  await mail.close();
  await button(page, "Invite").click();
  await dialog(page).getByLabel("E-mail").fill("barbara@example.com");
  await button(dialog(page), "Invite").click();
  await dialog(page).getByText("The mail was not sent").waitFor();
  await button(dialog(page), "Done").click();
  await keyRow(page, "barbara@example.com").waitFor();
  await guest.page.context().close();
  await page.context().close();
});
