import type { ApiKeyJson } from "@latchkey/sdk/client";
import { ActionIcon, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconBan, IconCopy, IconDots, IconId, IconPencil } from "@tabler/icons-react";
import { mayManage, usePlace } from "../place.ts";
import styles from "./keys.module.css";
import { copyText } from "./use-copy.ts";

/** What can be done to a key of the list; the page holds the dialogs, for a row may vanish under them. */
export interface KeyDeeds {
  onEdit: (key: ApiKeyJson, returnTo: string) => void;
  onRevoke: (key: ApiKeyJson, returnTo: string) => void;
}

const icon = { size: 16, stroke: 1.7, "aria-hidden": true } as const;

/** The "…" menu of a row. */
export function KeyMenu({ apiKey, deeds }: { apiKey: ApiKeyJson; deeds: KeyDeeds }) {
  const { account } = usePlace();
  // Menu gives it to its target; that is where the focus goes back to.
  const id = `actions-${apiKey.id}`;
  const token = apiKey.type === "public" ? apiKey.api_key : undefined;
  return (
    <Menu id={id} position="bottom-end" width={210}>
      <Menu.Target>
        <ActionIcon aria-label={`Actions for ${apiKey.hint}`} size="md">
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {token === undefined ? null : (
          <Menu.Item leftSection={<IconCopy {...icon} />} onClick={() => copy(token, "Token")}>
            Copy token
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconId {...icon} />} onClick={() => copy(apiKey.id, "Key id")}>
          Copy key id
        </Menu.Item>
        {mayManage(account.role) ? (
          <>
            <Menu.Item
              leftSection={<IconPencil {...icon} />}
              onClick={() => deeds.onEdit(apiKey, id)}
            >
              Edit description
            </Menu.Item>
            {apiKey.revoked_at === null ? (
              <>
                <Menu.Divider />
                <Menu.Item
                  className={styles.danger ?? ""}
                  leftSection={<IconBan {...icon} />}
                  onClick={() => deeds.onRevoke(apiKey, id)}
                >
                  Revoke API key
                </Menu.Item>
              </>
            ) : null}
          </>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Copies and says so in the corner, for the menu is gone by then. */
function copy(value: string, what: string): void {
  void copyText(value).then((done) =>
    notifications.show(
      done
        ? { message: `${what} copied` }
        : { color: "red", message: `${what} not copied: the browser refused.` },
    ),
  );
}
