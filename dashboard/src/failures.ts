import { ApiError } from "@latchkey/sdk/client";

/** Whether the server definitely said no. Anything else (no answer, 5xx) may or may not have happened. */
export const isRefused = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status >= 400 && error.status < 500;

/** What to tell a person about a failed call. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError))
    return "Something went wrong in this page. Reload it and try again.";
  if (error.code === "unreachable")
    return "The server could not be reached. Check that it runs and that you are online.";
  if (error.status === 429) return `Too many attempts. ${waitFor(error)}`;
  return error.message;
}

function waitFor(error: ApiError): string {
  const seconds = error.retryAfterSeconds;
  if (seconds === undefined) return "Wait a moment and try again.";
  return `Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
}

/** The id that support asks for, or `null` when no answer carried one. */
export const requestIdOf = (error: unknown): string | null =>
  error instanceof ApiError ? error.requestId : null;

/**
 * The messages of a 422 for the fields of a form.
 *
 * @param fields From the server's field name to the form's.
 * @returns Form field → message; empty when none of the form's fields is to blame, so the error is shown as a whole.
 */
export function fieldErrors(
  error: unknown,
  fields: Readonly<Record<string, string>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  if (error instanceof ApiError)
    for (const wrong of error.errors) {
      const field = fields[wrong.field];
      if (field !== undefined) found[field] ??= wrong.message;
    }
  return found;
}
