import { Group, Text } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { CopyButton } from "./copy-button.tsx";
import styles from "./token-field.module.css";

interface TokenFieldProps {
  label: string;
  /** What the token is for, in a line. */
  hint?: ReactNode;
  token: string;
  /** Its copy button takes the focus when it appears. */
  focused?: boolean;
}

/** A token to be copied: named, in one piece, selected whole by a click. */
export function TokenField({ label, hint, token, focused = false }: TokenFieldProps) {
  const id = useId();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for inputs; this names a value
    <div role="group" aria-labelledby={id} className={styles.field}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text id={id} fz="sm" fw={600}>
          {label}
        </Text>
        <CopyButton
          value={token}
          label={`Copy ${label.charAt(0).toLowerCase()}${label.slice(1)}`}
          focused={focused}
        />
      </Group>
      <code className={styles.token}>{token}</code>
      {hint === undefined ? null : (
        <Text fz="xs" c="dimmed">
          {hint}
        </Text>
      )}
    </div>
  );
}
