import type { ApiKeyJson } from "@latchkey/sdk/client";
import { ActionIcon, Menu, Text } from "@mantine/core";
import {
  IconBan,
  IconCalendarEvent,
  IconChartBar,
  IconClockEdit,
  IconCopy,
  IconDots,
  IconId,
  IconPencil,
  IconRefresh,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { stateOf } from "../key-state.ts";
import { isRotatable, overlapOf } from "../overlap.ts";
import { may, usePlace } from "../place.ts";
import { copyAndTell } from "./copy-and-tell.ts";
import styles from "./keys.module.css";
import { useNow } from "./use-now.ts";

/** What is done to a key in a dialog. Revoking the old one of a pair is how its rotation is finished at once. */
export type KeyDeed = "edit" | "expiry" | "rotate" | "overlap" | "revoke";

/** Begins a deed; the page holds the dialogs, for a row may vanish under them. */
export type BeginDeed = (deed: KeyDeed, key: ApiKeyJson, returnTo: string) => void;

const icon = { size: 16, stroke: 1.7, "aria-hidden": true } as const;

interface KeyMenuProps {
  apiKey: ApiKeyJson;
  begin: BeginDeed;
  /** Whether this is the key's own page, which it need not lead to. */
  onItsPage?: boolean;
  /** The key that follows this one, where it is known. */
  successor?: ApiKeyJson | undefined;
}

/** The "…" menu of a key. */
export function KeyMenu({ apiKey, begin, onItsPage = false, successor }: KeyMenuProps) {
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
        {may(account, "keys:write") ? (
          <Deeds
            apiKey={apiKey}
            successor={successor}
            onBegin={(deed) => begin(deed, apiKey, id)}
          />
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}

interface DeedsProps {
  apiKey: ApiKeyJson;
  successor: ApiKeyJson | undefined;
  onBegin: (deed: KeyDeed) => void;
}

/** What can be done to a key as it is now. */
function Deeds({ apiKey, successor, onBegin }: DeedsProps) {
  const nowMs = useNow();
  const active = stateOf(apiKey, nowMs) === "active";
  const inOverlap = overlapOf(apiKey, nowMs) !== null;
  return (
    <>
      <Menu.Item leftSection={<IconPencil {...icon} />} onClick={() => onBegin("edit")}>
        Edit description
      </Menu.Item>
      {active ? (
        <Menu.Item leftSection={<IconCalendarEvent {...icon} />} onClick={() => onBegin("expiry")}>
          Change expiry
        </Menu.Item>
      ) : null}
      {isRotatable(apiKey, nowMs, successor) ? (
        <Menu.Item leftSection={<IconRefresh {...icon} />} onClick={() => onBegin("rotate")}>
          Rotate API key
        </Menu.Item>
      ) : null}
      {inOverlap ? (
        <Menu.Item leftSection={<IconClockEdit {...icon} />} onClick={() => onBegin("overlap")}>
          Change overlap
        </Menu.Item>
      ) : null}
      {apiKey.revoked_at !== null ? null : (
        <>
          <Menu.Divider />
          <Menu.Item
            className={styles.danger ?? ""}
            leftSection={<IconBan {...icon} />}
            onClick={() => onBegin("revoke")}
          >
            {inOverlap ? "Finish now" : "Revoke API key"}
            {inOverlap ? (
              <Text component="span" display="block" fz="xs">
                Revokes this old key
              </Text>
            ) : null}
          </Menu.Item>
        </>
      )}
    </>
  );
}
