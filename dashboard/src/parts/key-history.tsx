import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { stateOf } from "../key-state.ts";
import { confirmation, isEffective, lapses } from "../receipts.ts";
import { formatMoment } from "../times.ts";
import { KeyLink } from "./key-cells.tsx";
import styles from "./keys.module.css";

interface Happening {
  what: string;
  at: string | null;
  detail?: ReactNode;
}

/** What happened to a key, from its issue to its end. */
export function KeyHistory({ apiKey, nowMs }: { apiKey: ApiKeyJson; nowMs: number }) {
  return (
    <ol className={styles.rows}>
      {historyOf(apiKey, nowMs).map(({ what, at, detail }) => (
        <li key={what} className={styles.row}>
          <div className={styles.name}>
            <Text fz="sm" fw={600}>
              {what}
            </Text>
            {detail === undefined ? null : (
              <Text fz="sm" c="dimmed" component="div" className={styles.text}>
                {detail}
              </Text>
            )}
          </div>
          {at === null ? null : (
            <Text fz="xs" c="dimmed" component="time" dateTime={at} ta="right">
              {formatMoment(at)}
            </Text>
          )}
        </li>
      ))}
    </ol>
  );
}

function historyOf(key: ApiKeyJson, nowMs: number): Happening[] {
  const history: Happening[] = [
    { what: "Created", at: key.created_at, detail: `by ${key.created_by.name}` },
  ];
  if (key.rotated_from !== null)
    history.push({ what: "Succeeds another key", at: null, detail: named(key.rotated_from) });
  if (key.rotated_to !== null)
    history.push({
      what: "Rotated: another key succeeds it",
      at: null,
      detail: named(key.rotated_to),
    });
  // A key that was revoked before does not expire any more.
  const revokedFirst =
    key.revoked_at !== null && key.expires_at !== null && key.revoked_at < key.expires_at;
  if (key.expires_at !== null && !revokedFirst)
    history.push({
      what: stateOf(key, nowMs) === "active" ? "Will expire" : "Expired",
      at: key.expires_at,
    });
  if (key.revoked_at !== null)
    history.push({ what: "Revoked", at: key.revoked_at, detail: endOf(key) });
  return history;
}

const named = (id: string): ReactNode => <KeyLink id={id} hint={id} />;

/** By whom and why, and its receipt. */
function endOf({ revoked_by, revoked_reason, revocation }: ApiKeyJson): ReactNode {
  const why = revoked_reason === null || revoked_reason === "" ? "" : `: ${revoked_reason}`;
  const receipt =
    revocation === null || !isEffective(revocation)
      ? "Not yet confirmed everywhere"
      : [confirmation(revocation), lapses(revocation)].filter(Boolean).join(". ");
  return (
    <>
      {revoked_by === null ? null : (
        <div>
          by {revoked_by.name}
          {why}
        </div>
      )}
      <div>{receipt}</div>
    </>
  );
}
