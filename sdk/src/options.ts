import { Failure } from "./failure.ts";
import { LOOKUP_BOUNDS } from "./lease/lookup.ts";
import { parseToken } from "./token.ts";

/** Nodes of one deployment that one verifier is told of. */
const URLS_MAX = 32;

/** The longest delay that timers take: past it they fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;
const CONNECT_TIMEOUT_MS = 10_000;

/** Keys that fit into the maps of a cache. */
const KEYS_MAX = 10_000_000;

export interface ConnectOptions {
  /** Where the Latchkey server is, e.g. `https://keys.example.com`. `http:` is refused off loopback. */
  readonly url?: string | undefined;
  /** Several nodes of one deployment, instead of `url`: whichever answers is used. */
  readonly urls?: readonly string[] | undefined;
  /** A verifier token, `vt_…`, as an environment variable may hold it. It is sent to the server and nowhere else. */
  readonly token: string | undefined;
  /** How long to wait for the first connection, ms; 10,000 unless given. */
  readonly connectTimeoutMs?: number | undefined;
  /** Keys held at most, up to 500 bytes each; 100,000 unless given. */
  readonly keysMax?: number | undefined;
}

/** What connectVerifier works with. */
export interface Settings {
  /** Origins of nodes, each of them `http:` or `https:`. */
  readonly urls: readonly string[];
  readonly token: string;
  readonly connectTimeoutMs: number;
  readonly keysMax: number;
}

/**
 * Checks what a program passes to connectVerifier.
 *
 * @throws Failure `invalid_params` that names the option; the token is in no message.
 */
export function parseOptions(options: ConnectOptions): Settings {
  const { url, urls, token, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const { keysMax = LOOKUP_BOUNDS.keysMax } = options;
  if (typeof token !== "string" || parseToken(token)?.prefix !== "vt")
    throw wrong("token", "Must be a verifier token, vt_….");
  if ((url === undefined) === (urls === undefined)) throw wrong("url", "Give either url or urls.");
  if (!(connectTimeoutMs > 0 && connectTimeoutMs <= TIMEOUT_MS_MAX))
    throw wrong("connectTimeoutMs", `Must be more than 0 and at most ${TIMEOUT_MS_MAX} ms.`);
  if (!(Number.isSafeInteger(keysMax) && keysMax >= 2 && keysMax <= KEYS_MAX))
    throw wrong("keysMax", `Must be a whole number from 2 to ${KEYS_MAX}.`);
  const list = urls ?? [url ?? ""];
  if (!Array.isArray(list) || list.length === 0 || list.length > URLS_MAX)
    throw wrong("urls", `Must be 1 to ${URLS_MAX} addresses.`);
  const origins = list.map((each) => originOf(each, url === undefined ? "urls" : "url"));
  return { urls: origins, token, connectTimeoutMs, keysMax };
}

function originOf(text: string, field: string): string {
  if (typeof text !== "string" || !URL.canParse(text)) throw wrong(field, "Must be a URL.");
  const { protocol, hostname, origin, pathname, search, hash, username, password } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") throw wrong(field, "Must be http or https.");
  if (username !== "" || password !== "") throw wrong(field, "Must hold no credentials.");
  if (pathname !== "/" || search !== "" || hash !== "") throw wrong(field, "Must have no path.");
  if (protocol === "http:" && !isLoopback(hostname))
    throw wrong(field, "Must be https, for http would show the token on the network.");
  return origin;
}

/** Whether a host as `URL` spells it is this machine: 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291) or localhost. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function wrong(field: string, message: string): Failure {
  return new Failure("invalid_params", `connectVerifier: ${field}: ${message}`, {
    errors: [{ field, message }],
  });
}
