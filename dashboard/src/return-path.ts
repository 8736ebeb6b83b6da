import { PUBLIC_PATHS } from "./public-paths.ts";

/** Pages that have nothing for somebody who has just signed in; an invitation waits for them. */
const dead: readonly string[] = PUBLIC_PATHS.filter((path) => path !== "/invitation");

/**
 * Where to go after signing in: only a path of this very site.
 *
 * `//host` and `/\host` are other sites to a browser, and control characters are dropped by its URL parser, so that
 * they could hide one of these; all are refused.
 *
 * @returns The path with its query, or `/` when the wish is not such a path.
 */
export function returnPath(wish: string | undefined): string {
  if (wish === undefined || !/^\/(?![/\\])/.test(wish)) return "/";
  if (wish.includes("\\") || [...wish].some((character) => character <= " ")) return "/";
  const url = new URL(wish, window.location.origin);
  if (url.origin !== window.location.origin || url.pathname.startsWith("//")) return "/";
  return dead.includes(url.pathname) ? "/" : url.pathname + url.search;
}
