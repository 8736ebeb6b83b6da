import type { RevocationJson } from "@latchkey/sdk/client";
import { Alert, Text } from "@mantine/core";
import { IconCircleCheck, IconClockHour4 } from "@tabler/icons-react";
import { formatDuration } from "../times.ts";

/** What a revocation answered, in words: who confirmed, who was waited out, how long it took. */
export function Receipt({ revocation }: { revocation: RevocationJson | null }) {
  if (revocation === null || revocation.state === "pending")
    return (
      <Alert
        role="status"
        color="yellow"
        variant="light"
        icon={<IconClockHour4 aria-hidden />}
        title="Recorded; not yet confirmed everywhere"
      >
        <Text fz="sm">
          It is final. Verifiers that have not confirmed stop accepting as soon as their lease runs
          out.
        </Text>
      </Alert>
    );
  const { acknowledged, lapsed, took_ms: tookMs } = revocation;
  const total = acknowledged + lapsed;
  const after = tookMs === null ? "" : ` after ${formatDuration(tookMs)}`;
  return (
    <Alert
      role="status"
      color="green"
      variant="light"
      icon={<IconCircleCheck aria-hidden />}
      title={`Refused everywhere${after}: ${acknowledged} of ${total} verifiers confirmed`}
    >
      <Text fz="sm">
        {lapsed === 0 ? "No server accepts it any more." : lapseText(lapsed, total, tookMs)}
      </Text>
    </Alert>
  );
}

function lapseText(lapsed: number, total: number, tookMs: number | null): string {
  const lease = lapsed === 1 ? "its lease" : "their leases";
  const end = tookMs === null ? "" : ` after ${formatDuration(tookMs)}`;
  return `${lapsed} of ${total} did not answer; ${lease} ran out${end}.`;
}
