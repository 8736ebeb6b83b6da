/**
 * Where requests go: the given URL without a slash at its end, or the origin of the page that this runs in.
 *
 * @param token Whether a token will travel there: then it is `https://`, or `http://` to this very machine.
 * @throws TypeError for anything else. The message never repeats the URL, which may hold a password.
 */
export function serverUrl(url: string | undefined, { token }: { token: boolean }): string {
  const given = url ?? globalThis.location?.origin;
  if (given === undefined) throw new TypeError("url is missing: where the server is.");
  const parsed = URL.canParse(given) ? new URL(given) : undefined;
  if (parsed?.protocol !== "https:" && parsed?.protocol !== "http:")
    throw new TypeError("url has to be an http:// or https:// URL.");
  if (parsed.username + parsed.password + parsed.search + parsed.hash !== "")
    throw new TypeError("url must have no user name, password, query or fragment.");
  if (token && parsed.protocol === "http:" && !isLoopback(parsed.hostname))
    throw new TypeError("url has to be https://, for a token travels there.");
  return parsed.origin + parsed.pathname.replace(/\/+$/, "");
}

/** @param hostname Of a parsed URL, which writes every form of an IPv4 address as four numbers (WHATWG URL, 3.5). */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
