import {
  FAILURE_STATUS,
  Failure,
  type FailureCode,
  type FieldError,
  type Refused,
} from "@latchkey/sdk/core";
import { StoreError } from "../store/store.ts";

/** What a caller may do about an error, in four words for programs. */
export type ProblemType =
  | "authentication_error"
  | "invalid_request_error"
  | "api_error"
  | "rate_limit_error";

/** The flat JSON body of every error; `errors` is there for wrong parameters. */
interface ProblemJson {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly type: ProblemType;
  readonly request_id: string;
  readonly errors?: readonly FieldError[];
}

/** An error as HTTP, whatever serves it. `headers` has what the status calls for, not `Content-Type`. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ProblemJson;
}

/** Seconds after which an outage is worth another try when nobody knows better. */
const OUTAGE_RETRY_SECONDS = 1;

/**
 * Turns anything thrown into what the caller is told. Only a {@link Failure} and a store that does not answer say more
 * than `internal_error`: what an unknown error holds is for the log.
 */
export function problemOf(error: unknown, requestId: string): Problem {
  const failure = failureOf(error);
  const status = FAILURE_STATUS[failure.code];
  const headers: Record<string, string> = {};
  if (status === 401) headers["WWW-Authenticate"] = "Bearer"; // RFC 6750, section 3
  if (status === 426) headers.Upgrade = "websocket"; // RFC 9110, section 15.5.22
  const retryAfterSeconds =
    failure.retryAfterSeconds ?? (status === 503 ? OUTAGE_RETRY_SECONDS : undefined);
  if (retryAfterSeconds !== undefined) headers["Retry-After"] = String(retryAfterSeconds);
  const body: ProblemJson = {
    code: failure.code,
    message: failure.detail,
    status,
    type: problemType(failure.code),
    request_id: requestId,
  };
  return {
    status,
    headers,
    body: failure.errors.length === 0 ? body : { ...body, errors: failure.errors },
  };
}

/** A refused API key as HTTP; its body is what the verifier says everywhere else. */
export function problemOfRefusal({ refusal }: Refused): Problem {
  const headers = refusal.status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
  return { status: refusal.status, headers, body: refusal };
}

/** The response to an error. `X-Request-Id` is put on every response elsewhere; here for those who go around that. */
export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  return Response.json(problem.body, {
    status: problem.status,
    headers: { ...problem.headers, ...headers, "X-Request-Id": problem.body.request_id },
  });
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof StoreError && error.unavailable) return NO_STORE;
  return UNKNOWN;
}

/** The `type` of an error body, by its code. */
export function problemType(code: FailureCode): ProblemType {
  const status = FAILURE_STATUS[code];
  if (status >= 500) return "api_error";
  if (status === 429) return "rate_limit_error";
  return status === 401 || status === 403 ? "authentication_error" : "invalid_request_error";
}

const UNKNOWN = new Failure("internal_error", "Something went wrong on our side.");

const NO_STORE = new Failure(
  "service_unavailable",
  "The database does not answer. What was asked may or may not have been done: repeat the call.",
);
