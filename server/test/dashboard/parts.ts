import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** The dialog that is open, by its role. */
export const dialog = (page: Page): Locator => page.getByRole("dialog");

/** A button by its whole name. */
export const button = (on: Page | Locator, name: string): Locator =>
  on.getByRole("button", { name, exact: true });

/** The row of a key or environment that has this text: of the table, or of the list where the window is narrow. */
export const keyRow = (page: Page, text: string): Locator =>
  page
    .locator("tbody")
    .getByRole("row")
    // Not of the navigation, which is a list too.
    .or(page.locator("main").getByRole("listitem"))
    .filter({ hasText: text });

/** Expects of what is read again and again, for as long as a slow machine may take. */
export const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 10_000 });

/** Opens the "…" menu of a row. */
export const openKeyMenu = (page: Page, text: string): Promise<void> =>
  keyRow(page, text)
    .getByRole("button", { name: /^Actions for/ })
    .click();

/** Chooses from the "…" menu of a row what opens a dialog. */
export async function choose(page: Page, row: string, item: string): Promise<void> {
  await openKeyMenu(page, row);
  await page.getByRole("menuitem", { name: item }).click();
  await dialog(page).waitFor();
}

/** The token that stands under this name, e.g. "Secret key". */
export const tokenIn = async (on: Page | Locator, name: string): Promise<string> =>
  (await on.getByRole("group", { name, exact: true }).locator("code").textContent()) ?? "";

/** Reads what the browser keeps beyond the page itself. */
export const kept = (page: Page): Promise<string> =>
  page.evaluate(async () =>
    JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      window.location.href,
      window.history.state,
      document.cookie,
      document.documentElement.outerHTML,
      (await indexedDB.databases()).map(({ name }) => name),
      await caches.keys(),
    ]),
  );
