import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { TokenField } from "./token-field.tsx";

interface IssuedKeyProps {
  apiKey: ApiKeyJson;
  onDone: () => void;
  /** What else has come of it. */
  children?: ReactNode;
}

/** The token of a new key, to be copied now. */
export function IssuedKey({ apiKey, onDone, children }: IssuedKeyProps) {
  return (
    <Stack>
      {apiKey.api_key === undefined ? (
        <LostToken hint={apiKey.hint} />
      ) : (
        <>
          <TokenField label="Token" token={apiKey.api_key} focused />
          {apiKey.type === "secret" ? (
            <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />}>
              <Text fz="sm">
                You will not see it again. Copy it now and keep it where your secrets are; only its
                digest is stored.
              </Text>
            </Alert>
          ) : (
            <Text fz="sm" c="dimmed">
              A public key may be seen by anybody. You can copy it again from the list.
            </Text>
          )}
        </>
      )}
      {children}
      <Group justify="flex-end">
        <Button onClick={onDone}>Done</Button>
      </Group>
    </Stack>
  );
}

/** The first answer got lost on the way, and the second one carries no token any more. */
function LostToken({ hint }: { hint: string }) {
  return (
    <Alert color="red" variant="light" title="The token was lost on its way">
      <Text fz="sm">
        The key {hint} was created at the first attempt, but its answer never arrived here, and a
        token is given out only once. Revoke this key and create another one.
      </Text>
    </Alert>
  );
}
