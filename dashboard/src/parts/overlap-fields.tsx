import { Group, NativeSelect, TextInput } from "@mantine/core";
import { OVERLAP_PRESETS, OVERLAP_UNITS, type OverlapChoice } from "../overlap-choices.ts";

interface OverlapFieldsProps {
  choice: OverlapChoice;
  onChange: (choice: OverlapChoice) => void;
  /** What is wrong with the choice. */
  error: string | undefined;
  /** Whether there may be no overlap at all. */
  optional: boolean;
}

const units = OVERLAP_UNITS.map(({ value, label }) => ({ value, label }));

/** How long an old key goes on working beside its successor. */
export function OverlapFields({ choice, onChange, error, optional }: OverlapFieldsProps) {
  const own = choice.length === "own";
  const none = { value: "0", label: "Not at all: revoke it now" };
  return (
    <>
      <NativeSelect
        label="The old key goes on working for"
        data-autofocus
        data={[
          ...(optional ? [none] : []),
          ...OVERLAP_PRESETS,
          { value: "own", label: "Another time…" },
        ]}
        value={choice.length}
        error={own ? undefined : error}
        onChange={(event) => onChange({ ...choice, length: event.currentTarget.value })}
      />
      {own ? (
        <Group gap="sm" align="flex-start" wrap="nowrap" grow>
          <TextInput
            label="How many"
            inputMode="numeric"
            maxLength={6}
            value={choice.amount}
            error={error}
            onChange={(event) => onChange({ ...choice, amount: event.currentTarget.value })}
          />
          <NativeSelect
            label="Unit"
            data={units}
            value={choice.unit}
            onChange={(event) => {
              const unit = OVERLAP_UNITS.find(({ value }) => value === event.currentTarget.value);
              if (unit !== undefined) onChange({ ...choice, unit: unit.value });
            }}
          />
        </Group>
      ) : null}
    </>
  );
}
