import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button, choose, dialog, keyRow, openKeyMenu } from "./parts.ts";
import { giveRole, INVITATIONS, PEOPLE, pageOf, retellMe, SESSIONS } from "./people.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let context: BrowserContext;
beforeAll(async () => {
  world = await openWorld();
  context = await world.profile();
  const made = await context.request.post("/v1/api_keys?environment=production", {
    data: { type: "secret", description: "Billing" },
    headers: { Origin: world.server.url, "Latchkey-Account": "acme" },
  });
  if (!made.ok()) throw new Error(`no key was made: ${made.status()}`);
});
afterAll(() => world?.end());

const answer = (page: Page, path: RegExp, json: object, status = 200, method = "GET") =>
  page.route(path, (route) =>
    route.request().method() === method ? route.fulfill({ status, json }) : route.fallback(),
  );

/** Members and invitations as told in people.ts; one is the first of them. */
async function openMembers(
  page: Page,
  { people = PEOPLE, invitations = INVITATIONS, role = "owner" } = {},
): Promise<void> {
  await retellMe(page, (me) => {
    me.person.id = "per_ada";
    giveRole(me, role);
  });
  await answer(page, /\/v1\/members(\?|$)/, pageOf(people));
  await answer(page, /\/v1\/invitations(\?|$)/, pageOf(invitations));
  await page.goto(world.at("production", "settings/members"));
  await keyRow(page, "ada@example.com").waitFor();
}

async function invite(page: Page, made: object): Promise<void> {
  await openMembers(page);
  await answer(page, /\/v1\/invitations$/, { ...INVITATIONS[0], ...made }, 201, "POST");
  await button(page, "Invite").click();
  await dialog(page).getByLabel("E-mail").fill("margaret@example.com");
  await button(dialog(page), "Invite").click();
}

async function openYou(page: Page, on = false): Promise<void> {
  await retellMe(page, ({ person }) => {
    person.two_factor = on;
  });
  await answer(page, /\/auth\/list-sessions$/, { entries: SESSIONS });
  await page.goto("/acme/production/you");
  await page.getByText("This one").waitFor();
}

const ENROLMENT = {
  totp_uri:
    "otpauth://totp/Latchkey:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Latchkey&digits=6&period=30",
  recovery_codes: [..."ABCDEFGHIJ"].map((one) => `${one.repeat(5)}-x7Kq${one.toLowerCase()}`),
};

async function enrol(page: Page): Promise<void> {
  await openYou(page);
  await answer(page, /two-factor\/enable$/, ENROLMENT, 200, "POST");
  await button(page, "Turn on").click();
  await dialog(page).getByLabel("Your password").fill("a password of some length");
  await button(dialog(page), "Continue").click();
  await dialog(page)
    .getByRole("img", { name: /QR code/ })
    .waitFor();
}

async function openDue(page: Page, tell: { confined?: boolean } = {}): Promise<void> {
  await retellMe(page, ({ person, accounts: [account] }) => {
    Object.assign(person, tell);
    Object.assign(account ?? {}, { two_factor_required: true });
  });
  await page.goto(world.at("production"));
  await page.getByRole("heading", { name: "Acme requires a second factor" }).waitFor();
}

const tellAccounts = (page: Page): Promise<void> =>
  retellMe(page, (me) => {
    const [acme] = me.accounts;
    if (acme === undefined) throw new Error("no account");
    me.sign_up = "open";
    me.accounts.push(
      { ...acme, id: "acc_2", slug: "beta", name: "Beta Industries", role: "admin" },
      { ...acme, id: "acc_3", slug: "gamma", name: "Gamma of a very long name", role: "support" },
    );
  });

/** Every state of the pages about people, and how one gets there. */
const states: Record<string, (page: Page) => Promise<unknown>> = {
  members: (page) => openMembers(page),
  "members without invitations": (page) =>
    openMembers(page, { people: PEOPLE.slice(0, 1), invitations: [] }),
  "members without a server": async (page) => {
    await page.route("**/v1/members?**", (route) => route.abort());
    await page.goto(world.at("production", "settings/members"));
    await button(page, "Try again").waitFor();
  },
  "members for a member": async (page) => {
    await openMembers(page, { role: "member" });
    await openKeyMenu(page, "ada@example.com");
    await page.getByRole("menuitem", { name: "Leave account" }).waitFor();
  },
  "a member's menu": async (page) => {
    await openMembers(page);
    await openKeyMenu(page, "grace@example.com");
  },
  invitations: async (page) => {
    await openMembers(page);
    await keyRow(page, "barbara@example.com").scrollIntoViewIfNeeded();
  },
  "invite dialog": async (page) => {
    await openMembers(page);
    await button(page, "Invite").click();
    await dialog(page).getByRole("radio", { name: "Support" }).waitFor();
  },
  "invite dialog of an admin, with a mistake": async (page) => {
    await openMembers(page, { role: "admin" });
    await button(page, "Invite").click();
    await button(dialog(page), "Invite").click();
    await dialog(page).getByText("Enter an e-mail address such as").waitFor();
  },
  "invited by link": async (page) => {
    const link = `${world.server.url}/invitation#4u5vKpN0rB1cWq2xY3zAbCdEfGhIjKlM`;
    await invite(page, { mailed: false, link });
    await dialog(page).getByText("Invitation link").waitFor();
  },
  "invited by mail": async (page) => {
    await invite(page, { mailed: true });
    await dialog(page).getByText("Sent to margaret@example.com").waitFor();
  },
  "invited, mail not sent": async (page) => {
    await invite(page, { mailed: false, mail_error: "refused" });
    await dialog(page).getByText("The mail was not sent").waitFor();
  },
  "invitation to be renewed": async (page) => {
    await openMembers(page);
    await choose(page, "barbara@example.com", "Get a new link");
  },
  "invitation to be cancelled": async (page) => {
    await openMembers(page);
    await choose(page, "barbara@example.com", "Cancel invitation");
  },
  "role dialog": async (page) => {
    await openMembers(page);
    await choose(page, "linus@example.com", "Change role");
  },
  "the only owner": async (page) => {
    await openMembers(page);
    await choose(page, "ada@example.com", "Leave account");
    await dialog(page).getByText("You are the only owner").waitFor();
  },
  "member to be removed": async (page) => {
    await openMembers(page);
    await choose(page, "grace@example.com", "Remove");
  },
  "member removed, keys left": async (page) => {
    await openMembers(page);
    await answer(page, /\/v1\/members\/per_grace$/, PEOPLE[1] ?? {}, 200, "DELETE");
    const left = ["production", "production", "development"].map((environment) => ({
      environment,
    }));
    await answer(page, /\/v1\/api_keys\?.*created_by=per_grace/, pageOf(left));
    await choose(page, "grace@example.com", "Remove");
    await button(dialog(page), "Remove").click();
    await dialog(page).getByText("Production: 2 API keys").waitFor();
  },
  "API keys of one maker": async (page) => {
    const me = await (await page.request.get("/v1/me")).json();
    await page.goto(`${world.at("production")}?created_by=${me.person.id}`);
    await page.getByText("Created by Ada").waitFor();
  },
  "no API keys of one maker": async (page) => {
    await page.goto(`${world.at("production")}?created_by=per_01920000000070008000000000000000`);
    await page.getByText("They created no active API key here").waitFor();
  },
  you: (page) => openYou(page),
  "you with a second factor": (page) => openYou(page, true),
  "your name, refused": async (page) => {
    await openYou(page);
    const errors = [{ field: "name", message: "Must not contain characters that cannot be seen." }];
    const wrong = { code: "invalid_params", message: "Wrong.", status: 422, errors };
    await answer(page, /\/auth\/update-user$/, wrong, 422, "POST");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Ada Lovelace");
    await button(page, "Change name").click();
    await page.getByText("Must not contain").waitFor();
  },
  "your name, not changed": async (page) => {
    await openYou(page);
    const late = { code: "conflict", message: "Your sign-in was changed meanwhile.", status: 409 };
    await answer(page, /\/auth\/update-user$/, late, 409, "POST");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Ada Lovelace");
    await button(page, "Change name").click();
    await page.getByText("The name was not changed").waitFor();
  },
  "your name, changed": async (page) => {
    await openYou(page);
    await answer(page, /\/auth\/update-user$/, {}, 200, "POST");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Ada Lovelace");
    await page.unroute("**/v1/me");
    await retellMe(page, ({ person }) => {
      person.name = "Ada Lovelace";
    });
    await button(page, "Change name").click();
    await page.getByText("Name changed").waitFor();
  },
  "your sessions": async (page) => {
    await openYou(page, true);
    await button(page, "Sign out all others").scrollIntoViewIfNeeded();
  },
  "you, by a link": async (page) => {
    await retellMe(page, ({ person }) => {
      person.confined = true;
    });
    await page.goto("/acme/production/you");
    await page.getByText("You came here by a link").waitFor();
  },
  "password for the second factor, wrong": async (page) => {
    await openYou(page);
    const wrong = { code: "invalid_credentials", message: "No.", status: 401 };
    await answer(page, /two-factor\/enable$/, wrong, 401, "POST");
    await button(page, "Turn on").click();
    await dialog(page).getByLabel("Your password").fill("guess");
    await button(dialog(page), "Continue").click();
    await dialog(page).getByText("This is not your password.").waitFor();
  },
  "second factor to be scanned": enrol,
  "recovery codes": async (page) => {
    await enrol(page);
    await answer(page, /two-factor\/verify-totp$/, {}, 200, "POST");
    await dialog(page).getByLabel("Code", { exact: true }).fill("123456");
    await button(dialog(page), "Turn on").click();
    await dialog(page).getByText("Save these recovery codes now").waitFor();
  },
  "second factor to be turned off": async (page) => {
    await openYou(page, true);
    await button(page, "Turn off").click();
    await dialog(page).getByLabel("Your password").waitFor();
  },
  "second factor due": (page) => openDue(page),
  "second factor due, by a link": (page) => openDue(page, { confined: true }),
  "general settings": async (page) => {
    await page.goto(world.at("production", "settings/general"));
    await page.getByText("Turn on your own second factor").scrollIntoViewIfNeeded();
  },
  "second factor to be required": async (page) => {
    await retellMe(page, ({ person }) => {
      person.two_factor = true;
    });
    await answer(page, /\/v1\/members(\?|$)/, pageOf(PEOPLE));
    await page.goto(world.at("production", "settings/general"));
    await button(page, "Require it").click();
    await dialog(page).getByText("3 members have none").waitFor();
  },
  "account menu": async (page) => {
    await tellAccounts(page);
    await page.goto(world.at("production"));
    await button(page, "Account: Acme").click();
    await page.getByRole("menuitem", { name: "Create an account" }).waitFor();
  },
  "new account": async (page) => {
    await tellAccounts(page);
    await page.goto("/new-account");
    await page.getByRole("heading", { name: "Create an account" }).waitFor();
    await page.getByLabel("Account name").waitFor();
  },
  "no account": async (page) => {
    await retellMe(page, (me) => {
      me.accounts = [];
    });
    await page.goto("/");
    await page.getByRole("heading", { name: "No account yet" }).waitFor();
  },
  "invitation for somebody else": async (page) => {
    await answer(
      page,
      /\/v1\/invitations\/open$/,
      {
        account: { name: "Beta Industries" },
        email: "margaret@example.com",
        role: "member",
        invited_by: "Grace",
        expires_at: INVITATIONS[0]?.expires_at,
      },
      200,
      "POST",
    );
    await page.goto("/invitation#a-secret-of-a-test");
    await page.getByText("You are signed in as ada@example.com").waitFor();
  },
};

/** States that end when the table gives way to cards, or when the window changes under an open list. */
const gone = new Set(["a member's menu", "account menu", "members for a member"]);

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, gone.has(name)),
);
