import type { Ambient } from "../ambient.ts";

/** Bytes of a link's secret: 192 bits, so guessing needs no further defence than a bound on the work. */
const LINK_SECRET_BYTES = 24;

/** Makes what a link carries in its fragment, base64url; only its digest is kept. */
export function newLinkSecret({ randomBytes }: Pick<Ambient, "randomBytes">): string {
  return Buffer.from(randomBytes(LINK_SECRET_BYTES)).toString("base64url");
}
