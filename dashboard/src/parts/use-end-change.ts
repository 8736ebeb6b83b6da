import type { ApiKeyEdit, ApiKeyJson } from "@latchkey/sdk/client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cacheKeys } from "../api.ts";
import { usePlace } from "../place.ts";

/** A change of when a key ends, under way or done. */
export interface EndChange {
  save: (edit: Pick<ApiKeyEdit, "expires_at" | "overlap_seconds">) => void;
  pending: boolean;
  /** `null` unless the last attempt failed. */
  error: unknown;
  /** The key whose end was brought forward; every verifier knows. A later end just closes the dialog. */
  broughtForward: ApiKeyJson | undefined;
}

/** Sets when a key ends. */
export function useEndChange(apiKey: ApiKeyJson, onClose: () => void): EndChange {
  const { account, environment, client } = usePlace();
  const queryClient = useQueryClient();
  const { mutate, isPending, error, data } = useMutation({
    mutationFn: (edit: ApiKeyEdit) => client.apiKeys.update(apiKey.id, edit),
    onSuccess(changed) {
      if (!endsEarlier(changed, apiKey)) onClose();
    },
    // Also after a refusal: somebody else may have ended or rotated it meanwhile.
    onSettled: () =>
      queryClient.invalidateQueries({
        queryKey: cacheKeys.apiKeys(account.slug, environment.slug),
      }),
  });
  const broughtForward = data !== undefined && endsEarlier(data, apiKey) ? data : undefined;
  return { save: (edit) => mutate(edit), pending: isPending, error, broughtForward };
}

const endsEarlier = (changed: ApiKeyJson, before: ApiKeyJson): boolean =>
  changed.expires_at !== null &&
  (before.expires_at === null || Date.parse(changed.expires_at) < Date.parse(before.expires_at));
