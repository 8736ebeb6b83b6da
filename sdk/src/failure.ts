/** Every way the service can fail a caller, and the HTTP status of each. A refused key is not here: that is a verdict. */
export const FAILURE_STATUS = {
  invalid_request: 400,
  authentication_required: 401,
  incorrect_token_type: 401,
  invalid_token: 401,
  invalid_credentials: 401,
  access_denied: 403,
  two_factor_required: 403,
  resource_missing: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_params: 422,
  idempotency_mismatch: 422,
  upgrade_required: 426,
  rate_limited: 429,
  header_too_large: 431,
  internal_error: 500,
  verification_unavailable: 503,
  service_unavailable: 503,
} as const;

export type FailureCode = keyof typeof FAILURE_STATUS;

/** Which field of a request was wrong, and why; `field` is a dotted path. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/**
 * Something the service could not do. `detail` may be shown to the caller; `message` and `cause` are for the log.
 * Codes and statuses are those of docs/errors.md.
 */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  /** Seconds until a retry makes sense; absent when none is promised. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: FailureCode,
    detail: string,
    options: { cause?: unknown; errors?: readonly FieldError[]; retryAfterSeconds?: number } = {},
  ) {
    super(`${code}: ${detail}`, "cause" in options ? { cause: options.cause } : {});
    this.name = "Failure";
    this.code = code;
    this.detail = detail;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
