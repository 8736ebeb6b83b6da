/**
 * Calls an application's callback when the work at hand is done. What it throws, or rejects with, becomes a warning of
 * the process: that a key was revoked, by whomever, must end nothing but that key's connections.
 */
export function callBack(callback: () => unknown): void {
  Promise.resolve()
    .then(callback)
    .catch((error: unknown) => {
      const detail = error instanceof Error ? error.stack : undefined;
      process.emitWarning(`A callback given to a Latchkey verifier failed: ${error}`, {
        type: "LatchkeyWarning",
        ...(detail === undefined ? {} : { detail }),
      });
    });
}
