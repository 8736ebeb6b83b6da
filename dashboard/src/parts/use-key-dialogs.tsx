import type { ApiKeyJson } from "@latchkey/sdk/client";
import type { ReactNode } from "react";
import { ChangeExpiry } from "./change-expiry.tsx";
import { ChangeOverlap } from "./change-overlap.tsx";
import { EditDescription } from "./edit-description.tsx";
import type { BeginDeed, KeyDeed } from "./key-menu.tsx";
import { RevokeKey } from "./revoke-key.tsx";
import { RotateKey } from "./rotate-key.tsx";
import { useDialog } from "./use-dialog.ts";

/** What a key's menu can do, and the dialogs it does it in, one at a time, for the page to hold. */
export function useKeyDialogs(): { begin: BeginDeed; dialogs: ReactNode } {
  const { target, open, close } = useDialog<{ deed: KeyDeed; key: ApiKeyJson }>();
  const begin: BeginDeed = (deed, key, returnTo) => open({ deed, key }, returnTo);
  if (target === null) return { begin, dialogs: null };
  const { deed, key } = target;
  /** Another dialog takes the place of this one. */
  const turnTo = (next: KeyDeed, of: ApiKeyJson = key): void => open({ deed: next, key: of });
  const dialogs = {
    edit: () => <EditDescription apiKey={key} onClose={close} />,
    expiry: () => <ChangeExpiry apiKey={key} onClose={close} onOverlap={() => turnTo("overlap")} />,
    rotate: () => (
      <RotateKey apiKey={key} onClose={close} onRevoke={(of) => turnTo("revoke", of)} />
    ),
    overlap: () => <ChangeOverlap apiKey={key} onClose={close} onFinish={() => turnTo("revoke")} />,
    revoke: () => <RevokeKey apiKey={key} onClose={close} onRotate={() => turnTo("rotate")} />,
  } satisfies Record<KeyDeed, () => ReactNode>;
  return { begin, dialogs: dialogs[deed]() };
}
