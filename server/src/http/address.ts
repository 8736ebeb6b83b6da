import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Hops of an X-Forwarded-For that are looked at; longer chains are somebody's invention. */
const HOPS_MAX = 32;

/** Tells a caller's address; see {@link createClientAddress}. */
export type ClientAddress = (peer: string | undefined, forwardedFor: string | undefined) => string;

/**
 * Makes the rule by which a caller's address is known: the right-most hop that is not one of ours. What stands further
 * left in `X-Forwarded-For` was written by the caller, and proves nothing.
 *
 * @param trusted Addresses and CIDR ranges of the proxies in front.
 */
export function createClientAddress(trusted: readonly string[]): ClientAddress {
  const ranges = trusted.map((entry) => parseRange(entry));
  const isTrusted = (address: string): boolean => {
    const parsed = ipaddr.process(address);
    return ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
  };
  return (peer, forwardedFor) => {
    let address = normal(peer ?? "");
    if (address === null) return "unknown"; // the connection is gone already
    const hops = forwardedFor?.split(",").slice(-HOPS_MAX) ?? [];
    while (isTrusted(address)) {
      const hop = hops.pop();
      const next = hop === undefined ? null : normal(hop.trim());
      if (next === null) break;
      address = next;
    }
    return address;
  };
}

/** One spelling for each address: IPv4 mapped into IPv6 is IPv4 (RFC 4291, section 2.5.5.2). */
function normal(text: string): string | null {
  return isIP(text) === 0 ? null : ipaddr.process(text).toString();
}

function parseRange(entry: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (entry.includes("/")) return ipaddr.parseCIDR(entry);
  const address = ipaddr.process(entry);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}
