import type { EnvironmentJson } from "@latchkey/sdk/client";
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { usePlace } from "../place.ts";
import { AddEnvironmentForm } from "./add-environment-form.tsx";
import { TokenField } from "./token-field.tsx";
import { useSecretGuard } from "./use-secret-guard.ts";

/** Adds an environment, and shows its two first tokens once. Lives only while it is open. */
export function AddEnvironment({ onClose }: { onClose: () => void }) {
  const { account } = usePlace();
  const queryClient = useQueryClient();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [added, setAdded] = useState<EnvironmentJson | null>(null);
  const [busy, setBusy] = useState(false);
  useSecretGuard(added?.secret_key !== undefined);

  const showAdded = (environment: EnvironmentJson): void => {
    setAdded(environment);
    void queryClient.invalidateQueries({ queryKey: cacheKeys.environments(account.slug) });
  };
  const closable = added === null && !busy;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={false}
      closeOnEscape={closable}
      withCloseButton={closable}
      size="lg"
      title={added === null ? "Add environment" : `${added.name} is ready`}
    >
      {added === null ? (
        <AddEnvironmentForm
          idempotencyKey={idempotencyKey}
          onAdded={showAdded}
          onBusy={setBusy}
          onCancel={onClose}
        />
      ) : (
        <FirstTokens environment={added} onDone={onClose} />
      )}
    </Modal>
  );
}

function FirstTokens({
  environment,
  onDone,
}: {
  environment: EnvironmentJson;
  onDone: () => void;
}) {
  return (
    <Stack>
      {environment.secret_key === undefined ? (
        <Alert color="red" variant="light" title="The tokens were lost on their way">
          <Text fz="sm">
            The environment was added at the first attempt, but its answer never arrived here, and
            tokens are given out only once. Create new keys for it.
          </Text>
        </Alert>
      ) : (
        <>
          <TokenField label="Secret key" token={environment.secret_key} focused />
          {environment.public_key === undefined ? null : (
            <TokenField label="Public key" token={environment.public_key} />
          )}
          <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />}>
            <Text fz="sm">
              You will not see the secret key again. Copy it now; only its digest is stored.
            </Text>
          </Alert>
        </>
      )}
      <Group justify="flex-end">
        <Button onClick={onDone}>Done</Button>
      </Group>
    </Stack>
  );
}
