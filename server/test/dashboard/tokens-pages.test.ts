import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { begin } from "./lives.ts";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button, dialog, keyRow, openKeyMenu } from "./parts.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let context: BrowserContext;
beforeAll(async () => {
  world = await openWorld();
  context = await world.profile();
});
afterAll(() => world?.end());

const openTokens = async (page: Page): Promise<void> => {
  await page.goto(world.at("development", "operator/tokens"));
  await page.getByRole("heading", { name: "Verifier tokens" }).waitFor();
};

const states: Record<string, (page: Page) => Promise<unknown>> = {
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
    await begin(page, "First verifier token", "Delete token");
  },
  "delete dialog of a token with its receipt": async (page) => {
    await openTokens(page);
    const revocation = { state: "effective", effective_at: new Date().toISOString(), took_ms: 14 };
    await page.route("**/v1/tokens/tok_*", (route) =>
      route.fulfill({ json: { revocation: { ...revocation, acknowledged: 5, lapsed: 0 } } }),
    );
    await begin(page, "First verifier token", "Delete token");
    await button(dialog(page), "Delete token").click();
    await dialog(page).getByText("5 of 5 verifiers confirmed").waitFor();
  },
  "delete dialog of a token that does not know": async (page) => {
    await openTokens(page);
    await page.route("**/v1/tokens/tok_*", (route) => route.abort());
    await begin(page, "First verifier token", "Delete token");
    await button(dialog(page), "Delete token").click();
    await dialog(page).getByText("may or may not be deleted").waitFor();
  },
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

/** States that end when the table of keys gives way to cards: they are opened anew on a phone. */
const gone = new Set(["a token's menu"]);

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, gone.has(name)),
);
