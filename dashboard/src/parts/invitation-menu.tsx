import type { InvitationJson } from "@latchkey/sdk/client";
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots, IconMailForward, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { setUpQuery } from "../api.ts";
import styles from "./keys.module.css";

interface InvitationMenuProps {
  invitation: InvitationJson;
  onSend: (invitation: InvitationJson, returnTo: string) => void;
  onCancel: (invitation: InvitationJson, returnTo: string) => void;
}

const icon = { size: 16, stroke: 1.7, "aria-hidden": true } as const;

/** The "…" menu of an invitation. */
export function InvitationMenu({ invitation, onSend, onCancel }: InvitationMenuProps) {
  const mails = useQuery(setUpQuery).data?.mail ?? invitation.mailed;
  // Menu gives it to its target; that is where the focus goes back to.
  const id = `actions-${invitation.id}`;
  return (
    <Menu id={id} position="bottom-end" width={210}>
      <Menu.Target>
        <ActionIcon aria-label={`Actions for the invitation of ${invitation.email}`} size="md">
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconMailForward {...icon} />}
          onClick={() => onSend(invitation, id)}
        >
          {mails ? "Send again" : "Get a new link"}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          className={styles.danger ?? ""}
          leftSection={<IconX {...icon} />}
          onClick={() => onCancel(invitation, id)}
        >
          Cancel invitation
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
