import type { FieldError } from "../failure.ts";

/** What an {@link ApiError} is made of; all but `code`, `message` and `tries` may be unknown. */
interface ApiErrorFields {
  readonly status?: number;
  readonly code: string;
  readonly message: string;
  readonly tries: number;
  readonly requestId?: string | null;
  readonly errors?: readonly FieldError[];
  readonly retryAfterSeconds?: number | undefined;
  readonly createdId?: string | null;
  readonly cause?: unknown;
}

/**
 * A call that the server refused or could not serve, or that it never answered.
 *
 * Programs go by `code`: those of docs/errors.md, and what only the client can know: `unreachable` (no answer came),
 * `timeout` (none came in time), `invalid_answer` (a success that is not the API's, e.g. a log-in page of a proxy),
 * `token_lost` (see `createdId`), and `unknown` (an error that is not the API's).
 */
export class ApiError extends Error {
  /** The status of the answer; 0 when there was none. */
  readonly status: number;
  readonly code: string;
  /** What support asks for; `null` when no answer of the server came. */
  readonly requestId: string | null;
  /** The wrong fields of a 422. */
  readonly errors: readonly FieldError[];
  /** Seconds until a repeat makes sense, from `Retry-After`; `undefined` when nobody said. */
  readonly retryAfterSeconds: number | undefined;
  /** Requests that this call has sent; each but the last got no answer, or one that passes (429, 503, …). */
  readonly tries: number;
  /** With `token_lost`: the id of what was created, whose token nobody has seen. `null` otherwise. */
  readonly createdId: string | null;

  constructor(fields: ApiErrorFields) {
    super(fields.message, fields.cause === undefined ? {} : { cause: fields.cause });
    this.name = "ApiError";
    this.status = fields.status ?? 0;
    this.code = fields.code;
    this.requestId = fields.requestId ?? null;
    this.errors = fields.errors ?? [];
    this.retryAfterSeconds = fields.retryAfterSeconds;
    this.tries = fields.tries;
    this.createdId = fields.createdId ?? null;
  }
}
