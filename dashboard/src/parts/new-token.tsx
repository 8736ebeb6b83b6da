import type { TokenJson } from "@latchkey/sdk/client";
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { verifierProgram } from "../verifier-program.ts";
import { Snippet } from "./snippet.tsx";
import { TokenField } from "./token-field.tsx";

/** A token that was just created, to be copied now, and what to do with it. */
export function NewToken({ created, onDone }: { created: TokenJson; onDone: () => void }) {
  const { kind, token, name } = created;
  return (
    <Stack>
      {token === undefined ? (
        <LostToken name={name} />
      ) : (
        <>
          <TokenField
            label={kind === "verifier" ? "Verifier token" : "Operator token"}
            token={token}
            focused
            hint={`Set it as ${kind === "verifier" ? "LATCHKEY_VERIFIER_TOKEN, where your app runs" : "LATCHKEY_OPERATOR_TOKEN, for your backend and the command line"}.`}
          />
          <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />}>
            <Text fz="sm">
              You will not see it again. Copy it now and keep it where your secrets are; only its
              digest is stored.
            </Text>
          </Alert>
          {kind === "verifier" ? <Snippet title="Program" code={verifierProgram()} /> : null}
        </>
      )}
      <Group justify="flex-end">
        <Button onClick={onDone}>Done</Button>
      </Group>
    </Stack>
  );
}

/** The first answer got lost on the way, and the second one carries no token any more. */
function LostToken({ name }: { name: string }) {
  return (
    <Alert color="red" variant="light" title="The token was lost on its way">
      <Text fz="sm">
        {name} was created at the first attempt, but its answer never arrived here, and a token is
        given out only once. Delete it and create another one.
      </Text>
    </Alert>
  );
}
