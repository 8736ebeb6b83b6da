import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Button, Group, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMemo } from "react";
import { isWithoutSuccessor, overlapOf, timeLeft } from "../overlap.ts";
import { may, usePlace } from "../place.ts";
import { midSentence } from "../sentences.ts";
import { formatMoment } from "../times.ts";
import { KeyLink } from "./key-cells.tsx";
import type { BeginDeed } from "./key-menu.tsx";
import styles from "./pairs.module.css";
import { TrafficBar } from "./traffic-bar.tsx";
import { useSplits } from "./use-splits.ts";

interface KeyPairProps {
  old: ApiKeyJson;
  /** `undefined` while it is not known. */
  successor: ApiKeyJson | undefined;
  nowMs: number;
  begin: BeginDeed;
}

/** A rotation that is under way, on the pages of both its keys; nothing when there is none. */
export function KeyPair({ old, successor, nowMs, begin }: KeyPairProps) {
  const overlap = overlapOf(old, nowMs);
  if (overlap === null || old.rotated_to === null) return null;
  const inVain = isWithoutSuccessor(old, nowMs, successor);
  const when = overlap.end === null ? "" : ` (${formatMoment(overlap.end)})`;
  return (
    <section className={styles.card} aria-label="Rotation">
      <Group justify="space-between" align="flex-start" gap="sm">
        <div>
          <Group gap={8} wrap="nowrap">
            <IconRefresh size={16} aria-hidden />
            <Text fz="sm" fw={600}>
              {inVain ? "Rotated in vain: the successor has ended" : "Being rotated"}
            </Text>
          </Group>
          <Text fz="sm" mt={6}>
            Old key <KeyLink id={old.id} hint={old.hint} />, new key{" "}
            <KeyLink id={old.rotated_to} hint={successor?.hint ?? "its successor"} />
          </Text>
          <Text fz="sm" mt={2}>
            {inVain && overlap.state === "waiting"
              ? "Nothing ends by itself: the old key can be rotated again."
              : `The old key ${midSentence(timeLeft(overlap, nowMs))}${when}.`}
          </Text>
        </div>
        <PairDeeds old={old} inVain={inVain} begin={begin} />
      </Group>
      <Traffic oldId={old.id} newId={old.rotated_to} />
    </section>
  );
}

function PairDeeds({
  old,
  inVain,
  begin,
}: Pick<KeyPairProps, "old" | "begin"> & { inVain: boolean }) {
  const { account } = usePlace();
  if (!may(account, "keys:write")) return null;
  const [again, overlap, finish] = ["again", "overlap", "finish"].map((one) => `${one}-${old.id}`);
  return (
    <Group gap="xs">
      {inVain ? (
        <Button id={again} size="xs" onClick={() => begin("rotate", old, again ?? "")}>
          Rotate again
        </Button>
      ) : null}
      <Button
        id={overlap}
        size="xs"
        variant="default"
        onClick={() => begin("overlap", old, overlap ?? "")}
      >
        Change overlap
      </Button>
      <Button
        id={finish}
        size="xs"
        color="red"
        variant="light"
        onClick={() => begin("revoke", old, finish ?? "")}
      >
        Finish now
      </Button>
    </Group>
  );
}

function Traffic({ oldId, newId }: { oldId: string; newId: string }) {
  const rotations = useMemo(() => [{ oldId, newId }], [oldId, newId]);
  const splitOf = useSplits(rotations);
  return <TrafficBar split={splitOf(oldId)} />;
}
