import type { MemberJson } from "@latchkey/sdk/client";
import { ActionIcon, Badge, Group, Menu, Text } from "@mantine/core";
import {
  IconDoorExit,
  IconDots,
  IconId,
  IconKey,
  IconShieldCheck,
  IconUserCog,
  IconUserMinus,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { formatCount } from "../counts.ts";
import { rolesInReach } from "../people-api.ts";
import { may, usePlace } from "../place.ts";
import { ROLES } from "../roles.ts";
import { copyAndTell } from "./copy-and-tell.ts";
import styles from "./keys.module.css";
import { Moment } from "./moment.tsx";
import { type Column, Records } from "./records.tsx";

type Begin = (member: MemberJson, returnTo: string) => void;

interface MemberListProps {
  members: readonly MemberJson[];
  nowMs: number;
  onChangeRole: Begin;
  onRemove: Begin;
  onLeave: Begin;
}

/** The people of an account as a table, or as cards where a table would not fit. */
export function MemberList({ members, nowMs, ...deeds }: MemberListProps) {
  const { person } = usePlace();
  return (
    <Records
      name="Members"
      rows={members}
      idOf={({ id }) => id}
      head={{
        name: "Name",
        cell: (member) => <Name member={member} own={member.id === person.id} />,
      }}
      columns={columnsAt(nowMs)}
      actions={(member) => <MemberMenu member={member} {...deeds} />}
    />
  );
}

const columnsAt = (nowMs: number): Column<MemberJson>[] => [
  { name: "Role", cell: ({ role }) => ROLES[role].name },
  { name: "Second factor", cell: ({ two_factor }) => <SecondFactorBadge on={two_factor} /> },
  { name: "Joined", cell: ({ joined_at }) => <Moment at={joined_at} nowMs={nowMs} /> },
  {
    name: "Active API keys",
    numeric: true,
    cell: ({ active_api_keys }) => formatCount(active_api_keys),
  },
];

function Name({ member, own }: { member: MemberJson; own: boolean }) {
  return (
    <div className={styles.person}>
      <Group gap={8} wrap="nowrap">
        <Text fz="sm" fw={600} className={styles.text}>
          {member.name}
        </Text>
        {own ? (
          <Badge size="sm" variant="light" className={styles.badge}>
            You
          </Badge>
        ) : null}
      </Group>
      <Text fz="xs" c="dimmed" className={styles.text}>
        {member.email}
      </Text>
    </div>
  );
}

/** Whether somebody signs in with a code besides the password. */
export function SecondFactorBadge({ on }: { on: boolean }) {
  return on ? (
    <Badge
      variant="light"
      color="green"
      size="sm"
      className={styles.badge}
      leftSection={<IconShieldCheck size={12} aria-hidden />}
    >
      On
    </Badge>
  ) : (
    <Badge variant="default" size="sm" className={styles.badge}>
      Off
    </Badge>
  );
}

const icon = { size: 16, stroke: 1.7, "aria-hidden": true } as const;

function MemberMenu(props: Omit<MemberListProps, "members" | "nowMs"> & { member: MemberJson }) {
  const { member, onChangeRole, onRemove, onLeave } = props;
  const { account, environment, person } = usePlace();
  // Menu gives it to its target; that is where the focus goes back to.
  const id = `actions-${member.id}`;
  const own = member.id === person.id;
  const reaches = may(account, "members:write") && rolesInReach(account).includes(member.role);
  return (
    <Menu id={id} position="bottom-end" width={230}>
      <Menu.Target>
        <ActionIcon aria-label={`Actions for ${member.name}, ${member.email}`} size="md">
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {may(account, "keys:read") ? (
          <Menu.Item
            leftSection={<IconKey {...icon} />}
            renderRoot={(root) => (
              <Link
                to="/$account/$environment/platform/api-keys"
                params={{ account: account.slug, environment: environment.slug }}
                search={{ created_by: member.id }}
                {...root}
              />
            )}
          >
            API keys {own ? "you" : "they"} created
          </Menu.Item>
        ) : null}
        <Menu.Item
          leftSection={<IconId {...icon} />}
          onClick={() => copyAndTell(member.id, "Person id")}
        >
          Copy person id
        </Menu.Item>
        {reaches ? (
          <Menu.Item
            leftSection={<IconUserCog {...icon} />}
            onClick={() => onChangeRole(member, id)}
          >
            Change role
          </Menu.Item>
        ) : null}
        {reaches || own ? <Menu.Divider /> : null}
        {own ? (
          <Menu.Item
            className={styles.danger ?? ""}
            leftSection={<IconDoorExit {...icon} />}
            onClick={() => onLeave(member, id)}
          >
            Leave account
          </Menu.Item>
        ) : reaches ? (
          <Menu.Item
            className={styles.danger ?? ""}
            leftSection={<IconUserMinus {...icon} />}
            onClick={() => onRemove(member, id)}
          >
            Remove
          </Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
