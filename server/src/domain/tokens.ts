import {
  BASE62,
  digestToken,
  TOKEN_RANDOM_CHARACTERS,
  type TokenPrefix,
  tokenChecksum,
  tokenHint,
} from "@latchkey/sdk/core";
import { customRandom } from "nanoid";

/** A token just made. The token itself is for one answer; only `digest` and `hint` may be kept. */
export interface FreshToken {
  readonly token: string;
  readonly digest: string;
  readonly hint: string;
}

/** Makes tokens of one installation: all carry its brand, when it has one. */
export type MakeToken = (prefix: TokenPrefix) => FreshToken;

/**
 * Makes the token maker.
 *
 * @param randomBytes A cryptographically strong source; characters are drawn from it without bias (by rejection).
 * @param brand `[a-z0-9]{2,16}`, or `null` for none.
 */
export function tokenMaker(
  randomBytes: (count: number) => Uint8Array,
  brand: string | null,
): MakeToken {
  const randomPart = customRandom(BASE62, TOKEN_RANDOM_CHARACTERS, randomBytes);
  return (prefix) => {
    const body = `${prefix}_${brand === null ? "" : `${brand}_`}${randomPart()}`;
    const token = body + tokenChecksum(body);
    return { token, digest: digestToken(token), hint: tokenHint(token) };
  };
}
