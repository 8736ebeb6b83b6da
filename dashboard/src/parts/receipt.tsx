import type { RevocationJson } from "@latchkey/sdk/client";
import { Alert, Text } from "@mantine/core";
import { IconCircleCheck, IconClockHour4 } from "@tabler/icons-react";
import { confirmation, isEffective, lapses } from "../receipts.ts";

/** What a revocation answered, in words: how long it took, who confirmed, who was waited out. `null`: still pending. */
export function Receipt({ revocation }: { revocation: RevocationJson | null }) {
  if (revocation === null || !isEffective(revocation))
    return (
      <Alert
        role="status"
        color="yellow"
        variant="light"
        icon={<IconClockHour4 aria-hidden />}
        title="Recorded; not yet confirmed everywhere"
      >
        <Text fz="sm">
          It is final, and the server goes on by itself. Verifiers that have not confirmed stop
          accepting as soon as their lease runs out.
        </Text>
      </Alert>
    );
  return (
    <Alert
      role="status"
      color="green"
      variant="light"
      icon={<IconCircleCheck aria-hidden />}
      title={confirmation(revocation)}
    >
      <Text fz="sm">{lapses(revocation) ?? "No server accepts it any more."}</Text>
    </Alert>
  );
}

/** What is left to say when a deletion had been done before: its receipt went to whoever asked first, or was lost. */
export function AlreadyGone() {
  return (
    <Alert
      role="status"
      color="green"
      variant="light"
      icon={<IconCircleCheck aria-hidden />}
      title="Already deleted, and refused everywhere"
    >
      <Text fz="sm">It was deleted before this attempt. No server accepts its keys any more.</Text>
    </Alert>
  );
}
