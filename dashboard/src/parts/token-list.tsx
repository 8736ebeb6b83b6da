import type { TokenJson } from "@latchkey/sdk/client";
import { ActionIcon, Badge, Group, Menu, Table, VisuallyHidden } from "@mantine/core";
import { IconDots, IconId, IconShieldCheck, IconTool, IconTrash } from "@tabler/icons-react";
import { copyAndTell } from "./copy-and-tell.ts";
import { CreatedCell, LastUsedCell } from "./key-cells.tsx";
import styles from "./keys.module.css";
import { useNarrow } from "./use-narrow.ts";

interface TokenListProps {
  tokens: readonly TokenJson[];
  nowMs: number;
  onDelete: (token: TokenJson, returnTo: string) => void;
}

/** The operator's tokens as a table, or as cards where a table would not fit. */
export function TokenList(props: TokenListProps) {
  return useNarrow() ? <TokenCards {...props} /> : <TokenTable {...props} />;
}

function TokenTable({ tokens, nowMs, onDelete }: TokenListProps) {
  return (
    <div className={styles.box}>
      <Table className={styles.table} aria-label="Tokens" highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Token</Table.Th>
            <Table.Th>Created</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tokens.map((token) => (
            <Table.Tr key={token.id}>
              <Table.Td>
                <div className={styles.description}>{token.name}</div>
              </Table.Td>
              <Table.Td>
                <Hint token={token} />
              </Table.Td>
              <Table.Td>
                <CreatedCell at={token.created_at} by={token.created_by} nowMs={nowMs} />
              </Table.Td>
              <Table.Td>
                <LastUsedCell at={token.last_used_at} nowMs={nowMs} />
              </Table.Td>
              <Table.Td align="right">
                <TokenMenu token={token} onDelete={onDelete} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function TokenCards({ tokens, nowMs, onDelete }: TokenListProps) {
  return (
    <ul className={styles.cards} aria-label="Tokens">
      {tokens.map((token) => (
        <li key={token.id} className={styles.card}>
          <Group justify="space-between" wrap="nowrap" gap="xs">
            <Hint token={token} />
            <TokenMenu token={token} onDelete={onDelete} />
          </Group>
          <div className={styles.description}>{token.name}</div>
          <dl className={styles.facts}>
            <dt>Last used</dt>
            <dd>
              <LastUsedCell at={token.last_used_at} nowMs={nowMs} />
            </dd>
            <dt>Created</dt>
            <dd>
              <CreatedCell at={token.created_at} by={token.created_by} nowMs={nowMs} />
            </dd>
          </dl>
        </li>
      ))}
    </ul>
  );
}

/** What people recognise a token by, and its kind. */
export function Hint({ token: { hint, kind } }: { token: TokenJson }) {
  const verifies = kind === "verifier";
  const Icon = verifies ? IconShieldCheck : IconTool;
  return (
    <Group gap={10} wrap="nowrap" className={styles.key}>
      <span className={styles.hint}>{hint}</span>
      <Badge
        variant="default"
        size="sm"
        className={styles.badge}
        leftSection={<Icon size={12} aria-hidden />}
      >
        {verifies ? "Verifier" : "Operator"}
      </Badge>
    </Group>
  );
}

function TokenMenu({ token, onDelete }: Pick<TokenListProps, "onDelete"> & { token: TokenJson }) {
  // Menu gives it to its target; that is where the focus goes back to.
  const id = `actions-${token.id}`;
  return (
    <Menu id={id} position="bottom-end" width={210}>
      <Menu.Target>
        <ActionIcon aria-label={`Actions for ${token.name}, ${token.hint}`} size="md">
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconId size={16} stroke={1.7} aria-hidden />}
          onClick={() => copyAndTell(token.id, "Token id")}
        >
          Copy token id
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          className={styles.danger ?? ""}
          leftSection={<IconTrash size={16} stroke={1.7} aria-hidden />}
          onClick={() => onDelete(token, id)}
        >
          Delete token
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
