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

const ends: { value: KeySearch["expires"]; label: string }[] = [
  { value: "whenever", label: "Whenever it expires" },
  { value: "within_7_days", label: "Expires within 7 days" },
  { value: "within_30_days", label: "Expires within 30 days" },
  { value: "never", label: "Never expires" },
];

interface KeyFiltersProps {
  search: KeySearch;
  onChange: (next: Partial<KeySearch>) => void;
}

/** Search box, status, last use and expiry. The box keeps what is being typed; the address follows after a pause. */
export function KeyFilters({ search, onChange }: KeyFiltersProps) {
  const [text, setText] = useState(search.q);
  const [known, setKnown] = useState(search.q);
  const tell = useDebouncedCallback((q: string) => {
    setKnown(q);
    onChange({ q });
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
        onChange={(status) => onChange({ status })}
      />
      <NativeSelect
        className={styles.filter ?? ""}
        aria-label="Last use"
        data={uses}
        value={search.lastUsed}
        onChange={(event) => {
          const chosen = uses.find(({ value }) => value === event.currentTarget.value);
          if (chosen !== undefined) onChange({ lastUsed: chosen.value });
        }}
      />
      <NativeSelect
        className={styles.filter ?? ""}
        aria-label="Expiry"
        data={ends}
        value={search.expires}
        onChange={(event) => {
          const chosen = ends.find(({ value }) => value === event.currentTarget.value);
          if (chosen !== undefined) onChange({ expires: chosen.value });
        }}
      />
    </search>
  );
}
