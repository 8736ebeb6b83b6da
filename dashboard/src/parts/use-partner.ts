import type { ApiKeyJson } from "@latchkey/sdk/client";
import { useQuery } from "@tanstack/react-query";
import { apiKeyQuery } from "../api.ts";
import { usePlace } from "../place.ts";

/** The key that another one succeeds or is succeeded by; `undefined` while it is not known, and where there is none. */
export function usePartner(id: string | null): ApiKeyJson | undefined {
  const { account, environment } = usePlace();
  return useQuery({
    ...apiKeyQuery(account.slug, environment.slug, id ?? ""),
    refetchInterval: 10_000,
    enabled: id !== null,
  }).data;
}
