import { createHmac } from "node:crypto";

/**
 * The code that an authenticator app shows at a time, by the letter of RFC 6238 and RFC 4226 (SHA-1, 30 s, six digits).
 *
 * @param secret The setup key, in base 32.
 */
export function totp(secret: string, atMs: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(atMs / 30_000)));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** The code of an `otpauth://` URI at a time. */
export function totpCode(uri: string, atMs: number): string {
  return totp(new URL(uri).searchParams.get("secret") ?? "", atMs);
}

/** RFC 4648, section 6. */
export function fromBase32(text: string): Buffer {
  const bits = [...text.replace(/=+$/, "")]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter))
    .map((value) => value.toString(2).padStart(5, "0"))
    .join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
