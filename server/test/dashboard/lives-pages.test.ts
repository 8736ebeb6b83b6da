import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import {
  begin,
  DAY_MS,
  fromNow,
  HOUR_MS,
  pairOf,
  retell,
  tellMaximum,
  tellTraffic,
} from "./lives.ts";
import { expectGoodFourWays, WITHIN_MS } from "./looks.ts";
import { button, dialog, keyRow, openKeyMenu } from "./parts.ts";
import { tellRole } from "./people.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let context: BrowserContext;
const keys: Record<string, ApiKeyJson> = {};

beforeAll(async () => {
  world = await openWorld();
  for (const description of [
    "Importer",
    "Checkout, old",
    "Webhooks, old",
    "Map",
    "Webhooks",
    "Checkout",
  ])
    keys[description] = await world.client.apiKeys.create("development", {
      type: description === "Map" ? "public" : "secret",
      description,
    });
  context = await world.profile();
});
afterAll(() => world?.end());

function key(description: string): ApiKeyJson {
  const found = keys[description];
  if (found === undefined) throw new Error(`no key ${description}`);
  return found;
}

/** Two pairs, one that runs out and one that waits, a key that ends soon and one that ends late. */
async function tellLives(page: Page): Promise<void> {
  await retell(page, {
    ...pairOf(key("Checkout, old"), key("Checkout"), 3 * HOUR_MS),
    ...pairOf(key("Webhooks, old"), key("Webhooks"), null),
    Importer: { expires_at: fromNow(3 * DAY_MS) },
    Map: { expires_at: fromNow(80 * DAY_MS) },
  });
  await tellTraffic(page, { [key("Checkout, old").id]: 12, [key("Checkout").id]: 88 });
}

const openKeys = async (page: Page, search = ""): Promise<void> => {
  await page.goto(world.at("development") + search);
  await page.getByRole("heading", { name: "API keys" }).waitFor();
};

const openKey = async (page: Page, description: string): Promise<void> => {
  await tellLives(page);
  await page.goto(world.at("development", `platform/api-keys/${key(description).id}`));
  await page.getByRole("region", { name: "Rotation" }).waitFor();
  await page.getByText("No verifications in the last 24 hours.").waitFor();
};

/** Opens the dialog that rotates a key, and waits until it says who uses it. */
async function openRotation(page: Page): Promise<void> {
  await openKeys(page);
  await begin(page, "Importer", "Rotate API key");
  await dialog(page).getByText("This key has never been used.").waitFor();
}

/** Answers a rotation as the server does. */
async function answerRotation(
  page: Page,
  predecessor: Partial<ApiKeyJson>,
  token = true,
): Promise<void> {
  await page.route("**/rotate", (route) => {
    const old = key("Importer");
    const { api_key: _, ...plain } = old;
    return route.fulfill({
      status: 201,
      headers: token ? {} : { "Idempotent-Replayed": "true" },
      json: {
        ...plain,
        id: "key_new",
        hint: "sk_…4Fz9",
        rotated_from: old.id,
        ...(token ? { api_key: `sk_${"0aZ".repeat(12)}` } : {}),
        predecessor: { ...plain, rotated_to: "key_new", ...predecessor },
      },
    });
  });
}

const openGeneral = async (page: Page, days: number | null): Promise<void> => {
  await tellMaximum(page, days);
  await page.goto(world.at("development", "settings/general"));
  await page.getByRole("heading", { name: "Maximum age of API keys" }).waitFor();
};

const states: Record<string, (page: Page) => Promise<unknown>> = {
  "pairs in the list": async (page) => {
    await tellLives(page);
    await openKeys(page);
    await keyRow(page, "Checkout, old").getByText("12% old · 88% new").waitFor();
    await keyRow(page, "Importer").getByText("Expires in 3 days").waitFor();
    await keyRow(page, "Checkout, old").scrollIntoViewIfNeeded();
  },
  "a successor whose old key is on another page": async (page) => {
    await retell(page, { Map: { rotated_from: "key_elsewhere" } });
    await openKeys(page);
    await keyRow(page, "Map").getByText("Succeeds another key").waitFor();
  },
  "the menu of an old key": async (page) => {
    await tellLives(page);
    await openKeys(page);
    await openKeyMenu(page, "Checkout, old");
    await page.getByRole("menuitem", { name: "Finish now" }).waitFor();
  },
  "none that expires soon": async (page) => {
    await page.route("**/v1/api_keys?**", (route) =>
      route.fulfill({
        json: { entries: [], page_info: { after: null, before: null, page_size: 25 } },
      }),
    );
    await openKeys(page, "?expires=within_7_days");
    await page.getByText("None expires within 7 days").waitFor();
  },
  "page of an old key": (page) => openKey(page, "Checkout, old"),
  "page of an old key that waits": (page) => openKey(page, "Webhooks, old"),
  "page of a successor": (page) => openKey(page, "Checkout"),
  "page of a key that was rotated in vain": async (page) => {
    await retell(page, {
      ...pairOf(key("Checkout, old"), key("Checkout"), 3 * HOUR_MS),
      Checkout: { rotated_from: key("Checkout, old").id, revoked_at: fromNow(-1_000) },
    });
    await page.goto(world.at("development", `platform/api-keys/${key("Checkout, old").id}`));
    await button(page, "Rotate again").waitFor();
  },
  "rotate dialog": openRotation,
  "rotate dialog, at once": async (page) => {
    await openRotation(page);
    await dialog(page).getByLabel("The old key goes on working for").selectOption("0");
    await dialog(page).getByText("whoever still uses it is cut off").waitFor();
  },
  "rotate dialog with a mistake": async (page) => {
    await openRotation(page);
    await dialog(page).getByLabel("The old key goes on working for").selectOption("own");
    await dialog(page).getByLabel("How many").fill("31");
    await button(dialog(page), "Rotate API key").click();
    await dialog(page).getByText("at most 30 days").waitFor();
  },
  "rotate dialog with the new token": async (page) => {
    await answerRotation(page, {
      overlap: { seconds: 86_400, started_at: fromNow(0) },
      expires_at: fromNow(DAY_MS),
    });
    await openRotation(page);
    await button(dialog(page), "Rotate API key").click();
    await dialog(page).getByText("It is accepted until").waitFor();
  },
  "rotate dialog with the new token, the old one revoked": async (page) => {
    const revocation = {
      state: "effective",
      effective_at: fromNow(0),
      took_ms: 14,
      acknowledged: 3,
      lapsed: 0,
    } as const;
    await answerRotation(page, { revoked_at: fromNow(0), revocation });
    await openRotation(page);
    await button(dialog(page), "Rotate API key").click();
    await dialog(page).getByText("3 of 3 verifiers confirmed").waitFor();
  },
  "rotate dialog whose token was lost": async (page) => {
    await answerRotation(page, { overlap: { seconds: 86_400, started_at: null } }, false);
    await openRotation(page);
    await button(dialog(page), "Rotate API key").click();
    await dialog(page).getByText("was lost on its way").waitFor();
  },
  "rotate dialog after somebody else": async (page) => {
    await page.route("**/rotate", (route) =>
      route.fulfill({ status: 409, json: { code: "conflict", message: "It is rotated already." } }),
    );
    await openRotation(page);
    await button(dialog(page), "Rotate API key").click();
    await dialog(page).getByText("Somebody else was faster").waitFor();
  },
  "rotate dialog that does not know": async (page) => {
    await page.route("**/rotate", (route) => route.abort());
    await openRotation(page);
    await button(dialog(page), "Rotate API key").click();
    await dialog(page).getByText("may or may not be rotated").waitFor();
  },
  "revoke dialog of a key in use": async (page) => {
    await retell(page, { Importer: { last_used_at: fromNow(-60_000) } });
    await openKeys(page);
    await begin(page, "Importer", "Revoke API key");
    await button(dialog(page), "Rotate instead").waitFor();
  },
  "finish dialog": async (page) => {
    await tellLives(page);
    await openKeys(page);
    await begin(page, "Checkout, old", "Finish now");
    await dialog(page).getByText("Its successor goes on working").waitFor();
  },
  "overlap dialog": async (page) => {
    await tellLives(page);
    await openKeys(page);
    await begin(page, "Checkout, old", "Change overlap");
    await dialog(page).getByText("The overlap began on").waitFor();
  },
  "overlap dialog of one that waits": async (page) => {
    await tellLives(page);
    await openKeys(page);
    await begin(page, "Webhooks, old", "Change overlap");
    await dialog(page).getByText("after the first use of the new one").waitFor();
  },
  "expiry dialog": async (page) => {
    await openKeys(page);
    await begin(page, "Importer", "Change expiry");
  },
  "expiry dialog with an end that was brought forward": async (page) => {
    await page.route(`**/v1/api_keys/${key("Importer").id}`, (route) =>
      route.request().method() === "PATCH"
        ? route.fulfill({ json: { ...key("Importer"), expires_at: fromNow(7 * DAY_MS) } })
        : route.fallback(),
    );
    await openKeys(page);
    await begin(page, "Importer", "Change expiry");
    await dialog(page).getByLabel("Expires").selectOption("7");
    await button(dialog(page), "Save").click();
    await dialog(page).getByText("Every verifier has confirmed it").waitFor();
  },
  "expiry dialog of a key that is rotated": async (page) => {
    await tellLives(page);
    await openKeys(page);
    await begin(page, "Checkout, old", "Change expiry");
    await dialog(page).getByText("ends with its overlap").waitFor();
  },
  "expiry dialog within a maximum": async (page) => {
    await tellMaximum(page, 90);
    await openKeys(page);
    await begin(page, "Importer", "Change expiry");
    await dialog(page).getByText("Keys of this account live at most 90 days.").waitFor();
  },
  "create dialog within a maximum": async (page) => {
    await tellMaximum(page, 45);
    await openKeys(page);
    await button(page, "Create API key").click();
    await dialog(page).getByText("Keys of this account live at most 45 days.").waitFor();
  },
  "general settings without a maximum": (page) => openGeneral(page, null),
  "general settings with a shorter maximum chosen": async (page) => {
    await openGeneral(page, 365);
    await page.getByLabel("Keys live at most").selectOption("own");
    await page.getByLabel("Days").fill("45");
    await page.getByText("end at most 45 days from now").waitFor();
  },
  "general settings for others than owners": async (page) => {
    await tellRole(page, "admin");
    await openGeneral(page, 90);
    await page.getByText("Only owners change it.").first().waitFor();
  },
  "general settings without a server": async (page) => {
    await page.route("**/v1/account", (route) => route.abort());
    await page.goto(world.at("development", "settings/general"));
    await button(page, "Try again").waitFor();
  },
  "dialog of a shorter maximum": async (page) => {
    await openGeneral(page, null);
    await page.getByLabel("Keys live at most").selectOption("90");
    await button(page, "Change").click();
    await dialog(page).getByText("end at most 90 days from now").waitFor();
  },
  "dialog of a shorter maximum with its receipt": async (page) => {
    await page.route("**/v1/account", (route) => route.fulfill({ json: {} }));
    await openGeneral(page, null);
    await page.getByLabel("Keys live at most").selectOption("90");
    await button(page, "Change").click();
    await button(dialog(page), "Set maximum").click();
    await dialog(page).getByText("Every verifier has confirmed").waitFor();
  },
};

/** States that end when the table of keys gives way to cards, or are elsewhere on them: they are opened anew on a phone. */
const gone = new Set(["the menu of an old key", "pairs in the list"]);

test.concurrent.for(Object.entries(states))(
  "%s, four ways: axe, the policy and the console are content",
  { timeout: WITHIN_MS },
  ([name, open]) => expectGoodFourWays(context, name, open, gone.has(name)),
);
