import type { ApiKeyJson, Rotation } from "@latchkey/sdk/client";
import { Button, Group, Stack } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { apiKeyQuery } from "../api.ts";
import { fieldErrors, isRefused } from "../failures.ts";
import { type OverlapChoice, overlapProblem, overlapSecondsOf } from "../overlap-choices.ts";
import { usePlace } from "../place.ts";
import { Barrier } from "./barrier.tsx";
import { KeySubject } from "./key-subject.tsx";
import { KeyUse } from "./key-use.tsx";
import { OverlapFields } from "./overlap-fields.tsx";
import { isConflict, RotateProblem } from "./rotate-problem.tsx";
import type { Rotated } from "./rotated-key.tsx";
import { Consequences, StartChoice, type Starts } from "./rotation-plan.tsx";

interface RotateKeyFormProps {
  apiKey: ApiKeyJson;
  idempotencyKey: string;
  onRotated: (rotated: Rotated) => void;
  onBusy: (busy: boolean) => void;
  /** After each attempt: what the list shows is read again. */
  onSettled: () => Promise<void>;
  onCancel: () => void;
}

/** Who uses the key, how long it goes on working, and from when that counts. */
export function RotateKeyForm(props: RotateKeyFormProps) {
  const { apiKey, idempotencyKey, onRotated, onBusy, onSettled, onCancel } = props;
  const { account, environment, client } = usePlace();
  const live = useQuery(apiKeyQuery(account.slug, environment.slug, apiKey.id)).data ?? apiKey;
  const [choice, setChoice] = useState<OverlapChoice>(DAY);
  const [starts, setStarts] = useState<Starts>("now");
  const [problem, setProblem] = useState<string | null>(null);
  const rotate = useMutation({
    // Answers nothing, so that the token is in no cache: it goes to the dialog's own state alone.
    mutationFn: async (body: Rotation) =>
      onRotated(await client.apiKeys.rotate(apiKey.id, body, { idempotencyKey })),
    onMutate: () => onBusy(true),
    async onSettled() {
      await onSettled();
      onBusy(false);
    },
  });
  const seconds = overlapSecondsOf(choice);
  const refused = fieldErrors(rotate.error, { overlap_seconds: "overlap" }).overlap;
  const over = isConflict(rotate.error);
  const send = (): void => {
    const wrong = overlapProblem(choice);
    setProblem(wrong);
    if (wrong === null && seconds !== null)
      rotate.mutate({ overlap_seconds: seconds, starts: seconds === 0 ? "now" : starts });
  };
  return (
    <form
      noValidate
      aria-label="Rotate API key"
      onSubmit={(event) => {
        event.preventDefault();
        if (!rotate.isPending && !over) send();
      }}
    >
      <Stack>
        <KeySubject apiKey={live} />
        {rotate.isError && refused === undefined ? <RotateProblem error={rotate.error} /> : null}
        {over ? null : (
          <>
            {rotate.isIdle ? (
              <KeyUse apiKey={live} deed={seconds === 0 ? "Revoking" : "Rotating"} />
            ) : null}
            <OverlapFields
              choice={choice}
              onChange={(next) => {
                setChoice(next);
                setProblem(null);
              }}
              error={problem ?? refused}
              optional
            />
            {seconds === 0 ? null : <StartChoice starts={starts} onChange={setStarts} />}
            <Consequences apiKey={live} seconds={seconds} starts={starts} />
          </>
        )}
        {rotate.isPending ? <Barrier /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel} disabled={rotate.isPending}>
            {over ? "Close" : "Cancel"}
          </Button>
          {over ? null : (
            <Button
              type="submit"
              loading={rotate.isPending}
              {...(seconds === 0 ? { color: "red" } : {})}
            >
              {rotate.isError && !isRefused(rotate.error) ? "Try again" : "Rotate API key"}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

const DAY: OverlapChoice = { length: "86400", amount: "3", unit: "days" };
