import { ApiError } from "@latchkey/sdk/client";
import { useEffect, useState } from "react";
import { Problem } from "./problem.tsx";

interface SignInProblemProps {
  error: unknown;
  title: string;
  /** What to say when what was given is wrong. */
  wrong: string;
}

/** A failed attempt to prove who one is: wrong, too often, or nobody answered. */
export function SignInProblem({ error, title, wrong }: SignInProblemProps) {
  const status = error instanceof ApiError ? error.status : undefined;
  const wait = useSecondsLeft(
    status === 429 && error instanceof ApiError ? (error.retryAfterSeconds ?? 0) : 0,
  );
  if (status === 429)
    return (
      <Problem
        title="Too many attempts"
        error={error}
        // Not read out again each second.
        message={<span aria-live="off">{waitText(wait)}</span>}
      />
    );
  if (status === 0) return <Problem title="The server could not be reached" error={error} />;
  if (status === 400 || status === 401 || status === 422)
    return <Problem title={title} error={error} message={wrong} />;
  return <Problem title={title} error={error} />;
}

function waitText(seconds: number): string {
  if (seconds === 0) return "You can try again now.";
  return `Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
}

/** Counts down to zero, once a second. */
function useSecondsLeft(seconds: number): number {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    const timer = window.setInterval(() => setLeft((now) => Math.max(0, now - 1)), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  return left;
}
