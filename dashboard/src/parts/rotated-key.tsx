import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconClockHour4 } from "@tabler/icons-react";
import { type Overlap, overlapOf } from "../overlap.ts";
import { formatMoment, formatRelative, formatSpan } from "../times.ts";
import { IssuedKey } from "./issued-key.tsx";
import { Receipt } from "./receipt.tsx";
import { useNow } from "./use-now.ts";

/** What rotating has answered: the new key, with its token unless that was lost, and the old one. */
export type Rotated = ApiKeyJson & { predecessor: ApiKeyJson };

interface RotatedKeyProps {
  rotated: Rotated;
  onDone: () => void;
  /** Revokes the new key, whose token was lost. */
  onRevoke: () => void;
}

/** The new token, to be copied now, and what becomes of the old one. */
export function RotatedKey({ rotated, onDone, onRevoke }: RotatedKeyProps) {
  const { predecessor } = rotated;
  if (rotated.api_key === undefined)
    return (
      <Stack>
        <Alert color="red" variant="light" title="The new token was lost on its way">
          <Text fz="sm">
            The key was rotated at the first attempt, but the answer with the token of its successor{" "}
            {rotated.hint} never arrived here, and a token is given out only once.{" "}
            {predecessor.revoked_at === null
              ? "Revoke the successor; then the old key can be rotated again."
              : "Revoke the successor and create another key."}
          </Text>
        </Alert>
        <OldKey apiKey={predecessor} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Close
          </Button>
          <Button color="red" onClick={onRevoke} data-autofocus>
            Revoke {rotated.hint}
          </Button>
        </Group>
      </Stack>
    );
  return (
    <IssuedKey apiKey={rotated} onDone={onDone}>
      <OldKey apiKey={predecessor} />
    </IssuedKey>
  );
}

/** What becomes of the old key, and when, in the reader's time. */
function OldKey({ apiKey }: { apiKey: ApiKeyJson }) {
  const nowMs = useNow();
  const overlap = overlapOf(apiKey, nowMs);
  if (apiKey.revoked_at !== null)
    return (
      <Stack gap={6}>
        <Text fz="sm" fw={600}>
          Old key {apiKey.hint}: revoked
        </Text>
        <Receipt revocation={apiKey.revocation} />
      </Stack>
    );
  return (
    <Alert
      color="cobalt"
      variant="light"
      icon={<IconClockHour4 aria-hidden />}
      title={`Old key ${apiKey.hint}`}
    >
      <Text fz="sm">{overlap === null ? "It has ended." : fateOf(apiKey, overlap, nowMs)}</Text>
    </Alert>
  );
}

function fateOf({ overlap: length }: ApiKeyJson, overlap: Overlap, nowMs: number): string {
  if (overlap.state === "running")
    return `It is accepted until ${formatMoment(overlap.end)} (${formatRelative(overlap.end, nowMs)}), and refused everywhere from then on.`;
  const span = length === null ? "" : `${formatSpan(length.seconds)} after `;
  const latest =
    overlap.end === null ? "" : `, and until ${formatMoment(overlap.end)} at the latest`;
  return `It is accepted until ${span}the first use of the new key${latest}.`;
}
