import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Rotation } from "../key-pairs.ts";
import { usePlace } from "../place.ts";
import { type Split, splitsOf } from "../traffic-split.ts";
import { splitsQuery } from "../usage-api.ts";

/** The traffic of each of these rotations by the id of its old key, read together; of none as long as it is not known. */
export function useSplits(rotations: readonly Rotation[]): (oldId: string) => Split | undefined {
  const { account, environment } = usePlace();
  const { data } = useQuery(splitsQuery(account.slug, environment.slug, rotations));
  return useMemo(() => {
    const splits = data === undefined ? undefined : splitsOf(data, rotations);
    return (oldId) => splits?.get(oldId);
  }, [data, rotations]);
}
