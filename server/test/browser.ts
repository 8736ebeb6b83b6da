import { type Browser, type Page, chromium as playwright } from "playwright-core";

/**
 * What @sparticuz/chromium sets for servers without users, and a test of a dashboard must not have: no walls between
 * origins, and one process for all, which ends with the first profile that is closed.
 */
const UNWANTED = /web-security|insecure-content|site-isolation|IsolateOrigins|single-process/;

/** Starts the real Chromium that npm brings; it needs nothing from the machine. */
export async function launchBrowser(): Promise<Browser> {
  // Read when the module is loaded: without it the libraries that a bare Debian lacks are not unpacked.
  process.env.AWS_LAMBDA_JS_RUNTIME ??= "nodejs22.x";
  const { default: chromium } = await import("@sparticuz/chromium");
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [
      ...chromium.args.filter((flag) => !UNWANTED.test(flag)),
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
    headless: true,
  });
}

/**
 * Collects what must never happen on a page: a violation of the Content-Security-Policy, a script's error, and a message
 * of the console that is not the browser's note about an answer such as 401.
 */
export function watchPage(page: Page): { complaints: string[] } {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (!text.startsWith("Failed to load resource")) complaints.push(`${message.type()}: ${text}`);
  });
  return { complaints };
}
