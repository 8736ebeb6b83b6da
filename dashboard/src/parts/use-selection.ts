import type { ApiKeyJson } from "@latchkey/sdk/client";
import { useState } from "react";
import type { Selection } from "./records.tsx";

/**
 * The keys of a page that are ticked. Only what is on the page counts: nobody revokes what they do not see, so a key
 * that a filter, a turned page or a colleague took away is not among the chosen.
 */
export function useSelection(keys: readonly ApiKeyJson[]): {
  selection: Selection<ApiKeyJson>;
  chosen: readonly ApiKeyJson[];
} {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const allows = (key: ApiKeyJson): boolean => key.revoked_at === null;
  const chosen = keys.filter((key) => ids.has(key.id) && allows(key));
  return {
    selection: {
      ids: new Set(chosen.map(({ id }) => id)),
      allows,
      nameOf: ({ hint }) => hint,
      onChange: setIds,
    },
    chosen,
  };
}
