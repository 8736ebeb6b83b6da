import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Alert, Anchor } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { counted } from "../counts.ts";
import { stateOf } from "../key-state.ts";
import { usePlace } from "../place.ts";
import { formatAgo } from "../times.ts";
import { lateUseQuery } from "../usage-api.ts";

/** Warns that somebody still calls with a key that has ended; nothing while nobody does. */
export function LateUse({ apiKey, nowMs }: { apiKey: ApiKeyJson; nowMs: number }) {
  const reason = stateOf(apiKey, nowMs);
  const at = reason === "revoked" ? apiKey.revoked_at : apiKey.expires_at;
  if (reason === "active" || at === null) return null;
  return <Since end={{ id: apiKey.id, reason, at }} nowMs={nowMs} />;
}

interface SinceProps {
  end: { id: string; reason: "revoked" | "expired"; at: string };
  nowMs: number;
}

function Since({ end, nowMs }: SinceProps) {
  const { account, environment } = usePlace();
  const { data } = useQuery(lateUseQuery(account.slug, environment.slug, end));
  if (data === undefined || data.count === 0) return null;
  const { latest } = data;
  const last =
    latest === null
      ? ""
      : `, last ${formatAgo(latest.at, nowMs)}${latest.address === null ? "" : ` from ${latest.address}`}`;
  const since = end.reason === "revoked" ? "it was revoked" : "it expired";
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={`Used ${counted(data.count, "time")} since ${since}${last}`}
    >
      Somebody still has this key; each of these calls was refused.{" "}
      <Anchor
        inherit
        underline="always"
        renderRoot={(props) => (
          <Link
            to="/$account/$environment/observability/refusals"
            params={{ account: account.slug, environment: environment.slug }}
            search={{ key: end.id }}
            {...props}
          />
        )}
      >
        See its refusals
      </Anchor>
    </Alert>
  );
}
