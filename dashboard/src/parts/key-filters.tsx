import { CloseButton, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import type { KeySearch } from "../api.ts";
import { bounds } from "../bounds.ts";
import styles from "./keys.module.css";

/** How long the search waits for the next letter. */
const pauseMs = 250;

const statuses: { value: KeySearch["status"]; label: string }[] = [
  { value: "active", label: "Active" },
  { value: "revoked", label: "Revoked" },
  { value: "expired", label: "Expired" },
  { value: "all", label: "All" },
];

const uses: { value: KeySearch["lastUsed"]; label: string }[] = [
  { value: "any", label: "Whenever used" },
  { value: "never", label: "Never used" },
  { value: "over_90_days_ago", label: "Unused for 90 days" },
];

interface KeyFiltersProps {
  search: KeySearch;
  onStatus: (status: KeySearch["status"]) => void;
  onLastUsed: (lastUsed: KeySearch["lastUsed"]) => void;
  onText: (q: string) => void;
}

/** Search box, status and last use. The box keeps what is being typed; the address follows after a pause. */
export function KeyFilters({ search, onStatus, onLastUsed, onText }: KeyFiltersProps) {
  const [text, setText] = useState(search.q);
  const [known, setKnown] = useState(search.q);
  const tell = useDebouncedCallback((q: string) => {
    setKnown(q);
    onText(q);
  }, pauseMs);
  // Back and forward change the address under the box; only then does the box follow it.
  if (known !== search.q && text === known) {
    setKnown(search.q);
    setText(search.q);
  }
  const write = (q: string): void => {
    setText(q);
    tell(q.trim());
  };
  return (
    <search className={styles.filters}>
      <TextInput
        className={styles.search ?? ""}
        type="search"
        aria-label="Search API keys"
        placeholder="Search description, key or id"
        maxLength={bounds.searchMax}
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={
          text === "" ? null : (
            <CloseButton size="sm" aria-label="Clear search" onClick={() => write("")} />
          )
        }
        value={text}
        onChange={(event) => write(event.currentTarget.value)}
      />
      <SegmentedControl
        aria-label="Status"
        size="sm"
        data={statuses}
        value={search.status}
        onChange={(value) => onStatus(value)}
      />
      <NativeSelect
        aria-label="Last use"
        data={uses}
        value={search.lastUsed}
        onChange={(event) => {
          const chosen = uses.find(({ value }) => value === event.currentTarget.value);
          if (chosen !== undefined) onLastUsed(chosen.value);
        }}
      />
    </search>
  );
}
