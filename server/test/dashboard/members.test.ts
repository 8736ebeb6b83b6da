import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { secretOf } from "../http/visitor.ts";
import { acceptAs, asks, joinAs, signInOn } from "./newcomers.ts";
import { button, choose, dialog, eventually, kept, keyRow, openKeyMenu, tokenIn } from "./parts.ts";
import { openPage, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.end());

async function openMembers(page: Page): Promise<void> {
  await page.goto(world.at("production", "settings/members"));
  await keyRow(page, "ada@example.com").waitFor();
}

/** Invites on the page, and answers the link. */
async function invite(page: Page, email: string, role: string): Promise<string> {
  await button(page, "Invite").click();
  await dialog(page).getByLabel("E-mail").fill(email);
  await dialog(page).getByRole("radio", { name: role }).click();
  await button(dialog(page), "Invite").click();
  const link = await tokenIn(dialog(page), "Invitation link");
  await button(dialog(page), "Done").click();
  await keyRow(page, email).waitFor();
  return link;
}

test("somebody is invited, joins, is given a role and sees more, is removed, and is told so at the next click", async () => {
  const owner = await world.visit();
  await owner.page.goto(world.at("production"));
  await owner.page.getByRole("link", { name: "Members" }).click();
  const link = await invite(owner.page, "grace@example.com", "Support");
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/invitation#[\w-]{32,}$/);
  expect(await kept(owner.page)).not.toContain(secretOf(link));

  const guest = await world.visit({ signedIn: false });
  const called: string[] = [];
  guest.page.on("request", (request) => {
    if (!request.isNavigationRequest()) called.push(request.url());
  });
  await guest.page.goto(link);
  await guest.page.getByRole("heading", { name: "Join Acme" }).waitFor();
  await guest.page.getByText("Ada invites grace@example.com as a Support.").waitFor();
  expect(guest.page.url()).toBe(`${world.server.url}/invitation`);
  expect(await kept(guest.page)).not.toContain(secretOf(link));
  await guest.page.getByLabel("Your name").fill("Grace");
  await guest.page.getByLabel("Password", { exact: true }).fill("short");
  await button(guest.page, "Create a sign-in and join").click();
  await guest.page.getByText("At least 12 characters.").waitFor();
  await guest.page.getByLabel("Password", { exact: true }).fill("another password of some length");
  await button(guest.page, "Create a sign-in and join").click();

  // Support sees no keys: it lands on the people, and is offered nothing of theirs.
  await guest.page.getByRole("heading", { name: "Members" }).waitFor();
  await keyRow(guest.page, "grace@example.com").getByText("Support").waitFor();
  expect(await guest.page.getByRole("link", { name: "API keys" }).count()).toBe(0);
  expect(await button(guest.page, "Invite").count()).toBe(0);
  expect(called.filter((url) => url.includes(secretOf(link)))).toEqual([]);
  expect(await asks(guest.page.context(), "/v1/api_keys?environment=production")).toBe(403);

  await openMembers(owner.page);
  await choose(owner.page, "grace@example.com", "Change role");
  await dialog(owner.page).getByRole("radio", { name: "Admin" }).click();
  await button(dialog(owner.page), "Save").click();
  await dialog(owner.page).waitFor({ state: "hidden" });
  await keyRow(owner.page, "grace@example.com").getByText("Admin").waitFor();
  await guest.page.reload();
  await guest.page.getByRole("link", { name: "API keys" }).click();
  await button(guest.page, "Create API key").click();
  await dialog(guest.page).getByLabel("Description").fill("Grace's");
  await button(dialog(guest.page), "Create").click();
  const token = await tokenIn(dialog(guest.page), "Token");
  await button(dialog(guest.page), "Done").click();

  await choose(owner.page, "grace@example.com", "Remove");
  await dialog(owner.page).getByText("1 API key that they created lives on").waitFor();
  await button(dialog(owner.page), "Remove").click();
  await dialog(owner.page).getByText("Grace no longer belongs to Acme").waitFor();
  expect(await asks(guest.page.context(), "/v1/environments")).toBe(404);
  await guest.page.getByRole("link", { name: "Refusals" }).click();
  await guest.page.getByRole("heading", { name: "You no longer belong to Acme" }).waitFor();
  await guest.page.getByRole("link", { name: "Go on" }).click();
  await guest.page.getByRole("heading", { name: "No account yet" }).waitFor();

  // The key lives on, and is listed for rotation.
  expect(await world.authenticate(token)).toBe(200);
  await dialog(owner.page).getByText("1 API key created by Grace lives on. Rotate it?").waitFor();
  await dialog(owner.page).getByRole("link", { name: "Development: 1 API key" }).click();
  await owner.page.getByText("Created by Grace").waitFor();
  await keyRow(owner.page, "Grace's").waitFor();
  expect(await owner.page.locator("tbody").getByRole("row").count()).toBe(1);
  await button(owner.page, "Show API keys of every creator").click();
  await eventually(() => owner.page.locator("tbody").getByRole("row").count()).toBeGreaterThan(1);
  expect([...owner.complaints, ...guest.complaints]).toEqual([]);
  await owner.page.context().close();
  await guest.page.context().close();
});

test("who removes a member is told how many keys and service tokens they leave, and where to rotate and delete them", async () => {
  const frances = await joinAs(world, "Frances", "admin");
  const make = (path: string, data: object) =>
    frances.context.request.post(path, {
      data,
      headers: { Origin: world.server.url, "Latchkey-Account": "acme" },
    });
  const made = [
    await make("/v1/api_keys?environment=production", { type: "secret", description: "Mailer" }),
    await make("/v1/api_keys?environment=production", { type: "secret", description: "Billing" }),
    await make("/v1/api_keys?environment=development", { type: "public" }),
    await make("/v1/service_tokens", { name: "Frances' CI" }),
  ];
  expect(made.map((answer) => answer.status())).toEqual([201, 201, 201, 201]);
  const { page, complaints } = await world.visit();
  await openMembers(page);
  await choose(page, frances.email, "Remove");
  const told = (text: string) => dialog(page).getByText(text, { exact: true });
  const token = "1 service token created by Frances lives on, with an admin's rights. Delete it?";
  await told(token).waitFor();
  await dialog(page).getByText("3 API keys that they created live on").waitFor();
  await dialog(page).getByRole("link", { name: "Settings > Service tokens" }).waitFor();
  await button(dialog(page), "Cancel").click();
  expect(await asks(frances.context, "/v1/account")).toBe(200);

  // What is told is what is so when one asks, not when the list was read.
  expect((await make("/v1/service_tokens", { name: "Frances' deploys" })).status()).toBe(201);
  await choose(page, frances.email, "Remove");
  const tokens =
    "2 service tokens created by Frances live on, with an admin's rights each. Delete them?";
  await told(tokens).waitFor();
  expect(await told(token).count()).toBe(0);
  await button(dialog(page), "Remove").click();
  await dialog(page).getByText("Frances no longer belongs to Acme").waitFor();
  expect(await asks(frances.context, "/v1/account")).toBe(404);
  await told("3 API keys created by Frances live on. Rotate them?").waitFor();
  const links = dialog(page).getByRole("list", { name: "API keys created by Frances" });
  expect(await links.getByRole("link").allTextContents()).toEqual([
    "Development: 1 API key",
    "Production: 2 API keys",
  ]);
  expect(await told(tokens).count()).toBe(1);
  await dialog(page).getByRole("link", { name: "Settings > Service tokens" }).click();
  await page.getByRole("heading", { name: "Service tokens" }).waitFor();
  for (const name of ["Frances' CI", "Frances' deploys"]) await keyRow(page, name).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
  await frances.context.close();
});

test("a link works once; cancelled and replaced ones are explained, and none says whom it was for", async () => {
  const { page } = await world.visit();
  await openMembers(page);
  const spent = await invite(page, "radia@example.com", "Member");
  const first = await invite(page, "barbara@example.com", "Member");
  await choose(page, "barbara@example.com", "Get a new link");
  await button(dialog(page), "Get a new link").click();
  const second = await tokenIn(dialog(page), "Invitation link");
  await button(dialog(page), "Done").click();
  const radia = await acceptAs(world, "Radia", spent);
  const guest = await world.visit({ signedIn: false });
  const opens = async (link: string, heading: string): Promise<void> => {
    await guest.page.goto("about:blank");
    await guest.page.goto(link);
    await guest.page.getByRole("heading", { name: heading }).waitFor();
  };
  await opens(spent, "This invitation no longer works");
  await opens(first, "This invitation no longer works");
  await opens(second, "Join Acme");
  await choose(page, "barbara@example.com", "Cancel invitation");
  await button(dialog(page), "Cancel invitation").click();
  await dialog(page).waitFor({ state: "hidden" });
  await eventually(() => page.getByText("barbara@example.com").count()).toBe(0);
  await opens(second, "This invitation no longer works");
  await opens(`${second}x`, "This invitation no longer works");
  expect(await guest.page.getByText("barbara@example.com").count()).toBe(0);
  await radia.context.close();
  await page.context().close();
  await guest.page.context().close();
});

test("whoever is here already signs in and accepts; somebody else is told, signs out, and the link still works", async () => {
  const linus = await joinAs(world, "Linus", "member");
  await world.client.members.remove(
    (await linus.context.request.get("/v1/me").then((me) => me.json())).person.id,
  );
  const { link } = await world.client.invitations.create({ email: linus.email, role: "admin" });
  const katherine = await joinAs(world, "Katherine", "member");
  const { page } = await openPage(katherine.context);
  await page.goto(link ?? "");
  await page.getByText(`the invitation is for ${linus.email}`).waitFor();
  expect(await button(page, "Join Acme").count()).toBe(0);
  const cookies = await page.context().cookies();
  await button(page, "Sign out").click();
  await page.getByLabel("Your name").waitFor();
  expect(await page.context().cookies()).toEqual([]);
  await page.context().addCookies(cookies);
  expect(await asks(page.context(), "/v1/account")).toBe(401);
  await page.context().clearCookies();
  await page.reload();
  // The secret went with the page's memory: only the whole link opens it again.
  await page.getByRole("heading", { name: "Use the whole invitation link" }).waitFor();
  await page.goto("about:blank");
  await page.goto(link ?? "");
  await page.getByLabel("Your name").fill("Linus");
  await page.getByLabel("Password", { exact: true }).fill("a password that is not his at all");
  await button(page, "Create a sign-in and join").click();
  await page.getByText(`${linus.email} has a sign-in here already`).waitFor();
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByText("Then you can accept the invitation.").waitFor();
  await signInOn(page, linus);
  await page.getByText(`You are signed in as ${linus.email}.`).waitFor();
  await button(page, "Join Acme").click();
  await page.getByRole("heading", { name: "API keys" }).waitFor();
  expect(await asks(page.context(), "/v1/service_tokens")).toBe(200);
  await page.context().close();
  await linus.context.close();
});

test("the only owner is told why they stay, and a member leaves by themselves", async () => {
  const owner = await world.visit();
  await openMembers(owner.page);
  for (const item of ["Leave account", "Change role"]) {
    await choose(owner.page, "ada@example.com", item);
    await dialog(owner.page).getByText("You are the only owner").waitFor();
    expect(await button(dialog(owner.page), "Save").count()).toBe(0);
    await owner.page.keyboard.press("Escape");
    await dialog(owner.page).waitFor({ state: "hidden" });
  }
  const { context, email } = await joinAs(world, "Hedy", "member");
  const { page } = await openPage(context);
  await openMembers(page);
  await openKeyMenu(page, "ada@example.com");
  expect(await page.getByRole("menuitem", { name: "Remove" }).count()).toBe(0);
  expect(await page.getByRole("menuitem", { name: "Change role" }).count()).toBe(0);
  await page.keyboard.press("Escape");
  await choose(page, email, "Leave account");
  await button(dialog(page), "Stay").click();
  expect(await asks(context, "/v1/environments")).toBe(200);
  await choose(page, email, "Leave account");
  await button(dialog(page), "Leave account").click();
  await page.getByRole("heading", { name: "No account yet" }).waitFor();
  await page.getByText("You left Acme.").waitFor();
  expect(await asks(context, "/v1/environments")).toBe(404);
  await owner.page.reload();
  await keyRow(owner.page, "ada@example.com").waitFor();
  expect(await owner.page.getByText(email).count()).toBe(0);
  await owner.page.context().close();
  await context.close();
});

test("an admin can make nobody an owner, nor remove one", async () => {
  const { context } = await joinAs(world, "Annie", "admin");
  const { page } = await openPage(context);
  await openMembers(page);
  await openKeyMenu(page, "ada@example.com");
  expect(await page.getByRole("menuitem", { name: "Remove" }).count()).toBe(0);
  await page.keyboard.press("Escape");
  await button(page, "Invite").click();
  await dialog(page).getByRole("radio", { name: "Admin" }).waitFor();
  expect(await dialog(page).getByRole("radio", { name: "Owner" }).count()).toBe(0);
  await context.close();
});

test("of more keys than are counted no environment's number is said to be more than it may be", async () => {
  const hedwig = await joinAs(world, "Hedwig", "member");
  const { page } = await world.visit();
  const pageInfo = { after: "more", before: null, page_size: 200 };
  const entries = Array.from({ length: 200 }, (_, index) => ({
    environment: index < 199 ? "production" : "development",
  }));
  await page.route(/\/v1\/api_keys\?.*created_by=/, (route) =>
    route.fulfill({ json: { entries, page_info: pageInfo } }),
  );
  await page.route(/\/v1\/members(\/|\?)/, async (route) => {
    const told = await (await route.fetch()).json();
    for (const member of told.entries ?? [told])
      if (member.email === hedwig.email) member.active_api_keys = 250;
    await route.fulfill({ json: told });
  });
  await openMembers(page);
  await choose(page, hedwig.email, "Remove");
  await button(dialog(page), "Remove").click();
  await dialog(page)
    .getByText("More than 200 API keys created by Hedwig live on. Rotate them?", { exact: true })
    .waitFor();
  const links = dialog(page).getByRole("list", { name: "API keys created by Hedwig" });
  expect(await links.getByRole("link").allTextContents()).toEqual([
    "Development: at least 1 API key",
    "Production: at least 199 API keys",
  ]);
  await page.context().close();
  await hedwig.context.close();
});

test("an invitation too many is told as such, and not held against the address", async () => {
  const { page } = await world.visit();
  await page.route(/\/v1\/invitations$/, (route) =>
    route.request().method() === "POST"
      ? route.fulfill({
          status: 409,
          json: {
            code: "conflict",
            message: "200 invitations are open, which is the most.",
            status: 409,
            request_id: "req_of_a_test",
          },
        })
      : route.fallback(),
  );
  await openMembers(page);
  await button(page, "Invite").click();
  const address = dialog(page).getByLabel("E-mail");
  await address.fill("margaret@example.com");
  await button(dialog(page), "Invite").click();
  const problem = dialog(page).getByRole("alert").filter({ hasText: "Nobody was invited" });
  await problem.getByText("200 invitations are open, which is the most.").waitFor();
  expect(await address.getAttribute("aria-invalid")).not.toBe("true");
  await page.context().close();
});
