import { Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { counted } from "../counts.ts";
import {
  MAXIMUM_AGES,
  type MaximumAgeChoice,
  maximumAgeChoiceOf,
  maximumAgePreview,
  maximumAgeProblem,
  maximumDaysOf,
} from "../maximum-age-choices.ts";
import { may, usePlace } from "../place.ts";
import styles from "./keys.module.css";
import { SetMaximumAge } from "./set-maximum-age.tsx";
import { useDialog } from "./use-dialog.ts";

/** The longest that a key lives: owners choose it, others see it. */
export function MaximumAge({ days }: { days: number | null }) {
  const { account } = usePlace();
  // Until somebody chooses, what is set is shown, whoever has set it meanwhile.
  const [touched, setTouched] = useState<MaximumAgeChoice | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const confirming = useDialog<{ before: number | null; after: number | null }>();
  if (!may(account, "account:write")) return <ReadOnly days={days} />;
  const choice = touched ?? maximumAgeChoiceOf(days);
  const chosen = maximumDaysOf(choice);
  const change = (next: Partial<typeof choice>): void => {
    setTouched({ ...choice, ...next });
    setProblem(null);
  };
  return (
    <div className={styles.card}>
      <form
        noValidate
        aria-label="Maximum age of API keys"
        onSubmit={(event) => {
          event.preventDefault();
          setProblem(maximumAgeProblem(choice));
          if (chosen !== undefined && chosen !== days)
            confirming.open({ before: days, after: chosen }, "change-maximum-age");
        }}
      >
        <Stack maw={420}>
          <NativeSelect
            label="Keys live at most"
            data={MAXIMUM_AGES}
            value={choice.age}
            onChange={(event) => change({ age: event.currentTarget.value })}
          />
          {choice.age === "own" ? (
            <TextInput
              label="Days"
              inputMode="numeric"
              maxLength={4}
              value={choice.days}
              error={problem}
              onChange={(event) => change({ days: event.currentTarget.value })}
            />
          ) : null}
          <Text fz="sm" role="status">
            {chosen === undefined ? "" : maximumAgePreview(days, chosen)}
          </Text>
          <Group>
            <Button id="change-maximum-age" type="submit">
              Change
            </Button>
          </Group>
        </Stack>
      </form>
      {confirming.target === null ? null : (
        <SetMaximumAge {...confirming.target} onClose={confirming.close} />
      )}
    </div>
  );
}

function ReadOnly({ days }: { days: number | null }) {
  return (
    <div className={styles.card}>
      <Text fz="sm" fw={600}>
        {days === null ? "No maximum" : counted(days, "day")}
      </Text>
      <Text fz="sm" c="dimmed" mt={4}>
        Only owners change it.
      </Text>
    </div>
  );
}
