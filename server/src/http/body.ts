import { Failure } from "@latchkey/sdk/core";

/** The longest request body, in bytes: the largest one we take, a key with all its metadata, is under 10 KiB. */
export const BODY_BYTES_MAX = 64 * 1024;

/** How deep arrays and objects in a body may nest; none of ours nests deeper than two. */
export const BODY_DEPTH_MAX = 8;

/** A body as it came: `text` is what an idempotency record digests, `value` what a schema parses. */
export interface Body {
  readonly text: string;
  readonly value: unknown;
}

/**
 * Reads a JSON body within bounds. No body at all reads as `{}`, so that every parameter of it may be left out.
 *
 * @throws Failure `unsupported_media_type`, `payload_too_large`, `invalid_request` (not UTF-8, not JSON, too deep), or
 *   `invalid_params` for a `__proto__`, which somebody further on might merge into an object.
 */
export async function readJsonBody(request: Request): Promise<Body> {
  const bytes = await readBytes(request);
  if (bytes.byteLength === 0) return { text: "", value: {} };
  if (!isJson(request.headers.get("Content-Type")))
    throw new Failure("unsupported_media_type", "The body has to be JSON: application/json.");
  const text = decode(bytes);
  const value = parse(text);
  inspect(value, BODY_DEPTH_MAX, "");
  return { text, value };
}

/** Counts while it reads: a Content-Length may lie, and a chunked body has none. */
async function readBytes(request: Request): Promise<Uint8Array> {
  if (Number(request.headers.get("Content-Length")) > BODY_BYTES_MAX) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, length);
    length += value.byteLength;
    if (length > BODY_BYTES_MAX) {
      reader.cancel().catch(() => undefined); // the peer may have gone: nothing left to do about it
      throw tooLarge();
    }
    chunks.push(value);
  }
}

function tooLarge(): Failure {
  return new Failure("payload_too_large", `A body may have at most ${BODY_BYTES_MAX} bytes.`);
}

/** `application/json`, with UTF-8 as its only charset (RFC 8259, section 8.1). */
function isJson(contentType: string | null): boolean {
  return /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i.test(contentType ?? "");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure("invalid_request", "The body is not UTF-8.", { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No cause: the parser's message quotes the body, and a body may hold a token.
    throw new Failure("invalid_request", "The body is not JSON.");
  }
}

function inspect(value: unknown, depthLeft: number, path: string): void {
  if (typeof value !== "object" || value === null) return;
  if (depthLeft === 0)
    throw new Failure("invalid_request", `The body nests deeper than ${BODY_DEPTH_MAX} levels.`);
  for (const [name, inner] of Object.entries(value)) {
    const field = path === "" ? name : `${path}.${name}`;
    if (name === "__proto__")
      throw new Failure("invalid_params", "Some parameters are wrong.", {
        errors: [{ field: field.slice(-100), message: "Is not a name that we take." }],
      });
    inspect(inner, depthLeft - 1, field);
  }
}
