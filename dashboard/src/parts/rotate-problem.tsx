import { ApiError } from "@latchkey/sdk/client";
import { isRefused } from "../failures.ts";
import { Problem } from "./problem.tsx";

/** Whether the key had been rotated, revoked or had ended when one asked. */
export const isConflict = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 409;

/** What a rotation that failed means for the key. */
export function RotateProblem({ error }: { error: unknown }) {
  if (isConflict(error))
    return (
      <Problem
        title="Somebody else was faster"
        error={error}
        message={`${error instanceof ApiError ? error.message : ""} Nothing was changed by you; the list shows what the key is now.`}
      />
    );
  if (error instanceof ApiError && error.code === "idempotency_mismatch")
    return (
      <Problem
        title="No token was shown"
        error={error}
        message="An earlier attempt with other values went through. Close this dialog and look at the key in the list."
      />
    );
  if (isRefused(error)) return <Problem title="The key was not rotated" error={error} />;
  return (
    <Problem
      title="The key may or may not be rotated"
      error={error}
      message="The server did not confirm it. Trying again is safe: a key is rotated only once."
    />
  );
}
