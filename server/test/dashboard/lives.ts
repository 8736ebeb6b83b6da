import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { Page } from "playwright-core";
import { dialog, openKeyMenu } from "./parts.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A moment so many milliseconds from now. */
export const fromNow = (ms: number): string => new Date(Date.now() + ms).toISOString();

/** Shows keys other than they are, by their description: in the list, on their pages and in the dialogs. */
export async function retell(
  page: Page,
  tales: Readonly<Record<string, Partial<ApiKeyJson>>>,
): Promise<void> {
  const told = (key: ApiKeyJson): ApiKeyJson => ({ ...key, ...tales[key.description] });
  await page.route(/\/v1\/api_keys(\/[^/?]+)?(\?.*)?$/, async (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    const answer = await (await route.fetch()).json();
    const json = Array.isArray(answer.entries)
      ? { ...answer, entries: answer.entries.map(told) }
      : told(answer);
    return route.fulfill({ json });
  });
}

/** Makes two keys a pair: what {@link retell} is to tell of the old one and of its successor. */
export function pairOf(
  old: ApiKeyJson,
  successor: ApiKeyJson,
  endsInMs: number | null,
): Record<string, Partial<ApiKeyJson>> {
  const started_at = endsInMs === null ? null : fromNow(endsInMs - DAY_MS);
  return {
    [old.description]: {
      rotated_to: successor.id,
      overlap: { seconds: 86_400, started_at },
      expires_at: endsInMs === null ? null : fromNow(endsInMs),
    },
    [successor.description]: { rotated_from: old.id },
  };
}

/** Tells these numbers of accepted verifications in the last hour, by key. */
export async function tellTraffic(
  page: Page,
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  await page.route("**/v1/usage?**granularity=minute**", (route) => {
    const [from, to] = [fromNow(-HOUR_MS), fromNow(0)];
    const entries = Object.entries(counts).map(([api_key_id, count]) => ({
      at: from,
      api_key_id,
      outcome: "accepted",
      count,
    }));
    return route.fulfill({ json: { from, to, granularity: "minute", entries } });
  });
}

/** Tells that the account has this maximum age of keys. */
export async function tellMaximum(page: Page, days: number | null): Promise<void> {
  const account = { id: "acc_1", name: "Acme", slug: "acme", created_at: fromNow(-400 * DAY_MS) };
  await page.route("**/v1/account", (route) =>
    route.request().method() === "GET"
      ? route.fulfill({ json: { ...account, api_key_max_age_days: days } })
      : route.fallback(),
  );
}

/** Begins a deed of a key of the list: the dialog is open then. */
export async function begin(page: Page, row: string, deed: string): Promise<void> {
  await openKeyMenu(page, row);
  await page.getByRole("menuitem", { name: deed }).click();
  await dialog(page).waitFor();
}
