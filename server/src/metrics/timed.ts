import type { Verify } from "@latchkey/sdk/core";

/** One verification in so many is timed: reading the clock twice for each would cost a tenth of a warm one. */
const TIMED_ONE_IN = 64;

/**
 * The same verification, of which some are timed.
 *
 * @param observe Told how long one took, seconds: until the verdict, or until it was clear that there is none.
 */
export function timed(
  verify: Verify,
  monoMs: () => number,
  observe: (seconds: number) => void,
): Verify {
  let untilNext = 1;
  return (credentials, ask, requestId, caller) => {
    untilNext -= 1;
    if (untilNext > 0) return verify(credentials, ask, requestId, caller);
    untilNext = TIMED_ONE_IN;
    const beganMs = monoMs();
    const told = (): void => observe((monoMs() - beganMs) / 1_000);
    const verdict = verify(credentials, ask, requestId, caller);
    if (verdict instanceof Promise) verdict.then(told, told);
    else told();
    return verdict;
  };
}
