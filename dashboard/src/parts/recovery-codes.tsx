import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconDownload } from "@tabler/icons-react";
import { saveFile } from "../save-file.ts";
import { CopyButton } from "./copy-button.tsx";
import styles from "./second-factor.module.css";
import fieldStyles from "./token-field.module.css";
import { useSecretGuard } from "./use-secret-guard.ts";

interface RecoveryCodesProps {
  codes: readonly string[];
  onDone: () => void;
}

/** Codes that stand in for the app when it is lost, to be saved now. */
export function RecoveryCodes({ codes, onDone }: RecoveryCodesProps) {
  useSecretGuard(true, "codes");
  const text = codes.join("\n");
  return (
    <Stack>
      <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />}>
        <Text fz="sm">
          Save these recovery codes now; you will not see them again. Each signs you in once, in
          place of a code of the app, if you lose your phone.
        </Text>
      </Alert>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for inputs; this names values */}
      <div role="group" aria-label="Recovery codes" className={fieldStyles.field}>
        <ul className={styles.codes}>
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ul>
        <Group gap="xs">
          <CopyButton value={text} label="Copy recovery codes" focused />
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} aria-hidden />}
            onClick={() => saveFile(`${text}\n`, "latchkey-recovery-codes.txt", "text/plain")}
          >
            Download
          </Button>
        </Group>
      </div>
      <Group justify="flex-end">
        <Button onClick={onDone}>I have saved them</Button>
      </Group>
    </Stack>
  );
}
