import type { Locator, Page } from "playwright-core";

/** The dialog that is open, by its role. */
export const dialog = (page: Page): Locator => page.getByRole("dialog");

/** A button by its whole name. */
export const button = (on: Page | Locator, name: string): Locator =>
  on.getByRole("button", { name, exact: true });

/** The row of a key or environment that has this text: of the table, or of the list where the window is narrow. */
export const keyRow = (page: Page, text: string): Locator =>
  page.locator("tbody").getByRole("row").or(page.getByRole("listitem")).filter({ hasText: text });

/** Opens the "…" menu of a row. */
export const openKeyMenu = (page: Page, text: string): Promise<void> =>
  keyRow(page, text)
    .getByRole("button", { name: /^Actions for/ })
    .click();

/** The token that stands under this name, e.g. "Secret key". */
export const tokenIn = async (on: Page | Locator, name: string): Promise<string> =>
  (await on.getByRole("group", { name, exact: true }).locator("code").textContent()) ?? "";
