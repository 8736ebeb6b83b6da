import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { usePlace } from "../place.ts";
import { sparklinesQuery } from "../usage-api.ts";
import { hoursByKey, type Total } from "../usage-series.ts";

/** The last 24 hours of each of these keys, read together; `undefined` as long as they are not known. */
export function useHours(ids: readonly string[]): ((id: string) => readonly Total[]) | undefined {
  const { account, environment } = usePlace();
  const { data } = useQuery(sparklinesQuery(account.slug, environment.slug, ids));
  return useMemo(() => (data === undefined ? undefined : hoursByKey(data)), [data]);
}
