import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { expectGoodFourWays, expectGoodLooks, WITHIN_MS } from "./looks.ts";
import { button, dialog, keyRow, openKeyMenu } from "./parts.ts";
import { openPage, openWorld, PHONE, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await furnish(world);
});
afterAll(() => world?.end());

/** Keys of every kind in `development`, two pages of them in `busy`, none in `empty`. */
async function furnish({ client }: World): Promise<void> {
  const create = (body: Parameters<typeof client.apiKeys.create>[1], environment = "development") =>
    client.apiKeys.create(environment, body);
  const soon = new Date(Date.now() + 1_000).toISOString();
  await create({ type: "secret", description: "Nightly export", expires_at: soon });
  const leaked = await create({ type: "secret", description: "Laptop of an intern" });
  await client.apiKeys.revoke(leaked.id, { reason: "found in a public repository" });
  await create({ type: "public", description: "Map on the web site" });
  const later = new Date(Date.now() + 30 * 86_400_000).toISOString();
  await create({ type: "secret", description: "Billing worker", expires_at: later });
  await create({ type: "secret", description: `https://example.com/${"long-name-".repeat(20)}` });

  await client.environments.create({ name: "Busy", slug: "busy" });
  for (let count = 1; count <= 27; count += 1)
    await create({ type: "secret", description: `Service ${count}` }, "busy");
  await client.environments.create({ name: "Empty", slug: "empty" });
  for (const key of (await client.apiKeys.list({ environment: "empty" })).entries)
    await client.apiKeys.revoke(key.id);
  await waitFor("a key to expire", async () => {
    const filter = { environment: "development", status: "expired" } as const;
    return (await client.apiKeys.list(filter)).entries[0];
  });
}

async function openMenu(page: Page, row: string, item: string): Promise<void> {
  await openKeyMenu(page, row);
  await page.getByRole("menuitem", { name: item }).click();
  await dialog(page).waitFor();
}

const openKeys = async (page: Page, search = "", environment = "development"): Promise<void> => {
  await page.goto(world.at(environment) + search);
  await page.getByRole("heading", { name: "API keys" }).waitFor();
};
const openTokens = async (page: Page): Promise<void> => {
  await page.goto(world.at("development", "operator/tokens"));
  await page.getByRole("heading", { name: "Verifier tokens" }).waitFor();
};
const openEnvironments = async (page: Page): Promise<void> => {
  await page.goto(world.at("development", "settings/environments"));
  await page.getByRole("list", { name: "Environments" }).waitFor();
};

/** Every state of every page of the shell, and how one gets there. A new page is a line here. */
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
    await openMenu(page, "Billing worker", "Edit description");
  },
  "revoke dialog": async (page) => {
    await openKeys(page);
    await openMenu(page, "Billing worker", "Revoke API key");
  },
  "revoke dialog while it waits": async (page) => {
    await openKeys(page);
    await page.route("**/revoke", () => {}); // never answered
    await openMenu(page, "Billing worker", "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("A verifier seems not to answer").waitFor();
  },
  "revoke dialog that does not know": async (page) => {
    await openKeys(page);
    await page.route("**/revoke", (route) => route.abort());
    await openMenu(page, "Billing worker", "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("may or may not be revoked").waitFor();
  },
  "revoke dialog with its receipt": async (page) => {
    const { description } = await world.client.apiKeys.create("development", {
      type: "secret",
      description: "Short-lived",
    });
    await openKeys(page);
    await openMenu(page, description, "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("Refused everywhere").waitFor();
  },
  "revoke dialog with lapsed verifiers": async (page) => {
    await openKeys(page);
    await page.route("**/revoke", async (route) =>
      route.fulfill({ json: await revoked({ acknowledged: 3, lapsed: 2, took_ms: 10_120 }) }),
    );
    await openMenu(page, "Billing worker", "Revoke API key");
    await button(dialog(page), "Revoke API key").click();
    await dialog(page).getByText("3 of 5 verifiers confirmed").waitFor();
  },
  "revoke dialog still pending": async (page) => {
    await openKeys(page);
    await page.route("**/revoke", async (route) =>
      route.fulfill({ json: await revoked({ state: "pending", effective_at: null }) }),
    );
    await openMenu(page, "Billing worker", "Revoke API key");
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
  environments: openEnvironments,
  "an environment's menu": async (page) => {
    await openEnvironments(page);
    await button(page, "Actions for Development").click();
    await page.getByRole("menuitem", { name: "Delete environment" }).waitFor();
  },
  "add dialog": async (page) => {
    await openEnvironments(page);
    await button(page, "Add environment").click();
    await dialog(page).getByLabel("Slug").waitFor();
  },
  "add dialog with a mistake": async (page) => {
    await openEnvironments(page);
    await button(page, "Add environment").click();
    await button(dialog(page), "Add").click();
    await dialog(page).getByText("Enter a name.").waitFor();
  },
  "add dialog with the tokens": async (page) => {
    await openEnvironments(page);
    await button(page, "Add environment").click();
    await dialog(page).getByLabel("Name").fill("Staging");
    await button(dialog(page), "Add").click();
    await dialog(page).getByText("Staging is ready").waitFor();
  },
  "rename dialog": async (page) => {
    await openEnvironments(page);
    await openMenu(page, "development", "Rename environment");
  },
  "delete dialog": async (page) => {
    await openEnvironments(page);
    await openMenu(page, "development", "Delete environment");
  },
  "delete dialog with its receipt": async (page) => {
    await world.client.environments.create({ name: "Gone", slug: "gone" });
    await openEnvironments(page);
    await openMenu(page, "gone", "Delete environment");
    await dialog(page).getByLabel("Type gone to confirm").fill("gone");
    await button(dialog(page), "Delete environment").click();
    await dialog(page).getByText("Refused everywhere").waitFor();
  },
  "delete dialog still pending": async (page) => {
    await failedDeletion(page, "unproved", { status: 503 });
    await dialog(page).getByText("not yet confirmed everywhere").waitFor();
  },
  "delete dialog of what was gone before": async (page) => {
    await failedDeletion(page, "earlier", { status: 404 });
    await dialog(page).getByText("Already deleted").waitFor();
  },
  tokens: async (page) => {
    await openTokens(page);
    await keyRow(page, "First operator token").waitFor();
  },
  "tokens with long names": async (page) => {
    await page.route("**/v1/tokens?**", async (route) => {
      const { entries, ...rest } = await (await route.fetch()).json();
      const named = entries.map((token: object) => ({ ...token, name: "long-name-".repeat(6) }));
      return route.fulfill({ json: { entries: named, ...rest } });
    });
    await openTokens(page);
    await keyRow(page, "long-name").first().waitFor();
  },
  "no tokens": async (page) => {
    const page_info = { after: null, before: null, page_size: 25 };
    await page.route("**/v1/tokens?**", (route) =>
      route.fulfill({ json: { entries: [], page_info } }),
    );
    await openTokens(page);
    await page.getByText("No tokens").waitFor();
  },
  "tokens still loading": async (page) => {
    await page.route("**/v1/tokens?**", () => {}); // never answered
    await openTokens(page);
    await page.getByText("Loading tokens").waitFor();
  },
  "tokens without a server": async (page) => {
    await page.route("**/v1/tokens?**", (route) => route.abort());
    await openTokens(page);
    await button(page, "Try again").waitFor();
  },
  "tokens, for others than the operator": async (page) => {
    await page.route("**/v1/me", async (route) =>
      route.fulfill({ json: { ...(await (await route.fetch()).json()), operator: false } }),
    );
    await openTokens(page);
    await page.getByText("Only the operator sees these tokens").waitFor();
  },
  "a token's menu": async (page) => {
    await openTokens(page);
    await openKeyMenu(page, "First operator token");
    await page.getByRole("menuitem", { name: "Delete token" }).waitFor();
  },
  "create dialog of tokens": async (page) => {
    await openTokens(page);
    await button(page, "Create token").click();
    await dialog(page).getByRole("radio", { name: "Operator" }).waitFor();
  },
  "create dialog of tokens with a mistake": async (page) => {
    await openTokens(page);
    await button(page, "Create token").click();
    await button(dialog(page), "Create").click();
    await dialog(page).getByText("Enter a name.").waitFor();
  },
  "create dialog with the verifier token": async (page) => {
    await createdToken(page, "verifier");
    await dialog(page).getByText("connectVerifier(").waitFor();
  },
  "create dialog with the operator token": async (page) => {
    await createdToken(page, "operator");
    await dialog(page).getByText("LATCHKEY_OPERATOR_TOKEN").waitFor();
  },
  "delete dialog of a token": async (page) => {
    await openTokens(page);
    await openMenu(page, "First verifier token", "Delete token");
  },
  "delete dialog of a token with its receipt": async (page) => {
    await openTokens(page);
    const revocation = { state: "effective", effective_at: new Date().toISOString(), took_ms: 14 };
    await page.route("**/v1/tokens/tok_*", (route) =>
      route.fulfill({ json: { revocation: { ...revocation, acknowledged: 5, lapsed: 0 } } }),
    );
    await openMenu(page, "First verifier token", "Delete token");
    await button(dialog(page), "Delete token").click();
    await dialog(page).getByText("5 of 5 verifiers confirmed").waitFor();
  },
  "delete dialog of a token that does not know": async (page) => {
    await openTokens(page);
    await page.route("**/v1/tokens/tok_*", (route) => route.abort());
    await openMenu(page, "First verifier token", "Delete token");
    await button(dialog(page), "Delete token").click();
    await dialog(page).getByText("may or may not be deleted").waitFor();
  },
  "account menu": async (page) => {
    await openKeys(page);
    await button(page, "Account: Acme").click();
    await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
  },
  "environment menu": async (page) => {
    await openKeys(page);
    await button(page, "Environment: Development").click();
    await page.getByRole("menuitemradio", { name: "Production" }).waitFor();
  },
  "no such page": async (page) => {
    await page.goto("/acme/development/platform/nothing");
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
  },
  "no such account": async (page) => {
    await page.goto("/somebody/development/platform/api-keys");
    await page.getByRole("heading", { name: "Account not found" }).waitFor();
  },
  "no such environment": async (page) => {
    await page.goto("/acme/nowhere/platform/api-keys");
    await page.getByRole("heading", { name: "Environment not found" }).waitFor();
  },
  "no answer at all": async (page) => {
    await page.route("**/v1/me", (route) => route.abort());
    await page.goto(world.at("development"));
    await button(page, "Try again").waitFor();
  },
  loading: async (page) => {
    await page.route("**/v1/me", () => {}); // never answered
    await page.goto(world.at("development"));
    await page.getByText("Loading…").waitFor();
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

/** Creates a token in the dialog; the server is not asked, so that the list stays as it is. */
async function createdToken(page: Page, kind: "verifier" | "operator"): Promise<void> {
  await openTokens(page);
  await page.route("**/v1/tokens", async (route) => {
    const token = `${kind === "verifier" ? "vt" : "ot"}_${"0aZ".repeat(12)}`;
    const [some] = (await world.operator.tokens.list()).entries;
    await route.fulfill({ status: 201, json: { ...some, kind, token } });
  });
  await button(page, "Create token").click();
  await dialog(page).getByLabel("Name").fill("Checkout service");
  await dialog(page)
    .getByRole("radio", { name: kind === "verifier" ? "Verifier" : "Operator" })
    .check();
  await button(dialog(page), "Create").click();
  await button(dialog(page), "Done").waitFor();
}

/** A revoked key as the server answers it, with this receipt. */
async function revoked(receipt: object): Promise<object> {
  const [some] = (await world.client.apiKeys.list({ environment: "development" })).entries;
  const at = new Date().toISOString();
  const effective = { state: "effective", effective_at: at, took_ms: 14 };
  const revocation = { ...effective, acknowledged: 0, lapsed: 0, ...receipt };
  return { ...some, revoked_at: at, revoked_by: some?.created_by, revocation };
}

/** Deletes an environment; the server does it, and answers like this. */
async function failedDeletion(page: Page, slug: string, answer: { status: number }): Promise<void> {
  await world.client.environments.create({ name: slug, slug });
  await openEnvironments(page);
  await openMenu(page, slug, "Delete environment");
  await page.route(`**/v1/environments/${slug}`, async (route) => {
    await route.fetch();
    await route.fulfill({ ...answer, json: { code: "of_a_test", message: "Of a test." } });
  });
  await dialog(page).getByLabel(`Type ${slug} to confirm`).fill(slug);
  await button(dialog(page), "Delete environment").click();
}

let context: BrowserContext;
beforeAll(async () => {
  context = await world.profile();
});

/** States that end when the table of keys gives way to cards: they are opened anew on a phone. */
const gone = new Set(["a key's menu", "a token's menu"]);

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, gone.has(name)),
);

test("on a phone the navigation is a drawer that leads to every page and closes behind one", async () => {
  const { page, complaints } = await openPage(context);
  await page.setViewportSize(PHONE);
  await openKeys(page);
  await button(page, "Open navigation").click();
  await dialog(page).getByRole("link", { name: "Environments" }).waitFor();
  await expectGoodLooks(page, "navigation");
  await dialog(page).getByRole("link", { name: "Environments" }).click();
  await page.getByRole("heading", { name: "Environments" }).waitFor();
  await dialog(page).waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.close();
});
