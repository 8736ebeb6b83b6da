import { Text } from "@mantine/core";
import { CopyButton } from "./copy-button.tsx";
import styles from "./token-field.module.css";

/** A few lines to paste into a terminal or a program. */
export function Snippet({ title, code }: { title: string; code: string }) {
  return (
    <section className={styles.snippet} aria-label={title}>
      <div className={styles.snippetHead}>
        <Text fz="sm" fw={600}>
          {title}
        </Text>
        <CopyButton value={code} label={`Copy ${title.charAt(0).toLowerCase()}${title.slice(1)}`} />
      </div>
      <pre>
        <code>{code}</code>
      </pre>
    </section>
  );
}
