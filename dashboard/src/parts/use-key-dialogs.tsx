import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { ReactNode } from "react";
import { EditDescription } from "./edit-description.tsx";
import type { KeyDeeds } from "./key-menu.tsx";
import { RevokeKey } from "./revoke-key.tsx";
import { useDialog } from "./use-dialog.ts";

/** What a key's menu can do, and the dialogs it does it in, for the page to hold. */
export function useKeyDialogs(): { deeds: KeyDeeds; dialogs: ReactNode } {
  const editing = useDialog<ApiKeyJson>();
  const revoking = useDialog<ApiKeyJson>();
  return {
    deeds: { onEdit: editing.open, onRevoke: revoking.open },
    dialogs: (
      <>
        {editing.target === null ? null : (
          <EditDescription apiKey={editing.target} onClose={editing.close} />
        )}
        {revoking.target === null ? null : (
          <RevokeKey apiKey={revoking.target} onClose={revoking.close} />
        )}
      </>
    ),
  };
}
