import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

/** What a token is for, as its first two letters say. */
export type TokenPrefix = "sk" | "pk" | "st" | "vt" | "ot";

/** A well-formed token's parts; `brand` is `null` when it has none. */
export interface TokenParts {
  readonly prefix: TokenPrefix;
  readonly brand: string | null;
}

/** Digits of base 62, in the order of their values. */
export const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Random characters of a token: 30 in base 62 are 178 bits. */
export const TOKEN_RANDOM_CHARACTERS = 30;

/** The longest well-formed token: prefix, brand of 16, random part and checksum with their underscores. */
export const TOKEN_LENGTH_MAX = 2 + 1 + 16 + 1 + TOKEN_RANDOM_CHARACTERS + 6;

const SHAPE = /^(sk|pk|st|vt|ot)_(?:([a-z0-9]{2,16})_)?[0-9A-Za-z]{36}$/;

/**
 * Parses a token: `<prefix>_[<brand>_]<30 random base62><6 base62 of CRC-32>`.
 *
 * @returns Its parts, or `null` when the shape or the checksum is wrong: such a string was never issued, so nothing
 *   needs to be looked up. Says nothing about whether the token exists.
 * @see docs/adr/0001-token-format.md
 */
export function parseToken(token: string): TokenParts | null {
  if (token.length > TOKEN_LENGTH_MAX) return null;
  const match = SHAPE.exec(token);
  if (match === null || token.slice(-6) !== tokenChecksum(token.slice(0, -6))) return null;
  return { prefix: match[1] as TokenPrefix, brand: match[2] ?? null };
}

/**
 * The last six characters of a token: CRC-32 (ISO 3309, as in zlib) of everything before them, in base 62 with leading
 * zeros. 62⁶ > 2³², so each checksum has one spelling.
 */
export function tokenChecksum(body: string): string {
  let rest = crc32(body);
  let digits = "";
  for (let place = 0; place < 6; place++) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/**
 * Digests a whole token for look-up and storage.
 *
 * @param token The string the holder presents, e.g. `sk_…`.
 * @returns SHA-256 of its UTF-8 bytes, as base64url (43 characters).
 * @see FIPS 180-4; docs/adr/0002-digest.md says why a fast digest is right for a 178-bit secret.
 */
export function digestToken(token: string): string {
  return hash("sha256", token, "base64url");
}

/**
 * What people recognise a token by: its prefix and brand, and its last four characters, e.g. `sk_…9fQ2`. The last four
 * are checksum, so they give away at most 24 of the 178 random bits.
 */
export function tokenHint(token: string): string {
  return `${token.slice(0, token.lastIndexOf("_") + 1)}…${token.slice(-4)}`;
}
