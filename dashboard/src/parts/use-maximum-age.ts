import { useQuery } from "@tanstack/react-query";
import { ownAccountQuery } from "../api.ts";
import { usePlace } from "../place.ts";

/** The most days that a key of the account lives; `null` for no maximum, and while it is not known: the server decides. */
export function useMaximumAge(): number | null {
  const { account } = usePlace();
  return useQuery(ownAccountQuery(account.slug)).data?.api_key_max_age_days ?? null;
}
