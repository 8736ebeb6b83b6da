/** Browsers by what only they, or they before all others, say of themselves: Edge and Opera say Chrome too. */
const browsers = [
  ["Edge", /\bEdgA?\/|\bEdgiOS\//],
  ["Opera", /\bOPR\//],
  ["Samsung Internet", /\bSamsungBrowser\//],
  ["Firefox", /\bFirefox\/|\bFxiOS\//],
  ["Chrome", /\bChrome\/|\bCriOS\/|\bHeadlessChrome\//],
  ["Safari", /\bSafari\//],
] as const;

/** Systems likewise: an iPhone says Mac OS X, and Android says Linux. */
const systems = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["Linux", /\bLinux\b/],
] as const;

const otherMax = 60;

/**
 * A device in words, as far as its user agent tells: "Firefox on Linux".
 *
 * @returns What a program calls itself where it is no browser we know; "Unknown device" for nothing.
 */
export function deviceOf(userAgent: string | null): string {
  if (userAgent === null || userAgent.trim() === "") return "Unknown device";
  const browser = browsers.find(([, shape]) => shape.test(userAgent))?.[0];
  const system = systems.find(([, shape]) => shape.test(userAgent))?.[0];
  if (browser === undefined)
    return userAgent.length > otherMax ? `${userAgent.slice(0, otherMax)}…` : userAgent;
  return system === undefined ? browser : `${browser} on ${system}`;
}
