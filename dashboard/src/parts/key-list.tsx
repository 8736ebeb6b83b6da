import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Group, Table, Text, VisuallyHidden } from "@mantine/core";
import { stateOf } from "../key-state.ts";
import { CreatedCell, LastUsedCell, StatusCell, TypeBadge } from "./key-cells.tsx";
import { type KeyDeeds, KeyMenu } from "./key-menu.tsx";
import styles from "./keys.module.css";
import { useNarrow } from "./use-narrow.ts";

interface KeyListProps {
  keys: readonly ApiKeyJson[];
  nowMs: number;
  deeds: KeyDeeds;
}

/** The keys as a table, or as cards where a table would not fit. */
export function KeyList(props: KeyListProps) {
  return useNarrow() ? <KeyCards {...props} /> : <KeyTable {...props} />;
}

function KeyTable({ keys, nowMs, deeds }: KeyListProps) {
  return (
    <div className={styles.box}>
      <Table className={styles.table} aria-label="API keys" highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Key</Table.Th>
            <Table.Th>Description</Table.Th>
            <Table.Th>Created</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map((key) => (
            <Table.Tr key={key.id} className={deadness(key, nowMs)}>
              <Table.Td>
                <Group gap={10} wrap="nowrap" className={styles.key}>
                  <span className={styles.hint}>{key.hint}</span>
                  <TypeBadge type={key.type} />
                </Group>
              </Table.Td>
              <Table.Td>
                <Description text={key.description} />
              </Table.Td>
              <Table.Td>
                <CreatedCell at={key.created_at} by={key.created_by} nowMs={nowMs} />
              </Table.Td>
              <Table.Td>
                <LastUsedCell at={key.last_used_at} nowMs={nowMs} />
              </Table.Td>
              <Table.Td>
                <StatusCell apiKey={key} nowMs={nowMs} />
              </Table.Td>
              <Table.Td align="right">
                <KeyMenu apiKey={key} deeds={deeds} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function KeyCards({ keys, nowMs, deeds }: KeyListProps) {
  return (
    <ul className={styles.cards} aria-label="API keys">
      {keys.map((key) => (
        <li key={key.id} className={`${styles.card} ${deadness(key, nowMs)}`}>
          <Group justify="space-between" wrap="nowrap" gap="xs">
            <Group gap={10} wrap="nowrap">
              <span className={styles.hint}>{key.hint}</span>
              <TypeBadge type={key.type} />
            </Group>
            <KeyMenu apiKey={key} deeds={deeds} />
          </Group>
          {key.description === "" ? null : <Description text={key.description} />}
          <dl className={styles.facts}>
            <dt>Status</dt>
            <dd>
              <StatusCell apiKey={key} nowMs={nowMs} />
            </dd>
            <dt>Last used</dt>
            <dd>
              <LastUsedCell at={key.last_used_at} nowMs={nowMs} />
            </dd>
            <dt>Created</dt>
            <dd>
              <CreatedCell at={key.created_at} by={key.created_by} nowMs={nowMs} />
            </dd>
          </dl>
        </li>
      ))}
    </ul>
  );
}

function Description({ text }: { text: string }) {
  if (text === "")
    return (
      <Text fz="sm" c="dimmed" component="span">
        No description
      </Text>
    );
  return <div className={styles.description}>{text}</div>;
}

const deadness = (key: ApiKeyJson, nowMs: number): string =>
  stateOf(key, nowMs) === "active" ? "" : (styles.dead ?? "");
