import type { TokenJson } from "@latchkey/sdk/client";
import { Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { CreateTokenForm } from "./create-token-form.tsx";
import { NewToken } from "./new-token.tsx";
import { useSecretGuard } from "./use-secret-guard.ts";

/** Creates a token: first the form, then the token, this once. Lives only while it is open. */
export function CreateToken({ onClose }: { onClose: () => void }) {
  const queryClient = useQueryClient();
  // One opening is one deed: sending the form again after a lost answer makes no second token.
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [created, setCreated] = useState<TokenJson | null>(null);
  const [busy, setBusy] = useState(false);
  useSecretGuard(created?.token !== undefined);

  const showCreated = (token: TokenJson): void => {
    setCreated(token);
    void queryClient.invalidateQueries({ queryKey: cacheKeys.tokens });
  };
  const closable = created === null && !busy;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={false}
      closeOnEscape={closable}
      withCloseButton={closable}
      size="lg"
      title={created === null ? "Create token" : "Token created"}
    >
      {created === null ? (
        <CreateTokenForm
          idempotencyKey={idempotencyKey}
          onCreated={showCreated}
          onBusy={setBusy}
          onCancel={onClose}
        />
      ) : (
        <NewToken created={created} onDone={onClose} />
      )}
    </Modal>
  );
}
