import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { isRefused } from "../failures.ts";
import { formatMoment } from "../times.ts";
import { Barrier } from "./barrier.tsx";
import { FocusedButton } from "./focused-button.tsx";
import { KeySubject } from "./key-subject.tsx";
import { Problem } from "./problem.tsx";
import type { EndChange } from "./use-end-change.ts";

interface EndDialogProps {
  title: string;
  apiKey: ApiKeyJson;
  change: EndChange;
  onSave: () => void;
  onClose: () => void;
  /** Whether the failed attempt is told at a field of the form. */
  toldAtField: boolean;
  /** The form's fields. */
  children: ReactNode;
}

/** A dialog that changes when a key ends: its fields, the wait where the end comes earlier, and what is so now. */
export function EndDialog(props: EndDialogProps) {
  const { title, apiKey, change, onSave, onClose, toldAtField, children } = props;
  const { pending, error, broughtForward } = change;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={!pending}
      closeOnEscape={!pending}
      title={title}
    >
      <form
        noValidate
        aria-label={title}
        onSubmit={(event) => {
          event.preventDefault();
          if (!pending) onSave();
        }}
      >
        <Stack>
          <KeySubject apiKey={apiKey} />
          {broughtForward === undefined ? children : <NewEnd apiKey={broughtForward} />}
          {pending ? <Barrier /> : null}
          {error === null || toldAtField ? null : <EndProblem error={error} />}
          <Group justify="flex-end">
            {broughtForward === undefined ? (
              <>
                <Button variant="default" onClick={onClose}>
                  {pending ? "Close" : "Cancel"}
                </Button>
                <Button type="submit" loading={pending}>
                  Save
                </Button>
              </>
            ) : (
              <FocusedButton onClick={onClose}>Done</FocusedButton>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** An earlier end, once every verifier has confirmed that it knows. */
function NewEnd({ apiKey: { expires_at } }: { apiKey: ApiKeyJson }) {
  if (expires_at === null) return null;
  return (
    <Alert
      role="status"
      color="green"
      variant="light"
      icon={<IconCircleCheck aria-hidden />}
      title={`Ends on ${formatMoment(expires_at)}`}
    >
      <Text fz="sm">
        Every verifier has confirmed it: from that moment on no server accepts the key.
      </Text>
    </Alert>
  );
}

function EndProblem({ error }: { error: unknown }) {
  if (isRefused(error)) return <Problem title="The end of the key was not changed" error={error} />;
  return (
    <Problem
      title="The end of the key may or may not be changed"
      error={error}
      message="The server did not confirm it. Until it does, count on the key working as long as before. Trying again is safe."
    />
  );
}
