let held = "";

/**
 * The secret of the set-up link, taken from the address bar into memory on first sight.
 *
 * The fragment never reaches a server's log, and after this call it is in no history entry either.
 *
 * @returns The secret, or the empty string when the page was opened without one.
 */
export function takeSetUpSecret(): string {
  if (window.location.pathname === "/setup" && window.location.hash.length > 1) {
    held = window.location.hash.slice(1);
    window.history.replaceState(window.history.state, "", "/setup");
  }
  return held;
}

/** Forgets the secret once it is spent. */
export function dropSetUpSecret(): void {
  held = "";
}
