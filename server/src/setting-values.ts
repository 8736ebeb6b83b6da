import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { z } from "zod";

/** A list of proxies longer than this is a mistake; each costs a comparison a request. */
export const TRUSTED_PROXIES_MAX = 64;

/** Whether only this machine can reach a server that listens on `host`: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (bare === "localhost") return true;
  return isIP(bare) !== 0 && ipaddr.process(bare).range() === "loopback";
}

/** Digits only: `Number` would also take "1e3", "0x10" and " 5". */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) >= min && Number(text) <= max)
    .transform(Number);
}

/** Plain http would send passwords and session cookies readably over a network, so it is for loopback alone. */
export function isPublicUrl(text: string): boolean {
  const url = parseUrl(text);
  if (url === undefined || url.username !== "" || url.password !== "") return false;
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

export function isDatabaseUrl(text: string): boolean {
  const protocol = parseUrl(text)?.protocol;
  return protocol === "postgres:" || protocol === "postgresql:";
}

export function isSmtpUrl(text: string): boolean {
  const url = parseUrl(text);
  if (url === undefined || url.hostname === "" || url.search !== "" || url.hash !== "")
    return false;
  if (url.pathname.replace("/", "") !== "" || !isDecodable(url.username + url.password))
    return false;
  return url.protocol === "smtps:" || url.protocol === "smtp:";
}

/** Whether every "%" begins an escape: a password that has one as it is would be read as another. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export function originOf(text: string): string | undefined {
  return parseUrl(text)?.origin;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

export function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** `isIP` first: ipaddr.js also takes old spellings, such as "10" for 0.0.0.10, that nobody means here. */
export function areRanges(list: readonly string[]): boolean {
  return (
    list.length <= TRUSTED_PROXIES_MAX &&
    list.every((entry) => {
      const [address = "", prefix] = entry.split("/", 2);
      return isIP(address) !== 0 && (prefix === undefined || ipaddr.isValidCIDR(entry));
    })
  );
}
