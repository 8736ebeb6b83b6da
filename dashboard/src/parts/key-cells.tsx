import type { ActorJson, ApiKeyJson } from "@latchkey/sdk/client";
import { Badge, Text, Tooltip } from "@mantine/core";
import { IconLock, IconWorld } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { stateOf } from "../key-state.ts";
import { idleness } from "../last-use.ts";
import { usePlace } from "../place.ts";
import { confirmation, isEffective, lapses } from "../receipts.ts";
import { formatMoment, formatRelative } from "../times.ts";
import styles from "./keys.module.css";
import { Moment } from "./moment.tsx";

interface CellProps {
  apiKey: ApiKeyJson;
  nowMs: number;
}

/** `Secret` or `Public`. */
export function TypeBadge({ type }: { type: ApiKeyJson["type"] }) {
  const secret = type === "secret";
  const Icon = secret ? IconLock : IconWorld;
  return (
    <Badge
      variant="default"
      size="sm"
      className={styles.badge}
      leftSection={<Icon size={12} aria-hidden />}
    >
      {secret ? "Secret" : "Public"}
    </Badge>
  );
}

const colours = { active: "green", revoked: "red", expired: "yellow" } as const;
const words = { active: "Active", revoked: "Revoked", expired: "Expired" } as const;

/** The state with what belongs to it: until when, or since when, by whom and why. */
export function StatusCell({ apiKey, nowMs }: CellProps) {
  const state = stateOf(apiKey, nowMs);
  return (
    <div className={styles.status}>
      <Badge variant="light" size="sm" color={colours[state]} className={styles.badge}>
        {words[state]}
      </Badge>
      {state === "revoked" ? <RevokedDetail apiKey={apiKey} nowMs={nowMs} /> : null}
      {state !== "revoked" && apiKey.expires_at !== null ? (
        <Tooltip label={formatMoment(apiKey.expires_at)}>
          <Text component="time" dateTime={apiKey.expires_at} fz="xs" c="dimmed">
            {state === "active" ? "Expires " : ""}
            {formatRelative(apiKey.expires_at, nowMs)}
          </Text>
        </Tooltip>
      ) : null}
    </div>
  );
}

/** Since when, by whom and why; and the receipt, which people look for when somebody asks whether it is over. */
function RevokedDetail({ apiKey, nowMs }: CellProps) {
  const { revocation } = apiKey;
  if (apiKey.revoked_at === null) return null;
  return (
    <>
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

interface CreatedCellProps {
  at: string;
  by: ActorJson;
  nowMs: number;
}

/** Who made it, and when. */
export function CreatedCell({ at, by, nowMs }: CreatedCellProps) {
  return (
    <>
      <Moment at={at} nowMs={nowMs} />
      <Text fz="xs" c="dimmed" className={styles.by}>
        by {by.name}
      </Text>
    </>
  );
}

interface LastUsedCellProps {
  at: string | null;
  nowMs: number;
  /** When the key was created, to say that nobody seems to need it; absent where that is not the question. */
  badgeFor?: string | undefined;
}

/** When it was last used, or "Never"; and a badge if that was long ago. */
export function LastUsedCell({ at, nowMs, badgeFor }: LastUsedCellProps) {
  const idle =
    badgeFor === undefined ? null : idleness({ createdAt: badgeFor, lastUsedAt: at }, nowMs);
  if (idle !== null)
    return (
      <>
        <Badge variant="light" size="sm" color="yellow" className={styles.badge}>
          {idle}
        </Badge>
        {at === null ? null : <Moment at={at} nowMs={nowMs} />}
      </>
    );
  if (at === null)
    return (
      <Text fz="sm" c="dimmed" component="span">
        Never
      </Text>
    );
  return <Moment at={at} nowMs={nowMs} />;
}

interface KeyLinkProps {
  id: string;
  hint: string;
  /** Slug of the key's environment, where it need not be the one that one is in. */
  environment?: string | undefined;
}

/** What people recognise a key by; leads to its page. */
export function KeyLink({ id, hint, environment }: KeyLinkProps) {
  const { account, environment: here } = usePlace();
  return (
    <Link
      to="/$account/$environment/platform/api-keys/$key"
      params={{ account: account.slug, environment: environment ?? here.slug, key: id }}
      className={`${styles.hint} ${styles.link}`}
    >
      {hint}
    </Link>
  );
}
