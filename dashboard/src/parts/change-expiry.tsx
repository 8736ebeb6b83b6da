import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { type ExpiryChoice, endOf, expiryProblem, limitOf } from "../expiry-choices.ts";
import { fieldErrors } from "../failures.ts";
import { overlapOf, timeLeft } from "../overlap.ts";
import { midSentence } from "../sentences.ts";
import { formatMoment, localDateTime } from "../times.ts";
import { EndDialog } from "./end-dialog.tsx";
import { ExpiryFields } from "./expiry-fields.tsx";
import { KeySubject } from "./key-subject.tsx";
import { useEndChange } from "./use-end-change.ts";
import { useMaximumAge } from "./use-maximum-age.ts";
import { useNow } from "./use-now.ts";

interface ChangeExpiryProps {
  apiKey: ApiKeyJson;
  onClose: () => void;
  /** Changes the overlap instead, for a key that is being rotated. */
  onOverlap: () => void;
}

/** Changes when a key ends by itself. One that is being rotated ends with its overlap; then it says that. */
export function ChangeExpiry({ apiKey, onClose, onOverlap }: ChangeExpiryProps) {
  const nowMs = useNow();
  const overlap = overlapOf(apiKey, nowMs);
  if (overlap === null) return <ExpiryDialog apiKey={apiKey} onClose={onClose} nowMs={nowMs} />;
  return (
    <Modal opened onClose={onClose} title="Change expiry">
      <Stack>
        <KeySubject apiKey={apiKey} />
        <Text fz="sm">
          This key is being rotated, and ends with its overlap:{" "}
          {midSentence(timeLeft(overlap, nowMs))}. Change the overlap to end it earlier or later.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={onOverlap} data-autofocus>
            Change overlap
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

interface ExpiryDialogProps {
  apiKey: ApiKeyJson;
  onClose: () => void;
  nowMs: number;
}

function ExpiryDialog({ apiKey, onClose, nowMs }: ExpiryDialogProps) {
  const change = useEndChange(apiKey, onClose);
  const limit = limitOf(apiKey, useMaximumAge(), nowMs);
  const [present] = useState(() => choiceOf(apiKey));
  const [choice, setChoice] = useState(present);
  const [problem, setProblem] = useState<string | null>(null);
  const refused = fieldErrors(change.error, { expires_at: "expiry" }).expiry;
  const save = (): void => {
    // The field knows no seconds: what nobody has touched is not set anew.
    if (choice.expiry === present.expiry && choice.at === present.at) {
      onClose();
      return;
    }
    const wrong = expiryProblem(choice, limit, Date.now());
    setProblem(wrong);
    if (wrong === null) change.save({ expires_at: endOf(choice, limit, Date.now()) });
  };
  return (
    <EndDialog
      title="Change expiry"
      apiKey={apiKey}
      change={change}
      onSave={save}
      onClose={onClose}
      toldAtField={refused !== undefined}
    >
      <Text fz="sm">
        {apiKey.expires_at === null
          ? "It does not expire."
          : `It expires on ${formatMoment(apiKey.expires_at)}.`}
      </Text>
      <ExpiryFields
        choice={choice}
        onChange={(next) => {
          setChoice(next);
          setProblem(null);
        }}
        limit={limit}
        nowMs={nowMs}
        error={problem ?? refused}
      />
    </EndDialog>
  );
}

/** What the key has now. */
const choiceOf = ({ expires_at }: ApiKeyJson): ExpiryChoice =>
  expires_at === null
    ? { expiry: "never", at: "" }
    : { expiry: "own", at: localDateTime(Date.parse(expires_at)) };
