import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Hops of an X-Forwarded-For that are looked at; longer chains are somebody's invention. */
const HOPS_MAX = 32;

/** Callers whose address is remembered, for parsing it costs more than a verification; of few each repeats. */
const REMEMBERED_MAX = 10_000;

/** Characters of a forwarded chain that is remembered. */
const REMEMBERED_CHARACTERS_MAX = 200;

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
  const known = new Map<string, string>();

  function find(peer: string | undefined, forwardedFor: string | undefined): string {
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
  }

  return (peer, forwardedFor) => {
    const name = forwardedFor === undefined ? (peer ?? "") : `${peer} ${forwardedFor}`;
    const found = known.get(name);
    if (found !== undefined) return found;
    const address = find(peer, forwardedFor);
    if (name.length > REMEMBERED_CHARACTERS_MAX) return address;
    if (known.size >= REMEMBERED_MAX) known.clear();
    known.set(name, address);
    return address;
  };
}

/**
 * What tries are counted by: of IPv6 the network of 64 bits, for whoever has one address has all of it (RFC 6177).
 *
 * @param address As {@link createClientAddress} tells it.
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const parts = ipaddr.IPv6.parse(address).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(":")}::/64`;
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
