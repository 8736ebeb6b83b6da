import type { ApiKeyCallerJson } from "@latchkey/sdk/client";
import { Text } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { formatCount } from "../counts.ts";
import { Empty } from "./empty.tsx";
import styles from "./keys.module.css";
import { Moment } from "./moment.tsx";
import { type Column, Records } from "./records.tsx";

interface CallerListProps {
  callers: readonly ApiKeyCallerJson[];
  nowMs: number;
}

/** Who a key was accepted from, the latest first. */
export function CallerList({ callers, nowMs }: CallerListProps) {
  if (callers.length === 0)
    return (
      <Empty
        icon={IconUsers}
        title="No callers"
        text="Nobody was accepted with this key, or that was too long ago. Your operator can also switch the keeping of callers off."
      />
    );
  return (
    <Records
      name="Callers"
      rows={callers}
      idOf={({ address, user_agent }) => `${address} ${user_agent}`}
      head={{
        name: "Address",
        cell: ({ address }) => <span className={styles.hint}>{address ?? "Unknown"}</span>,
      }}
      columns={columnsAt(nowMs)}
    />
  );
}

const columnsAt = (nowMs: number): Column<ApiKeyCallerJson>[] => [
  {
    name: "User agent",
    plain: true,
    cell: ({ user_agent }) =>
      user_agent === null ? (
        <Text fz="sm" c="dimmed" component="span">
          Unknown
        </Text>
      ) : (
        <div className={styles.description}>{user_agent}</div>
      ),
  },
  { name: "First seen", cell: ({ first_seen_at }) => <Moment at={first_seen_at} nowMs={nowMs} /> },
  { name: "Last seen", cell: ({ last_seen_at }) => <Moment at={last_seen_at} nowMs={nowMs} /> },
  { name: "Accepted", numeric: true, cell: ({ count }) => formatCount(count) },
];
