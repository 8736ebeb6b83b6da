import type { ActorJson, ApiKeyJson } from "@latchkey/sdk/client";
import { Badge, Text } from "@mantine/core";
import { IconLock, IconWorld } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { idleness } from "../last-use.ts";
import { usePlace } from "../place.ts";
import styles from "./keys.module.css";
import { Moment } from "./moment.tsx";

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
  /** What people recognise it by; or else what the link is to say. */
  hint?: string;
  children?: ReactNode;
  /** Slug of the key's environment, where it need not be the one that one is in. */
  environment?: string | undefined;
}

/** What people recognise a key by; leads to its page. */
export function KeyLink({ id, hint, children, environment }: KeyLinkProps) {
  const { account, environment: here } = usePlace();
  return (
    <Link
      to="/$account/$environment/platform/api-keys/$key"
      params={{ account: account.slug, environment: environment ?? here.slug, key: id }}
      className={`${hint === undefined ? "" : styles.hint} ${styles.link}`}
    >
      {hint ?? children}
    </Link>
  );
}
