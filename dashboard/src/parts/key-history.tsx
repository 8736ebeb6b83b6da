import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { stateOf } from "../key-state.ts";
import { confirmation, isEffective, lapses } from "../receipts.ts";
import { formatMoment, formatSpan } from "../times.ts";
import { KeyLink } from "./key-cells.tsx";
import styles from "./keys.module.css";

interface Happening {
  what: string;
  at: string | null;
  detail?: ReactNode;
}

interface KeyHistoryProps {
  apiKey: ApiKeyJson;
  /** The keys before and after it, as far as they are known. */
  predecessor: ApiKeyJson | undefined;
  successor: ApiKeyJson | undefined;
  nowMs: number;
}

/** What happened to a key, from its issue to its end. */
export function KeyHistory(props: KeyHistoryProps) {
  return (
    <ol className={styles.rows}>
      {historyOf(props).map(({ what, at, detail }) => (
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

function historyOf({ apiKey: key, predecessor, successor, nowMs }: KeyHistoryProps): Happening[] {
  const history: Happening[] = [
    { what: "Created", at: key.created_at, detail: `by ${key.created_by.name}` },
  ];
  if (key.rotated_from !== null)
    history.push({
      what: "Succeeds another key",
      at: null,
      detail: named(key.rotated_from, predecessor),
    });
  if (key.rotated_to !== null)
    history.push({
      what: "Rotated: another key succeeds it",
      // Its successor was made by the same deed.
      at: successor?.created_at ?? null,
      detail: named(key.rotated_to, successor),
    });
  if (key.overlap !== null) history.push(overlapIn(key.overlap));
  // A key that was revoked before does not expire any more.
  const revokedFirst =
    key.revoked_at !== null && key.expires_at !== null && key.revoked_at < key.expires_at;
  if (key.expires_at !== null && !revokedFirst)
    history.push({ what: endWords(key, nowMs), at: key.expires_at });
  if (key.revoked_at !== null)
    history.push({ what: "Revoked", at: key.revoked_at, detail: endOf(key) });
  return history;
}

const named = (id: string, key: ApiKeyJson | undefined): ReactNode => (
  <KeyLink id={id} hint={key?.hint ?? id} />
);

const overlapIn = ({ seconds, started_at }: NonNullable<ApiKeyJson["overlap"]>): Happening =>
  started_at === null
    ? {
        what: "Overlap has not begun",
        at: null,
        detail: `${formatSpan(seconds)} from the first use of the new key`,
      }
    : { what: "Overlap began", at: started_at, detail: `for ${formatSpan(seconds)}` };

/** What its end is called: of a key in overlap it is the overlap's. */
function endWords(key: ApiKeyJson, nowMs: number): string {
  const active = stateOf(key, nowMs) === "active";
  if (key.overlap === null || key.overlap.started_at === null)
    return active ? "Will expire" : "Expired";
  return active ? "Overlap will end" : "Overlap ended";
}

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
