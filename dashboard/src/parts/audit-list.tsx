import type { AuditLogJson } from "@latchkey/sdk/client";
import { Stack } from "@mantine/core";
import type { AuditFilters } from "../audit-api.ts";
import styles from "./audit.module.css";
import { AuditEntry } from "./audit-entry.tsx";

interface AuditListProps {
  entries: readonly AuditLogJson[];
  nowMs: number;
  onOnly: (filters: AuditFilters) => void;
}

/** Changes, the newest first, by the day on which they were made. */
export function AuditList({ entries, nowMs, onOnly }: AuditListProps) {
  return (
    <Stack gap="lg">
      {daysOf(entries, nowMs).map(([day, ofDay]) => (
        <section key={day} aria-label={day}>
          <h2 className={styles.day}>{day}</h2>
          <ol className={styles.entries}>
            {ofDay.map((entry) => (
              <AuditEntry key={entry.id} entry={entry} nowMs={nowMs} onOnly={onOnly} />
            ))}
          </ol>
        </section>
      ))}
    </Stack>
  );
}

const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const dayMs = 24 * 60 * 60 * 1000;

/** Entries by the reader's own days, in their order. */
function daysOf(entries: readonly AuditLogJson[], nowMs: number): [string, AuditLogJson[]][] {
  const today = dayFormat.format(nowMs);
  const yesterday = dayFormat.format(nowMs - dayMs);
  const days = new Map<string, AuditLogJson[]>();
  for (const entry of entries) {
    const date = dayFormat.format(new Date(entry.at));
    const day = date === today ? "Today" : date === yesterday ? "Yesterday" : date;
    const ofDay = days.get(day);
    if (ofDay === undefined) days.set(day, [entry]);
    else ofDay.push(entry);
  }
  return [...days];
}
