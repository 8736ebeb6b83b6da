import type { ApiKeyJson } from "@latchkey/sdk/client";
import { ActionIcon, Menu } from "@mantine/core";
import { IconBan, IconChartBar, IconCopy, IconDots, IconId, IconPencil } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { mayManage, usePlace } from "../place.ts";
import { copyAndTell } from "./copy-and-tell.ts";
import styles from "./keys.module.css";

/** What can be done to a key of the list; the page holds the dialogs, for a row may vanish under them. */
export interface KeyDeeds {
  onEdit: (key: ApiKeyJson, returnTo: string) => void;
  onRevoke: (key: ApiKeyJson, returnTo: string) => void;
}

const icon = { size: 16, stroke: 1.7, "aria-hidden": true } as const;

interface KeyMenuProps {
  apiKey: ApiKeyJson;
  deeds: KeyDeeds;
  /** Whether this is the key's own page, which it need not lead to. */
  onItsPage?: boolean;
}

/** The "…" menu of a key. */
export function KeyMenu({ apiKey, deeds, onItsPage = false }: KeyMenuProps) {
  const { account, environment } = usePlace();
  const params = { account: account.slug, environment: environment.slug, key: apiKey.id };
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
        {onItsPage ? null : (
          <Menu.Item
            leftSection={<IconChartBar {...icon} />}
            renderRoot={(props) => (
              <Link to="/$account/$environment/platform/api-keys/$key" params={params} {...props} />
            )}
          >
            View usage
          </Menu.Item>
        )}
        {token === undefined ? null : (
          <Menu.Item
            leftSection={<IconCopy {...icon} />}
            onClick={() => copyAndTell(token, "Token")}
          >
            Copy token
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<IconId {...icon} />}
          onClick={() => copyAndTell(apiKey.id, "Key id")}
        >
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
