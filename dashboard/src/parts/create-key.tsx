import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { usePlace } from "../place.ts";
import { CreateKeyForm } from "./create-key-form.tsx";
import { IssuedKey } from "./issued-key.tsx";
import { useSecretGuard } from "./use-secret-guard.ts";

/** Issues a key: first the form, then its token, this once. Lives only while it is open. */
export function CreateKey({ onClose }: { onClose: () => void }) {
  const { account, environment } = usePlace();
  const queryClient = useQueryClient();
  // One opening is one deed: sending the form again after a lost answer makes no second key.
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [issued, setIssued] = useState<ApiKeyJson | null>(null);
  const [busy, setBusy] = useState(false);
  useSecretGuard(issued?.type === "secret" && issued.api_key !== undefined);

  const showIssued = (key: ApiKeyJson): void => {
    setIssued(key);
    void queryClient.invalidateQueries({
      queryKey: cacheKeys.apiKeys(account.slug, environment.slug),
    });
  };
  const closable = issued === null && !busy;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={false}
      closeOnEscape={closable}
      withCloseButton={closable}
      size="lg"
      title={issued === null ? `Create API key for ${environment.name}` : "API key created"}
    >
      {issued === null ? (
        <CreateKeyForm
          idempotencyKey={idempotencyKey}
          onIssued={showIssued}
          onBusy={setBusy}
          onCancel={onClose}
        />
      ) : (
        <IssuedKey apiKey={issued} onDone={onClose} />
      )}
    </Modal>
  );
}
