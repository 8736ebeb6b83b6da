import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Alert, Button, Group, Modal, Progress, Stack, Text, TextInput } from "@mantine/core";
import { IconActivity } from "@tabler/icons-react";
import { useState } from "react";
import { bounds } from "../bounds.ts";
import { counted } from "../counts.ts";
import { isInUse } from "../last-use.ts";
import { FocusedButton } from "./focused-button.tsx";
import { KeyFate } from "./key-fate.tsx";
import styles from "./keys.module.css";
import { useNow } from "./use-now.ts";
import { useRevocations } from "./use-revocations.ts";

interface RevokeKeysProps {
  /** As they were when they were chosen: the list below forgets them as they go. */
  keys: readonly ApiKeyJson[];
  onClose: () => void;
}

/** Revokes several keys: which, who would notice, confirmation, how far it is, and a receipt for each. */
export function RevokeKeys({ keys, onClose }: RevokeKeysProps) {
  const [reason, setReason] = useState("");
  const { phase, fateOf, run } = useRevocations(keys);
  const nowMs = useNow();
  const count = (state: string): number =>
    keys.filter(({ id }) => fateOf(id).state === state).length;
  const [revoked, failed] = [count("revoked"), count("failed")];
  const all = counted(keys.length, "API key");
  const running = phase === "running";
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      closeOnClickOutside={phase === "idle"}
      closeOnEscape={!running}
      withCloseButton={!running}
      title={phase === "ended" && failed === 0 ? `${all} revoked` : `Revoke ${all}`}
    >
      <Stack>
        {phase === "idle" ? (
          <Warning keys={keys.filter((key) => isInUse(key.last_used_at, nowMs))} />
        ) : (
          <Progressed revoked={revoked} failed={failed} of={keys.length} />
        )}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard */}
        <section className={styles.chosen} aria-label="Chosen keys" tabIndex={0}>
          <ul className={styles.rows}>
            {keys.map((key) => (
              <KeyFate
                key={key.id}
                apiKey={key}
                nowMs={nowMs}
                fate={phase === "idle" ? undefined : fateOf(key.id)}
              />
            ))}
          </ul>
        </section>
        {phase === "idle" ? <Final reason={reason} onReason={setReason} /> : null}
        <Group justify="flex-end">
          {phase === "ended" && failed === 0 ? (
            <FocusedButton onClick={onClose}>Done</FocusedButton>
          ) : (
            <>
              <Button variant="default" onClick={onClose} disabled={running} data-autofocus>
                {phase === "idle" ? "Cancel" : "Close"}
              </Button>
              {phase === "ended" ? (
                <FocusedButton color="red" onClick={() => run(reason.trim())}>
                  Try {counted(failed, "key")} again
                </FocusedButton>
              ) : (
                <Button color="red" loading={running} onClick={() => run(reason.trim())}>
                  Revoke {all}
                </Button>
              )}
            </>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

/** How far it is. */
function Progressed({ revoked, failed, of }: { revoked: number; failed: number; of: number }) {
  return (
    <Stack gap={6}>
      <Progress value={((revoked + failed) / of) * 100} aria-label="Keys that are done" />
      <Text fz="sm" role="status">
        {revoked} of {of} revoked{failed === 0 ? "" : `, ${failed} not`}
      </Text>
    </Stack>
  );
}

/** What it means, and the reason to keep. */
function Final({ reason, onReason }: { reason: string; onReason: (reason: string) => void }) {
  return (
    <>
      <Text fz="sm">
        Each is refused everywhere once it is done. This is final; a revoked key never comes back.
      </Text>
      <TextInput
        label="Reason (optional)"
        description="Kept with each key, for your colleagues."
        maxLength={bounds.reasonMax}
        value={reason}
        onChange={(event) => onReason(event.currentTarget.value)}
      />
    </>
  );
}

/** Names those that somebody would miss at once. */
function Warning({ keys }: { keys: readonly ApiKeyJson[] }) {
  if (keys.length === 0) return null;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconActivity aria-hidden />}
      title={`${counted(keys.length, "of them was", "of them were")} used in the last 24 hours`}
    >
      <Text fz="sm">
        {keys.map(({ hint }) => hint).join(", ")}: whoever uses {keys.length === 1 ? "it" : "them"}{" "}
        is refused from then on.
      </Text>
    </Alert>
  );
}
