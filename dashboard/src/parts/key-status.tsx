import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Badge, Text, Tooltip } from "@mantine/core";
import { IconClockExclamation, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { endsSoon, stateOf } from "../key-state.ts";
import { type Overlap, overlapOf, timeLeft } from "../overlap.ts";
import { confirmation, isEffective, lapses } from "../receipts.ts";
import { formatMoment, formatRelative } from "../times.ts";
import styles from "./keys.module.css";
import { Moment } from "./moment.tsx";

interface StatusCellProps {
  apiKey: ApiKeyJson;
  nowMs: number;
  /** What belongs below it, such as a pair's traffic. */
  children?: ReactNode;
}

/** The state of a key with what belongs to it: until when, or since when, by whom and why. */
export function StatusCell(props: StatusCellProps) {
  const { apiKey, nowMs, children } = props;
  const overlap = overlapOf(apiKey, nowMs);
  const state = stateOf(apiKey, nowMs);
  return (
    <div className={styles.status}>
      {overlap !== null ? (
        <InOverlap overlap={overlap} nowMs={nowMs} />
      ) : state === "active" ? (
        <Active {...props} />
      ) : state === "expired" ? (
        <Expired {...props} />
      ) : (
        <Revoked {...props} />
      )}
      {children}
    </div>
  );
}

function InOverlap({ overlap, nowMs }: { overlap: Overlap; nowMs: number }) {
  return (
    <>
      <Badge
        variant="light"
        size="sm"
        color="cobalt"
        className={styles.badge}
        leftSection={<IconRefresh size={12} aria-hidden />}
      >
        Being rotated
      </Badge>
      <Tooltip
        label={overlap.end === null ? "" : formatMoment(overlap.end)}
        disabled={overlap.end === null}
      >
        <Text fz="xs" className={styles.detail}>
          {timeLeft(overlap, nowMs)}
        </Text>
      </Tooltip>
    </>
  );
}

function Active({ apiKey, nowMs }: StatusCellProps) {
  const end = apiKey.expires_at;
  if (end !== null && endsSoon(apiKey, nowMs))
    return (
      <Tooltip label={formatMoment(end)}>
        <Badge
          variant="light"
          size="sm"
          color="yellow"
          className={styles.badge}
          leftSection={<IconClockExclamation size={12} aria-hidden />}
        >
          Expires {formatRelative(end, nowMs)}
        </Badge>
      </Tooltip>
    );
  return (
    <>
      <Badge variant="light" size="sm" color="green" className={styles.badge}>
        Active
      </Badge>
      {end === null ? null : (
        <Tooltip label={formatMoment(end)}>
          <Text component="time" dateTime={end} fz="xs" c="dimmed">
            Expires {formatRelative(end, nowMs)}
          </Text>
        </Tooltip>
      )}
    </>
  );
}

function Expired({ apiKey, nowMs }: StatusCellProps) {
  return (
    <>
      <Badge variant="light" size="sm" color="yellow" className={styles.badge}>
        Expired
      </Badge>
      {apiKey.expires_at === null ? null : (
        <Text fz="xs" c="dimmed">
          <Moment at={apiKey.expires_at} nowMs={nowMs} />
        </Text>
      )}
    </>
  );
}

/** Since when, by whom and why; and the receipt, which people look for when somebody asks whether it is over. */
function Revoked({ apiKey, nowMs }: StatusCellProps) {
  const { revocation } = apiKey;
  if (apiKey.revoked_at === null) return null;
  return (
    <>
      <Badge variant="light" size="sm" color="red" className={styles.badge}>
        Revoked
      </Badge>
      <Text fz="xs" c="dimmed" className={styles.detail}>
        <Moment at={apiKey.revoked_at} nowMs={nowMs} />
        {apiKey.revoked_by === null ? null : ` by ${apiKey.revoked_by.name}`}
        {apiKey.revoked_reason === null || apiKey.revoked_reason === ""
          ? null
          : `: ${apiKey.revoked_reason}`}
      </Text>
      <Tooltip
        label={`Since ${formatMoment(revocation?.effective_at ?? apiKey.revoked_at)}`}
        disabled={!isEffective(revocation)}
      >
        <Text fz="xs" c="dimmed" className={styles.detail}>
          {revocation === null || !isEffective(revocation)
            ? "Not yet confirmed everywhere"
            : [confirmation(revocation), lapses(revocation)].filter(Boolean).join(". ")}
        </Text>
      </Tooltip>
    </>
  );
}
