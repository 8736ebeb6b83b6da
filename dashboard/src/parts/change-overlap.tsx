import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Anchor, Text } from "@mantine/core";
import { useState } from "react";
import { fieldErrors } from "../failures.ts";
import { overlapChoiceOf, overlapProblem, overlapSecondsOf } from "../overlap-choices.ts";
import { formatMoment, formatSpan } from "../times.ts";
import { EndDialog } from "./end-dialog.tsx";
import { OverlapFields } from "./overlap-fields.tsx";
import { useEndChange } from "./use-end-change.ts";
import { useNow } from "./use-now.ts";

interface ChangeOverlapProps {
  apiKey: ApiKeyJson;
  onClose: () => void;
  /** Ends it at once instead. */
  onFinish: () => void;
}

/** Changes how long an old key is accepted beside its successor, counted from when the overlap began. */
export function ChangeOverlap({ apiKey, onClose, onFinish }: ChangeOverlapProps) {
  const nowMs = useNow();
  const change = useEndChange(apiKey, onClose);
  const [choice, setChoice] = useState(() => overlapChoiceOf(apiKey.overlap?.seconds ?? 86_400));
  const [problem, setProblem] = useState<string | null>(null);
  const startedAt = apiKey.overlap?.started_at ?? null;
  const seconds = overlapSecondsOf(choice);
  const endMs =
    startedAt === null || seconds === null ? null : Date.parse(startedAt) + seconds * 1000;
  const refused = fieldErrors(change.error, { overlap_seconds: "overlap" }).overlap;
  const save = (): void => {
    const wrong = overlapProblem(choice) ?? (isPast(endMs, Date.now()) ? PAST : null);
    setProblem(wrong);
    if (wrong === null && seconds !== null) change.save({ overlap_seconds: seconds });
  };
  return (
    <EndDialog
      title="Change overlap"
      apiKey={apiKey}
      change={change}
      onSave={save}
      onClose={onClose}
      toldAtField={refused !== undefined}
    >
      <OverlapFields
        choice={choice}
        onChange={(next) => {
          setChoice(next);
          setProblem(null);
        }}
        error={problem ?? refused}
        optional={false}
      />
      <Text fz="sm" role="status">
        {wordsOf(startedAt, seconds, endMs, nowMs)}
      </Text>
      <Text fz="sm" c="dimmed">
        Nobody needs the old key any more?{" "}
        <Anchor component="button" type="button" inherit underline="always" onClick={onFinish}>
          Finish now
        </Anchor>
      </Text>
    </EndDialog>
  );
}

const PAST = "That is over already. Choose longer, or finish now.";

const isPast = (endMs: number | null, nowMs: number): boolean => endMs !== null && endMs <= nowMs;

/** What the choice comes to. */
function wordsOf(
  startedAt: string | null,
  seconds: number | null,
  endMs: number | null,
  nowMs: number,
): string {
  if (startedAt === null)
    return seconds === null
      ? "It counts from the first use of the new key."
      : `The old key ends ${formatSpan(seconds)} after the first use of the new one.`;
  const since = `The overlap began on ${formatMoment(startedAt)}`;
  if (endMs === null) return `${since}.`;
  const end = formatMoment(new Date(endMs).toISOString());
  return isPast(endMs, nowMs)
    ? `${since}; it would have ended on ${end}.`
    : `${since}; the old key ends on ${end}.`;
}
