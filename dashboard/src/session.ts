import { ApiError } from "@latchkey/sdk/client";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { cacheKeys } from "./api.ts";
import { PUBLIC_PATHS } from "./public-paths.ts";

let secretsOnScreen = 0;

/** Says that a token is on the screen that nobody can read again; call the answer when it is gone. */
export function holdSecret(): () => void {
  secretsOnScreen += 1;
  return () => {
    secretsOnScreen -= 1;
  };
}

/**
 * Makes the page's cache of answers.
 *
 * @param onSignedOut Called when the session has ended, unless the page can do without one or shows a token that
 *   leaving would lose.
 */
export function makeQueryClient(onSignedOut: () => void): QueryClient {
  const watch = (error: unknown): void => {
    if (!(error instanceof ApiError)) return;
    if (error.status === 403 || error.status === 404) askAgainWhoIsHere(queryClient);
    // A wrong password or code is told where it was given, and ends nothing.
    if (error.status !== 401 || error.code === "invalid_credentials") return;
    if (PUBLIC_PATHS.includes(window.location.pathname) || secretsOnScreen > 0) return;
    onSignedOut();
  };
  const queryClient = new QueryClient({
    queryCache: new QueryCache({ onError: watch }),
    mutationCache: new MutationCache({ onError: watch }),
    defaultOptions: {
      // "always": the server may well run on this very machine while the network is down.
      queries: { networkMode: "always", retry, staleTime: 2_000, refetchOnWindowFocus: true },
      // Nothing that a deed answered outlives the screen that asked for it.
      mutations: { networkMode: "always", retry: false, gcTime: 0 },
    },
  });
  return queryClient;
}

/** An account that refuses somebody may have changed what they are in it: the shell then says so, and not each part. */
function askAgainWhoIsHere(queryClient: QueryClient): void {
  if (queryClient.getQueryData(cacheKeys.me) === undefined) return;
  // Several are refused at once: the first asks for all.
  void queryClient.invalidateQueries({ queryKey: cacheKeys.me }, { cancelRefetch: false });
}

/** Only what a second try can mend is tried again. */
function retry(count: number, error: unknown): boolean {
  const passing = !(error instanceof ApiError) || error.status === 0 || error.status >= 500;
  return passing && count < 2;
}
