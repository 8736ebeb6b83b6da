import type { RefusalJson } from "@latchkey/sdk/client";
import { Badge, Button, Text } from "@mantine/core";
import { reasonWords } from "../outcomes.ts";
import { KeyLink } from "./key-cells.tsx";
import styles from "./keys.module.css";
import { Moment } from "./moment.tsx";
import { type Column, Records } from "./records.tsx";

interface RefusalListProps {
  refusals: readonly RefusalJson[];
  nowMs: number;
  /** Shows one in full, by its request id. */
  onOpen: (requestId: string) => void;
}

/** Refused requests, newest first. */
export function RefusalList({ refusals, nowMs, onOpen }: RefusalListProps) {
  const ofKeys = refusals.some(({ api_key }) => api_key !== null);
  return (
    <Records
      name="Refusals"
      rows={refusals}
      idOf={({ request_id }) => request_id}
      head={{ name: "When", cell: ({ at }) => <Moment at={at} nowMs={nowMs} /> }}
      columns={[...(ofKeys ? [reason, key] : [reason]), address]}
      actions={({ request_id }) => (
        <Button
          id={`look-${request_id}`}
          variant="default"
          size="compact-xs"
          aria-label={`Details of ${request_id}`}
          onClick={() => onOpen(request_id)}
        >
          Details
        </Button>
      )}
    />
  );
}

const reason: Column<RefusalJson> = {
  name: "Reason",
  cell: (refusal) => <Reason refusal={refusal} />,
};

const key: Column<RefusalJson> = {
  name: "Key",
  cell: ({ api_key }) =>
    api_key === null ? null : (
      <>
        <KeyLink id={api_key.id} hint={api_key.hint} environment={api_key.environment} />
        <Text fz="xs" c="dimmed" className={styles.description}>
          {api_key.description}
        </Text>
      </>
    ),
};

const address: Column<RefusalJson> = {
  name: "From",
  cell: ({ address, user_agent }) => (
    <>
      <span className={styles.hint}>{address ?? "Unknown"}</span>
      {user_agent === null ? null : (
        <Text fz="xs" c="dimmed" className={styles.agent}>
          {user_agent}
        </Text>
      )}
    </>
  ),
};

/** Why, in words; the use of a key after its end stands out, for somebody still has it. */
export function Reason({ refusal: { reason, late_by_ms, api_key } }: { refusal: RefusalJson }) {
  const late = late_by_ms !== null;
  const rotated = late && api_key !== null && api_key.rotated_to !== null;
  return (
    <Badge
      variant={late ? "light" : "default"}
      {...(late ? { color: "red" } : {})}
      size="sm"
      className={styles.badge}
    >
      {rotated ? "Rotated key" : reasonWords[reason]}
      {late ? " still in use" : ""}
    </Badge>
  );
}
