import { FAILURE_STATUS, type Failure } from "../failure.ts";
import { newRequestId } from "../request-id.ts";
import type { Refused } from "../verdict.ts";

/** A whole HTTP response, for every framework to send. */
export interface Answer {
  readonly status: number;
  /** All that the response needs, `Content-Type` among them; no `Content-Length`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Flat JSON as in docs/errors.md. */
  readonly body: string;
}

/** Seconds after which an outage is worth another try when nobody knows better. */
const OUTAGE_RETRY_SECONDS = 1;

/** The answer to a key that may not pass, as the server gives it. */
export function answerToRefusal({ refusal }: Refused): Answer {
  const challenge = refusal.status === 401 ? { "WWW-Authenticate": "Bearer" } : {}; // RFC 6750, section 3
  return answer(refusal, challenge);
}

/** The answer to a request that cannot be decided, or not be read. */
export function answerToFailure(failure: Failure): Answer {
  const status = FAILURE_STATUS[failure.code];
  const body = {
    code: failure.code,
    message: failure.detail,
    status,
    type: status >= 500 ? "api_error" : "invalid_request_error",
    request_id: newRequestId(),
  };
  const retryAfterSeconds = failure.retryAfterSeconds ?? OUTAGE_RETRY_SECONDS;
  return answer(body, status === 503 ? { "Retry-After": String(retryAfterSeconds) } : {});
}

function answer(
  body: { readonly status: number; readonly request_id: string },
  headers: Answer["headers"],
): Answer {
  return {
    status: body.status,
    headers: {
      ...headers,
      "X-Request-Id": body.request_id,
      "Cache-Control": "no-store",
      "Content-Type": "application/json",
    },
    body: JSON.stringify(body),
  };
}
