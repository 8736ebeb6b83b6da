import type { TokenJson } from "@latchkey/sdk/client";
import { ActionIcon, Badge, Group, Menu } from "@mantine/core";
import { IconDots, IconId, IconShieldCheck, IconTool, IconTrash } from "@tabler/icons-react";
import { copyAndTell } from "./copy-and-tell.ts";
import { CreatedCell, LastUsedCell } from "./key-cells.tsx";
import styles from "./keys.module.css";
import { type Column, Records } from "./records.tsx";

interface TokenListProps {
  tokens: readonly TokenJson[];
  nowMs: number;
  onDelete: (token: TokenJson, returnTo: string) => void;
}

/** The operator's tokens as a table, or as cards where a table would not fit. */
export function TokenList({ tokens, nowMs, onDelete }: TokenListProps) {
  return (
    <Records
      name="Tokens"
      rows={tokens}
      idOf={({ id }) => id}
      head={{ name: "Token", cell: (token) => <Hint token={token} /> }}
      columns={columnsAt(nowMs)}
      actions={(token) => <TokenMenu token={token} onDelete={onDelete} />}
    />
  );
}

const columnsAt = (nowMs: number): Column<TokenJson>[] => [
  {
    name: "Name",
    plain: true,
    cell: ({ name }) => <div className={styles.description}>{name}</div>,
  },
  {
    name: "Created",
    cell: ({ created_at, created_by }) => (
      <CreatedCell at={created_at} by={created_by} nowMs={nowMs} />
    ),
  },
  {
    name: "Last used",
    cell: ({ last_used_at }) => <LastUsedCell at={last_used_at} nowMs={nowMs} />,
  },
];

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
