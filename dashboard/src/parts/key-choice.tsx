import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { bounds } from "../bounds.ts";
import { usePlace } from "../place.ts";
import { keyChoicesQuery, keyNameQuery } from "../usage-api.ts";
import styles from "./keys.module.css";

interface KeyChoiceProps {
  /** The chosen key; `undefined`: every key. */
  id: string | undefined;
  onChange: (id: string | null) => void;
}

/** Chooses one key of the environment, found by what is typed, or none. */
export function KeyChoice({ id, onChange }: KeyChoiceProps) {
  const { account, environment } = usePlace();
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text, 250);
  const chosen = useQuery({
    ...keyNameQuery(account.slug, environment.slug, id ?? ""),
    enabled: id !== undefined,
  }).data;
  const nameOf = ({ hint, description }: ApiKeyJson): string =>
    [hint, description].filter(Boolean).join(" · ");
  // The box holds the name of the chosen one, which is no search.
  const search = chosen !== undefined && q === nameOf(chosen) ? "" : q.trim();
  const found = useQuery(keyChoicesQuery(account.slug, environment.slug, search)).data;
  const keys = new Map(
    [...(found?.entries ?? []), ...(chosen === undefined ? [] : [chosen])].map((key) => [
      key.id,
      key,
    ]),
  );
  return (
    <Select
      className={styles.keyChoice ?? ""}
      aria-label="Key"
      placeholder="Any key"
      searchable
      clearable
      clearButtonProps={{ "aria-label": "Any key" }}
      maxLength={bounds.searchMax}
      nothingFoundMessage="No such key"
      // The list itself scrolls, which is what the arrow keys of the box move in.
      withScrollArea={false}
      classNames={{ options: styles.options ?? "" }}
      data={[...keys.values()].map((key) => ({ value: key.id, label: nameOf(key) }))}
      // The server has searched already, in more than the name.
      filter={({ options }) => options}
      value={id ?? null}
      onChange={onChange}
      onSearchChange={setText}
    />
  );
}
