import type { EnvironmentJson } from "@latchkey/sdk/client";
import { ActionIcon, Badge, Code, Group, Menu, Text } from "@mantine/core";
import { IconDots, IconPencil, IconTrash } from "@tabler/icons-react";
import { may, usePlace } from "../place.ts";
import styles from "./keys.module.css";
import { Moment } from "./moment.tsx";
import { useNow } from "./use-now.ts";

interface EnvironmentListProps {
  onRename: (environment: EnvironmentJson, returnTo: string) => void;
  onDelete: (environment: EnvironmentJson, returnTo: string) => void;
}

/** The account's environments, oldest first as in the switcher. */
export function EnvironmentList(props: EnvironmentListProps) {
  const { account, environment: current, environments } = usePlace();
  const nowMs = useNow();
  return (
    <ul className={styles.rows} aria-label="Environments">
      {environments.map((environment) => (
        <li key={environment.id} className={styles.row}>
          <div>
            <Group gap="sm">
              <Text fw={600} fz="sm">
                {environment.name}
              </Text>
              <Code>{environment.slug}</Code>
              {environment.id === current.id ? (
                <Badge size="sm" variant="light" className={styles.badge}>
                  You are here
                </Badge>
              ) : null}
            </Group>
            <Text fz="xs" c="dimmed" mt={4}>
              Created <Moment at={environment.created_at} nowMs={nowMs} />
            </Text>
          </div>
          {may(account, "environments:write") ? (
            <EnvironmentMenu environment={environment} only={environments.length < 2} {...props} />
          ) : null}
        </li>
      ))}
    </ul>
  );
}

interface EnvironmentMenuProps extends EnvironmentListProps {
  environment: EnvironmentJson;
  /** The account has no other, so this one stays. */
  only: boolean;
}

function EnvironmentMenu({ environment, only, onRename, onDelete }: EnvironmentMenuProps) {
  // Menu gives it to its target; that is where the focus goes back to.
  const id = `actions-${environment.id}`;
  return (
    <Menu id={id} position="bottom-end" width={210}>
      <Menu.Target>
        <ActionIcon aria-label={`Actions for ${environment.name}`}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconPencil size={16} aria-hidden />}
          onClick={() => onRename(environment, id)}
        >
          Rename environment
        </Menu.Item>
        {only ? null : (
          <Menu.Item
            className={styles.danger ?? ""}
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => onDelete(environment, id)}
          >
            Delete environment
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
