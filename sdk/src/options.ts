import { Failure } from "./failure.ts";
import { parseToken } from "./token.ts";

/** Nodes of one deployment that one verifier is told of. */
const URLS_MAX = 32;

/**
 * Checks what a program passes to connectVerifier.
 *
 * @returns The origins of the nodes.
 * @throws Failure `invalid_params` that names the option; the token is in no message.
 */
export function originsOf(options: {
  readonly url?: string;
  readonly urls?: readonly string[];
  readonly token: string;
  readonly connectTimeoutMs?: number;
  readonly keysMax?: number;
}): readonly string[] {
  const { url, urls, token, connectTimeoutMs = 1, keysMax = 2 } = options;
  if (typeof token !== "string" || parseToken(token)?.prefix !== "vt")
    throw wrong("token", "Must be a verifier token, vt_….");
  if ((url === undefined) === (urls === undefined)) throw wrong("url", "Give either url or urls.");
  if (!(Number.isFinite(connectTimeoutMs) && connectTimeoutMs > 0))
    throw wrong("connectTimeoutMs", "Must be a number of milliseconds.");
  if (!(Number.isSafeInteger(keysMax) && keysMax >= 2))
    throw wrong("keysMax", "Must be at least 2.");
  const list = urls ?? [url ?? ""];
  if (!Array.isArray(list) || list.length === 0 || list.length > URLS_MAX)
    throw wrong("urls", `Must be 1 to ${URLS_MAX} addresses.`);
  return list.map((each) => originOf(each, url === undefined ? "urls" : "url"));
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

/** Whether a host as `URL` spells it is this machine: 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291), localhost (RFC 6761). */
function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

function wrong(field: string, message: string): Failure {
  return new Failure("invalid_params", `connectVerifier: ${field}: ${message}`, {
    errors: [{ field, message }],
  });
}
