import { useEffect, useState } from "react";
import { LINK_PATHS } from "./public-paths.ts";

/** The path of a page that such a link leads to. */
export type LinkPath = (typeof LINK_PATHS)[number];

const held = new Map<LinkPath, string>();

/**
 * Takes the secret of a link from the address bar into memory, on first sight.
 *
 * The fragment never reaches a server's log, and after this call it is in no history entry either. It stays in memory
 * for as long as the tab does: somebody who is invited may have to sign in first.
 */
export function takeLinkSecret(): void {
  const path = LINK_PATHS.find((one) => one === window.location.pathname);
  if (path === undefined || window.location.hash.length <= 1) return;
  held.set(path, window.location.hash.slice(1));
  window.history.replaceState(window.history.state, "", path);
}

/** Forgets a secret once it is spent. */
export function dropLinkSecret(path: LinkPath): void {
  held.delete(path);
}

/**
 * The secret that this page was opened with.
 *
 * @returns The secret, or the empty string when the page was opened without one.
 */
export function useLinkSecret(path: LinkPath): string {
  const [secret, setSecret] = useState(() => held.get(path) ?? "");
  useEffect(() => {
    // A link pasted into a tab that is already here changes only the fragment: no load, but this event.
    const take = (): void => {
      takeLinkSecret();
      setSecret(held.get(path) ?? "");
    };
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, [path]);
  return secret;
}
