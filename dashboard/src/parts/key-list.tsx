import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Group, Text } from "@mantine/core";
import { mayHaveOldKey, type PairedKeys } from "../key-pairs.ts";
import { stateOf } from "../key-state.ts";
import type { Split } from "../traffic-split.ts";
import type { Total } from "../usage-series.ts";
import { CreatedCell, KeyLink, LastUsedCell, TypeBadge } from "./key-cells.tsx";
import { type BeginDeed, KeyMenu } from "./key-menu.tsx";
import { StatusCell } from "./key-status.tsx";
import styles from "./keys.module.css";
import pairStyles from "./pairs.module.css";
import { type Column, Records, type Selection } from "./records.tsx";
import { Sparkline } from "./sparkline.tsx";
import { TrafficBar } from "./traffic-bar.tsx";

interface KeyListProps {
  paired: PairedKeys;
  nowMs: number;
  begin: BeginDeed;
  /** The last 24 hours of each key, oldest hour first; `undefined` while they are not known. */
  hoursOf: ((id: string) => readonly Total[]) | undefined;
  /** The last hour's traffic of a pair, by its old key. */
  splitOf: (oldId: string) => Split | undefined;
  /** Absent for those who may not revoke. */
  selection: Selection<ApiKeyJson> | undefined;
}

/** The keys as a table, or as cards where a table would not fit. */
export function KeyList(props: KeyListProps) {
  const { paired, nowMs, begin, selection } = props;
  const looksOf = (key: ApiKeyJson): (string | undefined)[] => [
    stateOf(key, nowMs) === "active" ? undefined : styles.dead,
    paired.successors.has(key.id) ? pairStyles.successor : undefined,
    paired.old.has(key.id) ? pairStyles.old : undefined,
  ];
  return (
    <Records
      name="API keys"
      rows={paired.rows}
      idOf={({ id }) => id}
      head={headOf(paired)}
      columns={columnsOf(props)}
      actions={(key) => <KeyMenu apiKey={key} begin={begin} />}
      selection={selection}
      lookOf={(key) => looksOf(key).filter(Boolean).join(" ")}
    />
  );
}

const headOf = ({ old, successors }: PairedKeys): Column<ApiKeyJson> => ({
  name: "Key",
  cell: (key) => (
    <div className={old.has(key.id) ? pairStyles.elbow : undefined}>
      <Group gap={10} wrap="nowrap" className={styles.key}>
        <KeyLink id={key.id} hint={key.hint} />
        <TypeBadge type={key.type} />
      </Group>
      {old.has(key.id) || successors.has(key.id) ? (
        <Text fz="xs" c="dimmed">
          {old.has(key.id) ? "Old key" : "New key"}
        </Text>
      ) : null}
    </div>
  ),
});

const columnsOf = (props: KeyListProps): Column<ApiKeyJson>[] => {
  const { nowMs, hoursOf } = props;
  return [
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
    { name: "Status", cell: (key) => <Status apiKey={key} {...props} /> },
  ];
};

/** The state of a key and, while it is rotated, the traffic; its partner is linked where that is not beside it. */
function Status({ apiKey, paired, nowMs, splitOf }: KeyListProps & { apiKey: ApiKeyJson }) {
  const { id, rotated_from, rotated_to } = apiKey;
  const successor = paired.old.has(id) ? null : rotated_to;
  const predecessor =
    !mayHaveOldKey(apiKey, nowMs) || paired.successors.has(id) ? null : rotated_from;
  return (
    <StatusCell apiKey={apiKey} nowMs={nowMs}>
      <TrafficBar split={splitOf(id)} />
      {successor === null ? null : <Partner id={successor} text="See its successor" />}
      {predecessor === null ? null : <Partner id={predecessor} text="Succeeds another key" />}
    </StatusCell>
  );
}

const Partner = ({ id, text }: { id: string; text: string }) => (
  <Text fz="xs">
    <KeyLink id={id}>{text}</KeyLink>
  </Text>
);

function Description({ text }: { text: string }) {
  if (text === "")
    return (
      <Text fz="sm" c="dimmed" component="span">
        No description
      </Text>
    );
  return <div className={styles.description}>{text}</div>;
}
