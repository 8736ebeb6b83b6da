import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Group, Text } from "@mantine/core";
import styles from "./keys.module.css";

/** Which key a dialog is about, so that nobody does it to the wrong one. */
export function KeySubject({ apiKey }: { apiKey: ApiKeyJson }) {
  return (
    <div className={styles.card}>
      <Group gap="sm" align="baseline">
        <span className={styles.hint}>{apiKey.hint}</span>
        <Text fz="sm" className={styles.description}>
          {apiKey.description === "" ? "No description" : apiKey.description}
        </Text>
      </Group>
    </div>
  );
}
