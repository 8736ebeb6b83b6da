import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { Token } from "../tokens.ts";
import { verifierProgram } from "../verifier-program.ts";
import { Snippet } from "./snippet.tsx";
import { TokenField } from "./token-field.tsx";

const labels = {
  verifier: "Verifier token",
  operator: "Operator token",
  service: "Service token",
} as const;

const places = {
  verifier: "LATCHKEY_VERIFIER_TOKEN, where your app runs",
  operator: "LATCHKEY_OPERATOR_TOKEN, for your backend and the command line",
  service: "LATCHKEY_SERVICE_TOKEN, where your program runs",
} as const;

/** A token that was just created, to be copied now, and what to do with it. */
export function NewToken({ created, onDone }: { created: Token; onDone: () => void }) {
  const { kind, token, name } = created;
  return (
    <Stack>
      {token === undefined ? (
        <LostToken name={name} />
      ) : (
        <>
          <TokenField
            label={labels[kind]}
            token={token}
            focused
            hint={`Set it as ${places[kind]}.`}
          />
          <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />}>
            <Text fz="sm">
              You will not see it again. Copy it now and keep it where your secrets are; only its
              digest is stored.
            </Text>
          </Alert>
          {kind === "verifier" ? <Snippet title="Program" code={verifierProgram()} /> : null}
          {kind === "service" ? <Snippet title="Command" code={whoamiCommand()} /> : null}
        </>
      )}
      <Group justify="flex-end">
        <Button onClick={onDone}>Done</Button>
      </Group>
    </Stack>
  );
}

/**
 * What tells whether the token works. It is not in it, for the line may end up in a history; nor does the shell make it
 * an argument of curl, which everybody on the machine may read: `printf` is the shell's own, and -H @- reads it.
 */
const whoamiCommand = (): string =>
  `printf 'Authorization: Bearer %s' "$LATCHKEY_SERVICE_TOKEN" |
  curl -s -H @- ${window.location.origin}/v1/whoami`;

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
