import { BASE62 } from "./token.ts";

/** Characters of a request id after `req_`: 24 in base 62 are 142 bits. */
const CHARACTERS = 24;

/** Bytes from here on are not used, so that every character is as likely as any other. */
const EVEN_BELOW = 256 - (256 % BASE62.length);

/** Makes the id of a refusal: `req_` and 24 unguessable base62 characters, as the server's are. */
export function newRequestId(): string {
  let id = "req_";
  while (id.length < "req_".length + CHARACTERS)
    for (const byte of crypto.getRandomValues(new Uint8Array(CHARACTERS)))
      if (byte < EVEN_BELOW && id.length < "req_".length + CHARACTERS)
        id += BASE62.charAt(byte % BASE62.length);
  return id;
}
