import { BASE62 } from "./token.ts";

/** Characters after the prefix: 24 in base 62 are 142 bits. */
const CHARACTERS = 24;

/** Bytes from here on are not used, so that every character is as likely as any other. */
const EVEN_BELOW = 256 - (256 % BASE62.length);

/** Makes the id of a refusal, as the server's are. */
export const newRequestId = (): string => randomId("req_");

/** Makes the id of a process that counts. */
export const newSourceId = (): string => randomId("src_");

/** The prefix and 24 unguessable base62 characters. */
function randomId(prefix: string): string {
  let id = prefix;
  while (id.length < prefix.length + CHARACTERS)
    for (const byte of crypto.getRandomValues(new Uint8Array(CHARACTERS)))
      if (byte < EVEN_BELOW && id.length < prefix.length + CHARACTERS)
        id += BASE62.charAt(byte % BASE62.length);
  return id;
}
