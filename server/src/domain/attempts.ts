import { Failure } from "@latchkey/sdk/core";

/** How many attempts one key has in one window. */
export interface AttemptRule {
  readonly max: number;
  readonly windowMs: number;
}

/** Counts attempts by key, so that guessing stays slow; see {@link attemptCounter}. */
export interface Attempts {
  /**
   * Takes one attempt, or none when all are used. The count is taken before the attempt is made, so that many at once
   * get no more than one after the other.
   *
   * @returns 0 when it was taken, else the milliseconds until there is a new one.
   */
  take(key: string, rule: AttemptRule, nowMs: number): number;
  /** Undoes one {@link Attempts.take}: the attempt was not made after all. */
  giveBack(key: string): void;
  /** Starts anew: the right password came. */
  forget(key: string): void;
}

interface Count {
  taken: number;
  endsAtMs: number;
}

/**
 * Makes a counter with windows that begin at a key's first attempt.
 *
 * @param keysMax Keys remembered. Past it the oldest is forgotten: whoever wants to wash a count out that way has to
 *   make this many attempts for every few that he gains.
 */
export function attemptCounter(keysMax: number): Attempts {
  const counts = new Map<string, Count>();

  return {
    take(key, rule, nowMs) {
      const known = counts.get(key);
      if (known !== undefined && known.endsAtMs > nowMs) {
        if (known.taken >= rule.max) return known.endsAtMs - nowMs;
        known.taken += 1;
        return 0;
      }
      counts.delete(key);
      const oldest = counts.size < keysMax ? undefined : counts.keys().next().value;
      if (oldest !== undefined) counts.delete(oldest);
      counts.set(key, { taken: 1, endsAtMs: nowMs + rule.windowMs });
      return 0;
    },
    giveBack(key) {
      const known = counts.get(key);
      if (known !== undefined && known.taken > 0) known.taken -= 1;
    },
    forget: (key) => {
      counts.delete(key);
    },
  };
}

/**
 * Takes one attempt.
 *
 * @param message What somebody is told who has none left.
 * @throws Failure `rate_limited`, with the seconds until there is a new one.
 */
export function spendAttempt(
  attempts: Attempts,
  key: string,
  rule: AttemptRule,
  nowMs: number,
  message: string,
): void {
  const waitMs = attempts.take(key, rule, nowMs);
  if (waitMs > 0)
    throw new Failure("rate_limited", message, { retryAfterSeconds: Math.ceil(waitMs / 1000) });
}
