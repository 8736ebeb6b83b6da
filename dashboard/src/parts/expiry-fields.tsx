import { NativeSelect, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { type AgeLimit, type ExpiryChoice, expiriesWithin, expiryIn } from "../expiry-choices.ts";
import { maximumWords } from "../lifetimes.ts";
import { localDateTime } from "../times.ts";

interface ExpiryFieldsProps {
  choice: ExpiryChoice;
  onChange: (choice: ExpiryChoice) => void;
  limit: AgeLimit | null;
  nowMs: number;
  /** What is wrong with what was chosen. */
  error: ReactNode;
}

/** When a key is to end: a ready-made length or a moment of one's own, nothing later than the account allows. */
export function ExpiryFields({ choice, onChange, limit, nowMs, error }: ExpiryFieldsProps) {
  const expiry = expiryIn(choice, limit, nowMs);
  const own = expiry === "own";
  return (
    <>
      <NativeSelect
        label="Expires"
        data-autofocus
        description={limit === null ? undefined : maximumWords(limit.days)}
        data={expiriesWithin(limit, nowMs)}
        value={expiry}
        error={own ? undefined : error}
        onChange={(event) => onChange({ ...choice, expiry: event.currentTarget.value })}
      />
      {own ? (
        <TextInput
          type="datetime-local"
          label="Expires at"
          min={localDateTime(nowMs)}
          max={limit === null ? undefined : localDateTime(limit.latestMs)}
          value={choice.at}
          error={error}
          onChange={(event) => onChange({ ...choice, at: event.currentTarget.value })}
        />
      ) : null}
    </>
  );
}
