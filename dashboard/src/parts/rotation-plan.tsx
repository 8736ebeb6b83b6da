import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Radio, Stack, Text } from "@mantine/core";
import { successorEnd } from "../lifetimes.ts";
import { formatMoment, formatSpan } from "../times.ts";
import { Choice } from "./choice.tsx";
import { useMaximumAge } from "./use-maximum-age.ts";
import { useNow } from "./use-now.ts";

/** From when an overlap counts. */
export type Starts = "now" | "first_use";

interface StartChoiceProps {
  starts: Starts;
  onChange: (starts: Starts) => void;
}

/** Chooses from when an overlap counts. */
export function StartChoice({ starts, onChange }: StartChoiceProps) {
  return (
    <Radio.Group
      label="Counted from"
      value={starts}
      onChange={(value) => onChange(value === "first_use" ? "first_use" : "now")}
    >
      <Stack gap="xs" mt={6}>
        <Choice
          value="now"
          name="Now"
          text="The old key ends then, whether or not the new one is in place."
        />
        <Choice
          value="first_use"
          name="The first use of the new key"
          text="Nothing ends before the first request with the new key has been accepted; until then the old one goes on."
        />
      </Stack>
    </Radio.Group>
  );
}

interface ConsequencesProps {
  apiKey: ApiKeyJson;
  /** `null` while the choice is none. */
  seconds: number | null;
  starts: Starts;
}

/** What will happen to the old key, and how long the new one will live. */
export function Consequences({ apiKey, seconds, starts }: ConsequencesProps) {
  const nowMs = useNow();
  const maximumDays = useMaximumAge();
  return (
    <div role="status">
      {seconds === null ? null : <Text fz="sm">{oldKeyWords(apiKey, seconds, starts, nowMs)}</Text>}
      <Text fz="sm" c="dimmed" mt={4}>
        {successorEnd(apiKey, maximumDays, nowMs)}
      </Text>
    </div>
  );
}

function oldKeyWords(key: ApiKeyJson, seconds: number, starts: Starts, nowMs: number): string {
  if (seconds === 0)
    return "The old key is refused everywhere as soon as this returns; whoever still uses it is cut off. This is final.";
  if (starts === "first_use")
    return `The old key is accepted until ${formatSpan(seconds)} after the first use of the new one.`;
  const ownMs = key.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(key.expires_at);
  const end = formatMoment(new Date(Math.min(nowMs + seconds * 1000, ownMs)).toISOString());
  return `The old key is accepted until ${end}, and refused everywhere from then on.`;
}
