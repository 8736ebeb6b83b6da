import { Failure } from "@latchkey/sdk/core";
import { isLoopback } from "../setting-values.ts";

/** Tells a request's own origin from its headers; `null` when the request names a host that is not ours. */
export type OwnOrigin = (headers: Headers) => string | null;

/**
 * Makes the rule for "our own origin", which unsafe requests of browsers must carry in `Origin`.
 *
 * Without a public URL the server listens on loopback, and a request's own host is trusted only when it names loopback:
 * a page at evil.example that has its name resolve to 127.0.0.1 (DNS rebinding) sends `Host: evil.example` and finds
 * that no origin is ours.
 *
 * @param publicUrl The origin of LATCHKEY_PUBLIC_URL, or `null`.
 */
export function ownOriginRule(publicUrl: string | null): OwnOrigin {
  if (publicUrl !== null) return () => publicUrl;
  return (headers) => {
    const host = headers.get("Host");
    if (host === null || !/^[A-Za-z0-9.:[\]]{1,64}$/.test(host)) return null;
    const url = `http://${host}`;
    if (!URL.canParse(url)) return null;
    const { origin, hostname } = new URL(url);
    return isLoopback(hostname) ? origin : null;
  };
}

/**
 * For routes that take a link's secret: a program needs no Origin there, for the secret is in the body; a page of
 * another site has one that is not ours. With a cookie it must be there: what the browser adds by itself then counts.
 *
 * @throws Failure `access_denied` for such a page.
 */
export function refuseOtherOrigins(headers: Headers, ownOrigin: OwnOrigin): void {
  if ((headers.has("Origin") || headers.has("Cookie")) && !isOwnOrigin(headers, ownOrigin))
    throw new Failure("access_denied", "The request does not come from the dashboard's origin.");
}

/** Whether the request comes from a page of ours. One without `Origin` does not: browsers send it with unsafe methods. */
export function isOwnOrigin(headers: Headers, ownOrigin: OwnOrigin): boolean {
  const origin = headers.get("Origin");
  return origin !== null && origin === ownOrigin(headers);
}

/**
 * Where a link leads: to our own dashboard, and to nowhere that a caller could name.
 *
 * @throws Failure `invalid_request` for a request that names a host which is not ours.
 */
export function siteOrigin(headers: Headers, ownOrigin: OwnOrigin): string {
  const origin = ownOrigin(headers);
  if (origin !== null) return origin;
  throw new Failure("invalid_request", "The request names a host that is not this server's.");
}
