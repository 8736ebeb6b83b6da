import type { ReceiptJson } from "@latchkey/sdk/client";
import { cacheKeys, visitor } from "../api.ts";
import { usePlace } from "../place.ts";
import type { Token } from "../tokens.ts";

/** What can be done to a token of a list, and what of the cache is old then. */
export interface TokenCalls {
  all(): AsyncIterable<{ id: string }>;
  delete(id: string): Promise<ReceiptJson>;
  stale: readonly string[];
}

/** The calls for tokens of this kind: the account's own, or the operator's. */
export function useTokenCalls(kind: Token["kind"]): TokenCalls {
  const { account, client } = usePlace();
  return kind === "service"
    ? // With a service token the API keys go that it was exchanged for.
      { ...client.serviceTokens, stale: cacheKeys.everythingOf(account.slug) }
    : { ...visitor.tokens, stale: cacheKeys.tokens };
}
