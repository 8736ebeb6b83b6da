import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Button, Group, Text } from "@mantine/core";
import { useMemo } from "react";
import { counted } from "../counts.ts";
import { pairUp } from "../key-pairs.ts";
import { KeyList } from "./key-list.tsx";
import type { BeginDeed } from "./key-menu.tsx";
import styles from "./keys.module.css";
import { useHours } from "./use-hours.ts";
import { useNow } from "./use-now.ts";
import { useSelection } from "./use-selection.ts";
import { useSplits } from "./use-splits.ts";

interface KeyBoardProps {
  keys: readonly ApiKeyJson[];
  begin: BeginDeed;
  /** Revokes the chosen; absent for those who may not. */
  onRevoke: ((keys: readonly ApiKeyJson[], returnTo: string) => void) | undefined;
}

/** A page of keys with what they did of late, those of a rotation together, and what can be done to several of them. */
export function KeyBoard({ keys, begin, onRevoke }: KeyBoardProps) {
  const nowMs = useNow();
  const paired = useMemo(() => pairUp(keys, nowMs), [keys, nowMs]);
  const { selection, chosen } = useSelection(keys);
  const hoursOf = useHours(keys.map(({ id }) => id));
  const splitOf = useSplits(paired.rotations);
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
        paired={paired}
        nowMs={nowMs}
        begin={begin}
        hoursOf={hoursOf}
        splitOf={splitOf}
        selection={onRevoke === undefined ? undefined : selection}
      />
    </>
  );
}
