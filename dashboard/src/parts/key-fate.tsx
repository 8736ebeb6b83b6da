import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Badge, Loader, Text } from "@mantine/core";
import { explain, isRefused } from "../failures.ts";
import { isInUse } from "../last-use.ts";
import { confirmation, isEffective, lapses } from "../receipts.ts";
import { formatAgo } from "../times.ts";
import styles from "./keys.module.css";
import type { Fate } from "./use-revocations.ts";

interface KeyFateProps {
  apiKey: ApiKeyJson;
  nowMs: number;
  /** What has become of it; absent before anything was begun. */
  fate: Fate | undefined;
}

/** One of several keys that are revoked together: when it was used last or, later, its receipt. */
export function KeyFate({ apiKey, nowMs, fate }: KeyFateProps) {
  const used = apiKey.last_used_at;
  return (
    <li className={styles.row}>
      <div className={styles.name}>
        <span className={styles.hint}>{apiKey.hint}</span>
        <Text fz="sm" className={styles.description}>
          {apiKey.description === "" ? "No description" : apiKey.description}
        </Text>
        {fate === undefined ? (
          <Text fz="xs" c="dimmed">
            {used === null ? "Never used" : `Last used ${formatAgo(used, nowMs)}`}
          </Text>
        ) : (
          <Outcome fate={fate} />
        )}
      </div>
      {fate === undefined ? (
        isInUse(used, nowMs) ? (
          <Badge size="sm" variant="light" color="red" className={styles.badge}>
            In use
          </Badge>
        ) : null
      ) : (
        <Sign fate={fate} />
      )}
    </li>
  );
}

function Outcome({ fate }: { fate: Fate }) {
  if (fate.state === "revoked") {
    const { revocation } = fate;
    const words =
      revocation === null || !isEffective(revocation)
        ? "Recorded; not yet confirmed everywhere"
        : [confirmation(revocation), lapses(revocation)].filter(Boolean).join(". ");
    return (
      <Text fz="xs" c="dimmed">
        {words}
      </Text>
    );
  }
  if (fate.state === "failed")
    return (
      <Text fz="xs" c="var(--mantine-color-error)">
        {isRefused(fate.error)
          ? explain(fate.error)
          : `${explain(fate.error)} It may or may not be revoked; trying again is safe.`}
      </Text>
    );
  return (
    <Text fz="xs" c="dimmed">
      {fate.state === "revoking" ? "Waiting until every verifier confirms…" : "Waiting its turn"}
    </Text>
  );
}

const words = { waiting: null, revoking: null, revoked: "Revoked", failed: "Not revoked" } as const;

function Sign({ fate: { state, ...fate } }: { fate: Fate }) {
  if (state === "revoking") return <Loader size={16} aria-hidden />;
  if (words[state] === null) return null;
  const doubtful = "error" in fate && !isRefused(fate.error);
  return (
    <Badge
      size="sm"
      variant="light"
      color={state === "revoked" ? "green" : "red"}
      className={styles.badge}
    >
      {doubtful ? "Not confirmed" : words[state]}
    </Badge>
  );
}
