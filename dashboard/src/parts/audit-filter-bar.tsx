import type { AuditLogJson } from "@latchkey/sdk/client";
import { Button, CloseButton, NativeSelect, Select, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { AUDIT_RANGES, type AuditFilters, auditActorsQuery, isAuditRange } from "../audit-api.ts";
import { ACTION_GROUPS } from "../audit-words.ts";
import { usePlace } from "../place.ts";
import styles from "./audit.module.css";
import { KeyChoice } from "./key-choice.tsx";

interface AuditFilterBarProps {
  filters: AuditFilters;
  /** What the page shows, whose makers can be chosen. */
  entries: readonly AuditLogJson[];
  onChange: (next: AuditFilters) => void;
}

/** Who, what, which key and when. */
export function AuditFilterBar({ filters, entries, onChange }: AuditFilterBarProps) {
  const actors = useActors(filters.actor, entries);
  const some = Object.keys(filters).length > 0;
  return (
    <search className={styles.filters}>
      <Select
        className={styles.filter ?? ""}
        aria-label="Who"
        placeholder="Anybody"
        searchable
        clearable
        clearButtonProps={{ "aria-label": "Anybody" }}
        nothingFoundMessage="Nobody of this name"
        withScrollArea={false}
        data={actors}
        value={filters.actor ?? null}
        onChange={(actor) => onChange({ ...filters, actor: actor ?? undefined })}
      />
      <NativeSelect
        className={styles.filter ?? ""}
        aria-label="What"
        data={actions}
        value={filters.action ?? ""}
        onChange={({ currentTarget: { value } }) =>
          onChange({ ...filters, action: value === "" ? undefined : value })
        }
      />
      <KeyChoice
        id={filters.key}
        onChange={(id) => onChange({ ...filters, key: id ?? undefined })}
      />
      <TimeChoice filters={filters} onChange={onChange} />
      {some ? (
        <Button variant="subtle" size="sm" onClick={() => onChange({})}>
          Clear filters
        </Button>
      ) : null}
    </search>
  );
}

const actions = [
  { value: "", label: "Any change" },
  ...ACTION_GROUPS.map(({ group, all, items }) => ({
    group,
    items: [
      { value: all, label: `${group}: all` },
      ...items.map(([value, label]) => ({ value, label })),
    ],
  })),
];

/** The account's people and programs, whoever is on the page, and whoever is chosen, by name. */
function useActors(chosen: string | undefined, entries: readonly AuditLogJson[]) {
  const { account, person } = usePlace();
  const { members = [], tokens = [] } = useQuery(auditActorsQuery(account.slug)).data ?? {};
  const named = new Map([[person.id, `${person.name} (you)`]]);
  for (const { id, name } of members) if (!named.has(id)) named.set(id, name);
  for (const { id, name } of tokens) named.set(id, `${name} (service token)`);
  for (const { actor } of entries) if (!named.has(actor.id)) named.set(actor.id, actor.name);
  if (chosen !== undefined && !named.has(chosen)) named.set(chosen, chosen);
  return [...named]
    .map(([value, label]) => ({ value, label }))
    .sort((a, b) => a.label.localeCompare(b.label));
}

const CUSTOM = "custom";

function TimeChoice({ filters, onChange }: Omit<AuditFilterBarProps, "entries">) {
  const { range, from, to, ...others } = filters;
  const custom = from !== undefined || to !== undefined;
  const today = (): string => new Date().toLocaleDateString("sv"); // 2026-01-31, in the reader's zone
  return (
    <>
      <NativeSelect
        className={styles.filter ?? ""}
        aria-label="When"
        data={[
          { value: "", label: "Any time" },
          ...Object.entries(AUDIT_RANGES).map(([value, { label }]) => ({ value, label })),
          { value: CUSTOM, label: "Between two days" },
        ]}
        value={custom ? CUSTOM : (range ?? "")}
        onChange={({ currentTarget: { value } }) => {
          if (value === CUSTOM) onChange({ ...others, from: today(), to: today() });
          else onChange({ ...others, range: isAuditRange(value) ? value : undefined });
        }}
      />
      {custom ? (
        <>
          <Day name="From" value={from} onChange={(day) => onChange({ ...filters, from: day })} />
          <Day name="To" value={to} onChange={(day) => onChange({ ...filters, to: day })} />
        </>
      ) : null}
    </>
  );
}

interface DayProps {
  name: string;
  value: string | undefined;
  onChange: (day: string | undefined) => void;
}

function Day({ name, value = "", onChange }: DayProps) {
  return (
    <TextInput
      type="date"
      aria-label={name}
      leftSection={
        <Text fz="xs" c="dimmed" component="span">
          {name}
        </Text>
      }
      leftSectionWidth={52}
      value={value}
      onChange={({ currentTarget }) =>
        onChange(currentTarget.value === "" ? undefined : currentTarget.value)
      }
      rightSection={
        value === "" ? null : (
          <CloseButton size="sm" aria-label={`Clear ${name}`} onClick={() => onChange(undefined)} />
        )
      }
    />
  );
}
