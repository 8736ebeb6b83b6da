import { Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ComponentType, useState } from "react";
import type { Token } from "../tokens.ts";
import { NewToken } from "./new-token.tsx";
import type { TokenFormProps } from "./token-form.tsx";
import { useSecretGuard } from "./use-secret-guard.ts";
import type { TokenCalls } from "./use-token-calls.ts";

interface CreateTokenProps {
  form: ComponentType<TokenFormProps>;
  calls: TokenCalls;
  onClose: () => void;
}

/** Creates a token: first the form, then the token, this once. Lives only while it is open. */
export function CreateToken({ form: Form, calls, onClose }: CreateTokenProps) {
  const queryClient = useQueryClient();
  // One opening is one deed: sending the form again after a lost answer makes no second token.
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [created, setCreated] = useState<Token | null>(null);
  const [busy, setBusy] = useState(false);
  useSecretGuard(created?.token !== undefined);

  const showCreated = (token: Token): void => {
    setCreated(token);
    void queryClient.invalidateQueries({ queryKey: calls.stale });
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
        <Form
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
