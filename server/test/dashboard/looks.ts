import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { DESKTOP, openPage, PHONE } from "./world.ts";

const SCHEMES = ["light", "dark"] as const;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Where pictures of every state are kept, for people to look at; none are taken when it is not set. */
const PICTURES = process.env.LATCHKEY_SCREENSHOTS;

/**
 * Holds what a page shows now, in light and in dark, to WCAG 2.2 AA, and its width to the window's: neither the page nor
 * anything on it scrolls sideways.
 */
export async function expectGoodLooks(page: Page, name: string): Promise<void> {
  const width = page.viewportSize()?.width ?? 0;
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.locator(`html[data-mantine-color-scheme="${scheme}"]`).waitFor();
    await settled(page);
    if (PICTURES !== undefined) {
      await mkdir(PICTURES, { recursive: true });
      const file = `${name.replace(/[^a-z0-9]+/gi, "-")}-${width}-${scheme}.png`;
      await page.screenshot({ path: join(PICTURES, file) });
    }
    const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
    // The dark page is the same page in other colours.
    if (scheme === "light") axe.withTags(RULES);
    else axe.withRules(["color-contrast", "link-in-text-block"]);
    const { violations } = await axe.analyze();
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} at ${target.join(" ")}: ${failureSummary}`),
    );
    expect(found, `${name} in ${scheme} at ${width} px`).toEqual([]);
  }
  expect(await page.locator("h1").count(), `headings of ${name}`).toBeLessThanOrEqual(1);
  expect(await sidewaysScrollers(page), `${name} at ${width} px`).toEqual([]);
}

/** States are looked at several at a time: they wait for each other's turn at the processor. */
export const WITHIN_MS = 80_000;

/**
 * Opens a state of a page, and holds it to {@link expectGoodLooks} on a desktop and on a phone, without a complaint of the
 * browser.
 *
 * @param reopened Whether the state ends when tables give way to cards, and so has to be opened anew on the phone.
 */
export async function expectGoodFourWays(
  context: BrowserContext,
  name: string,
  open: (page: Page) => Promise<unknown>,
  reopened: boolean,
): Promise<void> {
  const { page, complaints } = await openPage(context);
  await open(page);
  for (const viewport of [DESKTOP, PHONE]) {
    await page.setViewportSize(viewport);
    if (viewport === PHONE && reopened) await open(page);
    await expectGoodLooks(page, name);
  }
  expect(complaints).toEqual([]);
  await page.close();
}

/** Resolves when nothing moves any more, spinners aside. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every(
        (one) =>
          one.playState !== "running" || one.effect?.getComputedTiming().iterations === Infinity,
      ),
  );
}

/** What can be scrolled sideways, by its tag and class. */
export function sidewaysScrollers(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll<HTMLElement>("body, body *")]
      .filter((element) => {
        if (element.scrollWidth <= element.clientWidth + 1) return false;
        if (element === document.documentElement) return true;
        return /auto|scroll/.test(getComputedStyle(element).overflowX);
      })
      .map((element) => `${element.tagName.toLowerCase()}.${element.className}`),
  );
}
