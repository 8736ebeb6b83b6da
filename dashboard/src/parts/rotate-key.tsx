import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { usePlace } from "../place.ts";
import { RotateKeyForm } from "./rotate-key-form.tsx";
import { type Rotated, RotatedKey } from "./rotated-key.tsx";
import { useSecretGuard } from "./use-secret-guard.ts";

interface RotateKeyProps {
  apiKey: ApiKeyJson;
  onClose: () => void;
  /** Revokes a key instead: the successor whose token nobody has. */
  onRevoke: (key: ApiKeyJson) => void;
}

/** Replaces a key: first how, then the new token, this once. Lives only while it is open. */
export function RotateKey({ apiKey, onClose, onRevoke }: RotateKeyProps) {
  const { account, environment } = usePlace();
  const queryClient = useQueryClient();
  // One opening is one deed: sending the form again after a lost answer makes no second key.
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [rotated, setRotated] = useState<Rotated | null>(null);
  const [busy, setBusy] = useState(false);
  useSecretGuard(rotated?.type === "secret" && rotated.api_key !== undefined);

  const refresh = (): Promise<void> =>
    queryClient.invalidateQueries({ queryKey: cacheKeys.apiKeys(account.slug, environment.slug) });
  const closable = rotated === null && !busy;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={false}
      closeOnEscape={closable}
      withCloseButton={closable}
      size="lg"
      title={rotated === null ? "Rotate API key" : "API key rotated"}
    >
      {rotated === null ? (
        <RotateKeyForm
          apiKey={apiKey}
          idempotencyKey={idempotencyKey}
          onRotated={setRotated}
          onBusy={setBusy}
          onSettled={refresh}
          onCancel={onClose}
        />
      ) : (
        <RotatedKey rotated={rotated} onDone={onClose} onRevoke={() => onRevoke(rotated)} />
      )}
    </Modal>
  );
}
