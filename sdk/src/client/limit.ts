import { ApiError } from "./api-error.ts";

/** Time and chance as the client sees them. */
export interface ClientAmbient {
  /** Unix time in milliseconds. */
  nowMs(): number;
  /** Milliseconds since some moment, on a clock that is never set. */
  monoMs(): number;
  /** From 0 to below 1. */
  random(): number;
  /** An id that nobody else makes. */
  randomId(): string;
  /** Runs `task` once, after `ms`; call the answer to cancel it. */
  after(ms: number, task: () => void): () => void;
}

/** The longest that timers take; more overflows and fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** How long a call may go on, all its tries and pauses together. */
export interface Limit {
  /** Aborted when the call is over, for either reason. */
  readonly signal: AbortSignal;
  leftMs(): number;
  /** @throws the reason of the caller's signal, or ApiError `timeout` caused by `last`, once the call is over. */
  check(last: ApiError): void;
  /** Waits. @throws as `check` does. */
  pause(ms: number, last: ApiError): Promise<void>;
  /** Ends it, with its timer. */
  close(): void;
}

/**
 * Starts the time of a call: it ends after `timeoutMs`, or when the caller's own signal says so.
 *
 * @throws RangeError unless `timeoutMs` is more than 0.
 */
export function openLimit(
  { monoMs, after }: Pick<ClientAmbient, "monoMs" | "after">,
  timeoutMs: number,
  outer: AbortSignal | undefined,
): Limit {
  if (!(timeoutMs > 0)) throw new RangeError("timeoutMs has to be more than 0.");
  const endsAtMs = monoMs() + timeoutMs;
  const controller = new AbortController();
  const { signal } = controller;
  const abort = (): void => controller.abort();
  const cancelTimer = after(Math.min(timeoutMs, TIMER_MS_MAX), abort);
  outer?.addEventListener("abort", abort);

  function check(last: ApiError): void {
    outer?.throwIfAborted();
    if (!signal.aborted) return;
    const message = `No answer that would do came within ${timeoutMs} ms.`;
    throw new ApiError({ code: "timeout", message, tries: last.tries, cause: last });
  }

  return {
    signal,
    leftMs: () => endsAtMs - monoMs(),
    check,
    async pause(ms, last) {
      await new Promise<void>((resolve) => {
        const cancel = after(ms, resolve);
        signal.addEventListener("abort", () => {
          cancel();
          resolve();
        });
      });
      check(last);
    },
    close() {
      cancelTimer();
      outer?.removeEventListener("abort", abort);
    },
  };
}
