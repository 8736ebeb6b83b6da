import { ActionIcon, Badge, Group, Menu, Text, Tooltip } from "@mantine/core";
import { IconDots, IconId, IconShieldCheck, IconTool, IconTrash } from "@tabler/icons-react";
import { formatMoment, formatRelative } from "../times.ts";
import { endOfToken, hasExpired, type Token } from "../tokens.ts";
import { copyAndTell } from "./copy-and-tell.ts";
import { CreatedCell, LastUsedCell } from "./key-cells.tsx";
import styles from "./keys.module.css";
import { Moment } from "./moment.tsx";
import { type Column, Records } from "./records.tsx";

interface TokenListProps {
  name: string;
  tokens: readonly Token[];
  /** Whether tokens of this list can end by themselves. */
  expiring: boolean;
  nowMs: number;
  onDelete: (token: Token, returnTo: string) => void;
}

/** Tokens as a table, or as cards where a table would not fit. */
export function TokenList({ name, tokens, expiring, nowMs, onDelete }: TokenListProps) {
  return (
    <Records
      name={name}
      rows={tokens}
      idOf={({ id }) => id}
      head={{ name: "Token", cell: (token) => <Hint token={token} /> }}
      columns={columnsAt(nowMs, expiring)}
      actions={(token) => <TokenMenu token={token} onDelete={onDelete} />}
    />
  );
}

const columnsAt = (nowMs: number, expiring: boolean): Column<Token>[] => [
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
  ...(expiring
    ? [{ name: "Expires", cell: (token: Token) => <EndCell token={token} nowMs={nowMs} /> }]
    : []),
  {
    name: "Last used",
    cell: ({ last_used_at }) => <LastUsedCell at={last_used_at} nowMs={nowMs} />,
  },
];

/** When it ends or ended, or "Never". */
function EndCell({ token, nowMs }: { token: Token; nowMs: number }) {
  const end = endOfToken(token);
  if (end === null)
    return (
      <Text fz="sm" c="dimmed" component="span">
        Never
      </Text>
    );
  if (hasExpired(token, nowMs))
    return (
      <>
        <Badge variant="light" size="sm" color="yellow" className={styles.badge}>
          Expired
        </Badge>
        <Text fz="xs" c="dimmed">
          <Moment at={end} nowMs={nowMs} />
        </Text>
      </>
    );
  return (
    <Tooltip label={formatMoment(end)}>
      <time dateTime={end}>{formatRelative(end, nowMs)}</time>
    </Tooltip>
  );
}

/** What people recognise a token by, and its kind where tokens of several kinds stand together. */
export function Hint({ token: { hint, kind } }: { token: Token }) {
  return (
    <Group gap={10} wrap="nowrap" className={styles.key}>
      <span className={styles.hint}>{hint}</span>
      {kind === "service" ? null : <KindBadge kind={kind} />}
    </Group>
  );
}

function KindBadge({ kind }: { kind: "verifier" | "operator" }) {
  const verifies = kind === "verifier";
  const Icon = verifies ? IconShieldCheck : IconTool;
  return (
    <Badge
      variant="default"
      size="sm"
      className={styles.badge}
      leftSection={<Icon size={12} aria-hidden />}
    >
      {verifies ? "Verifier" : "Operator"}
    </Badge>
  );
}

function TokenMenu({ token, onDelete }: Pick<TokenListProps, "onDelete"> & { token: Token }) {
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
