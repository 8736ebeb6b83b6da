import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Button, Group, Text } from "@mantine/core";
import { counted } from "../counts.ts";
import { KeyList } from "./key-list.tsx";
import type { KeyDeeds } from "./key-menu.tsx";
import styles from "./keys.module.css";
import { useHours } from "./use-hours.ts";
import { useNow } from "./use-now.ts";
import { useSelection } from "./use-selection.ts";

interface KeyBoardProps {
  keys: readonly ApiKeyJson[];
  deeds: KeyDeeds;
  /** Revokes the chosen; absent for those who may not. */
  onRevoke: ((keys: readonly ApiKeyJson[], returnTo: string) => void) | undefined;
}

/** A page of keys with what they did in the last 24 hours, and what can be done to several of them. */
export function KeyBoard({ keys, deeds, onRevoke }: KeyBoardProps) {
  const nowMs = useNow();
  const { selection, chosen } = useSelection(keys);
  const hoursOf = useHours(keys.map(({ id }) => id));
  return (
    <>
      {chosen.length === 0 || onRevoke === undefined ? null : (
        <Group className={styles.bulk} justify="space-between">
          <Text fz="sm" role="status">
            {counted(chosen.length, "API key")} selected
          </Text>
          <Button
            id="revoke-selected"
            color="red"
            size="xs"
            onClick={() => onRevoke(chosen, "revoke-selected")}
          >
            Revoke selected ({chosen.length})
          </Button>
        </Group>
      )}
      <KeyList
        keys={keys}
        nowMs={nowMs}
        deeds={deeds}
        hoursOf={hoursOf}
        selection={onRevoke === undefined ? undefined : selection}
      />
    </>
  );
}
