import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Group, Text } from "@mantine/core";
import { stateOf } from "../key-state.ts";
import type { Total } from "../usage-series.ts";
import { CreatedCell, KeyLink, LastUsedCell, StatusCell, TypeBadge } from "./key-cells.tsx";
import { type KeyDeeds, KeyMenu } from "./key-menu.tsx";
import styles from "./keys.module.css";
import { type Column, Records, type Selection } from "./records.tsx";
import { Sparkline } from "./sparkline.tsx";

interface KeyListProps {
  keys: readonly ApiKeyJson[];
  nowMs: number;
  deeds: KeyDeeds;
  /** The last 24 hours of each key, oldest hour first; `undefined` while they are not known. */
  hoursOf: ((id: string) => readonly Total[]) | undefined;
  /** Absent for those who may not revoke. */
  selection: Selection<ApiKeyJson> | undefined;
}

/** The keys as a table, or as cards where a table would not fit. */
export function KeyList({ keys, nowMs, deeds, hoursOf, selection }: KeyListProps) {
  return (
    <Records
      name="API keys"
      rows={keys}
      idOf={({ id }) => id}
      head={head}
      columns={columnsAt(nowMs, hoursOf)}
      actions={(key) => <KeyMenu apiKey={key} deeds={deeds} />}
      selection={selection}
      lookOf={(key) => (stateOf(key, nowMs) === "active" ? "" : (styles.dead ?? ""))}
    />
  );
}

const head: Column<ApiKeyJson> = {
  name: "Key",
  cell: (key) => (
    <Group gap={10} wrap="nowrap" className={styles.key}>
      <KeyLink id={key.id} hint={key.hint} />
      <TypeBadge type={key.type} />
    </Group>
  ),
};

const columnsAt = (nowMs: number, hoursOf: KeyListProps["hoursOf"]): Column<ApiKeyJson>[] => [
  {
    name: "Description",
    plain: true,
    cell: ({ description }) => <Description text={description} />,
  },
  {
    name: "Created",
    cell: ({ created_at, created_by }) => (
      <CreatedCell at={created_at} by={created_by} nowMs={nowMs} />
    ),
  },
  {
    name: "Last used",
    cell: (key) => (
      <div className={styles.status}>
        <LastUsedCell
          at={key.last_used_at}
          nowMs={nowMs}
          badgeFor={stateOf(key, nowMs) === "active" ? key.created_at : undefined}
        />
        <Sparkline hours={hoursOf?.(key.id)} />
      </div>
    ),
  },
  { name: "Status", cell: (key) => <StatusCell apiKey={key} nowMs={nowMs} /> },
];

function Description({ text }: { text: string }) {
  if (text === "")
    return (
      <Text fz="sm" c="dimmed" component="span">
        No description
      </Text>
    );
  return <div className={styles.description}>{text}</div>;
}
