import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Code } from "@mantine/core";
import { stateOf } from "../key-state.ts";
import { CreatedCell, LastUsedCell, TypeBadge } from "./key-cells.tsx";
import { StatusCell } from "./key-status.tsx";
import styles from "./keys.module.css";

/** What a key is. */
export function KeyFacts({ apiKey, nowMs }: { apiKey: ApiKeyJson; nowMs: number }) {
  const metadata = Object.entries(apiKey.metadata);
  return (
    <div className={styles.card}>
      <dl className={`${styles.facts} ${styles.first} ${styles.pairs}`}>
        <dt>Description</dt>
        <dd className={styles.text}>
          {apiKey.description === "" ? "No description" : apiKey.description}
        </dd>
        <dt>Type</dt>
        <dd>
          <TypeBadge type={apiKey.type} />
        </dd>
        <dt>Status</dt>
        <dd>
          <StatusCell apiKey={apiKey} nowMs={nowMs} />
        </dd>
        <dt>Last used</dt>
        <dd>
          <LastUsedCell
            at={apiKey.last_used_at}
            nowMs={nowMs}
            badgeFor={stateOf(apiKey, nowMs) === "active" ? apiKey.created_at : undefined}
          />
        </dd>
        <dt>Created</dt>
        <dd>
          <CreatedCell at={apiKey.created_at} by={apiKey.created_by} nowMs={nowMs} />
        </dd>
        <dt>Key id</dt>
        <dd className={styles.text}>
          <Code>{apiKey.id}</Code>
        </dd>
        {metadata.length === 0 ? null : (
          <>
            <dt>Metadata</dt>
            <dd className={styles.text}>
              {metadata.map(([name, value]) => (
                <div key={name}>
                  {name}: {value}
                </div>
              ))}
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
