import type { FieldError } from "../failure.ts";
import { ApiError } from "./api-error.ts";

/** Bytes of one answer, unpacked, unless more is expected. A page of 200 keys with all they may hold has under 1 MiB. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/** Characters of a message that are kept: who writes it may be some proxy. */
const MESSAGE_CHARACTERS_MAX = 1_000;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;
/** Of answers that are files. */
export const FILE_TYPES = { csv: "text/csv", jsonl: "application/x-ndjson" } as const;

/** What a call expects to be answered with, when it is not a short piece of JSON. */
export interface Expected {
  /** The answer's body is then its text. */
  readonly as?: keyof typeof FILE_TYPES;
  readonly bytesMax?: number;
}

/** A success of the API. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly requestId: string | null;
  /** Whether an earlier request with the same `Idempotency-Key` did it. */
  readonly replayed: boolean;
  readonly tries: number;
}

/** Whether a `Content-Type` is that media type, with whatever parameters (RFC 9110, section 8.3.1). */
const isOfType = (contentType: string, mediaType: string): boolean =>
  contentType.split(";", 1)[0]?.trim().toLowerCase() === mediaType;

/**
 * Reads a response to its end.
 *
 * @returns The answer, or the error that it is, whoever wrote it.
 * @throws What the connection threw when it broke on the way.
 */
export async function readAnswer(
  response: Response,
  { as, bytesMax = ANSWER_BYTES_MAX }: Expected,
  tries: number,
  nowMs: number,
): Promise<Answer | ApiError> {
  const text = await readText(response, bytesMax);
  const { status, headers } = response;
  const requestId = headers.get("X-Request-Id");
  const type = headers.get("Content-Type") ?? "";
  const parsed = JSON_TYPE.test(type) ? parseJson(text) : undefined;
  if (response.ok) {
    const file = text === undefined ? undefined : { value: text };
    const good = as === undefined ? parsed : isOfType(type, FILE_TYPES[as]) ? file : undefined;
    if (good !== undefined)
      return { status, body: good.value, requestId, replayed: isReplay(headers), tries };
    const message =
      text === undefined
        ? `The answer has more than ${bytesMax} bytes. Ask for less of it.`
        : "What answered is not the Latchkey API, or something between has changed it.";
    return new ApiError({ status, code: "invalid_answer", message, requestId, tries });
  }
  const body = recordOf(parsed?.value);
  return new ApiError({
    status,
    code: textOf(body.code) ?? "unknown",
    message: textOf(body.message) ?? unexplained(response),
    requestId: textOf(body.request_id) ?? requestId,
    errors: fieldErrorsOf(body.errors),
    retryAfterSeconds: retryAfterSeconds(headers, nowMs),
    tries,
  });
}

/** The id of what a creation has made; accounts nest theirs. */
export function createdIdOf({ body }: Answer): string | null {
  const made = recordOf(body);
  return textOf(made.id) ?? textOf(recordOf(made.account).id) ?? null;
}

const isReplay = (headers: Headers): boolean => headers.get("Idempotent-Replayed") === "true";

/** @returns `undefined` when there is more of it than anybody of ours would send; the rest is not read. */
async function readText({ body }: Response, bytesMax: number): Promise<string | undefined> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      void reader.cancel().catch(() => {});
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** The parser's own error is not kept: it repeats what it could not read, and that may hold a token. */
function parseJson(text: string | undefined): { readonly value: unknown } | undefined {
  if (text === undefined) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function unexplained({ status, type }: Response): string {
  if (type === "opaqueredirect" || (status >= 300 && status < 400))
    return "The server answered with a redirect, which is not followed. Is this its own address?";
  return `The server answered ${status}.`;
}

/** Both forms of RFC 9110, section 10.2.3. A date is read by the clock that wrote it, as far as it tells. */
function retryAfterSeconds(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get("Retry-After")?.trim();
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const untilMs = Date.parse(value);
  if (Number.isNaN(untilMs)) return undefined;
  const sentMs = Date.parse(headers.get("Date") ?? "");
  return Math.max(0, Math.ceil((untilMs - (Number.isNaN(sentMs) ? nowMs : sentMs)) / 1000));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, MESSAGE_CHARACTERS_MAX) : undefined;
}

function fieldErrorsOf(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry) => {
    const [field, message] = [textOf(recordOf(entry).field), textOf(recordOf(entry).message)];
    return field === undefined || message === undefined ? [] : [{ field, message }];
  });
}
