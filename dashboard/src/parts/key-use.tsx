import type { ApiKeyJson, ApiKeyUsageJson } from "@latchkey/sdk/client";
import { Alert, Skeleton, Text } from "@mantine/core";
import { IconActivity, IconMoon } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { formatCount } from "../counts.ts";
import { type LastUse, lastUseOf } from "../last-use.ts";
import { usePlace } from "../place.ts";
import { formatAgo, formatMoment } from "../times.ts";
import { keyUsageQuery } from "../usage-api.ts";
import styles from "./keys.module.css";
import { useNow } from "./use-now.ts";

/** Callers that a dialog names; the key's page has the others. */
const callersShown = 3;

interface KeyUseProps {
  apiKey: ApiKeyJson;
  /** What is about to be done: only what ends the key at once is to be warned of. */
  deed: "Revoking" | "Rotating";
}

/** Whether somebody uses a key, in one plain sentence, and by what that is known. It never stands in a deed's way. */
export function KeyUse({ apiKey, deed }: KeyUseProps) {
  const { account, environment } = usePlace();
  const nowMs = useNow();
  const usage = useQuery(keyUsageQuery(account.slug, environment.slug, apiKey.id, "24h"));
  if (usage.data !== undefined) return <Known usage={usage.data} nowMs={nowMs} deed={deed} />;
  if (usage.isPending)
    // About as high as what comes, so that no button moves away under a finger.
    return (
      <div role="status" aria-label="Reading who uses the key">
        <Skeleton height={170} />
      </div>
    );
  const use = { lastUsedAt: apiKey.last_used_at, callersLastDay: 0, latestAddress: null };
  return (
    <>
      <Verdict use={lastUseOf(use, nowMs)} deed={deed} />
      <Text fz="sm" c="dimmed">
        Who uses it, and how much, could not be read. {deed} works all the same.
      </Text>
    </>
  );
}

interface KnownProps extends Pick<KeyUseProps, "deed"> {
  usage: ApiKeyUsageJson;
  nowMs: number;
}

function Known({ usage, nowMs, deed }: KnownProps) {
  const { totals, callers, last_used_at } = usage;
  const use = {
    lastUsedAt: last_used_at,
    callersLastDay: usage.callers_last_24_hours,
    latestAddress: callers[0]?.address ?? null,
  };
  return (
    <>
      <Verdict use={lastUseOf(use, nowMs)} deed={deed} />
      <dl className={`${styles.facts} ${styles.first}`}>
        <dt>Last used</dt>
        <dd>
          {last_used_at === null
            ? "Never"
            : `${formatAgo(last_used_at, nowMs)} (${formatMoment(last_used_at)})`}
        </dd>
        <dt>Last 24 hours</dt>
        <dd>{inWords(totals.last_24_hours)}</dd>
        <dt>Last 7 days</dt>
        <dd>{inWords(totals.last_7_days)}</dd>
        {callers.length === 0 ? null : (
          <>
            <dt>Callers</dt>
            <dd>
              <ul className={styles.plain}>
                {callers.slice(0, callersShown).map(({ address, user_agent, last_seen_at }) => (
                  <li key={`${address} ${user_agent}`}>
                    {address ?? "Unknown address"}, {formatAgo(last_seen_at, nowMs)}
                    <Text fz="xs" c="dimmed" truncate>
                      {user_agent}
                    </Text>
                  </li>
                ))}
                {callers.length > callersShown ? (
                  <li>and {formatCount(callers.length - callersShown)} more</li>
                ) : null}
              </ul>
            </dd>
          </>
        )}
      </dl>
    </>
  );
}

const faces = {
  in_use: { color: "red", icon: IconActivity },
  recent: { color: "yellow", icon: IconActivity },
  quiet: { color: "green", icon: IconMoon },
  never: { color: "green", icon: IconMoon },
} as const;

/** The sentence by which people decide. */
function Verdict({ use: { state, sentence }, deed }: Pick<KeyUseProps, "deed"> & { use: LastUse }) {
  const { color, icon: Icon } =
    deed === "Revoking" ? faces[state] : { ...faces[state], color: "cobalt" };
  return (
    <Alert color={color} variant="light" icon={<Icon aria-hidden />} py="sm">
      <Text fz="sm" fw={600}>
        {sentence}
      </Text>
    </Alert>
  );
}

const inWords = ({ accepted, refused }: { accepted: number; refused: number }): string =>
  `${formatCount(accepted)} accepted, ${formatCount(refused)} refused`;
