import { CloseButton, Group, Text } from "@mantine/core";
import styles from "./keys.module.css";

interface MakerFilterProps {
  /** Who made the keys, as far as a key of theirs is there to tell. */
  name: string | undefined;
  onClear: () => void;
}

/** Says that only one maker's keys are shown, and ends that. */
export function MakerFilter({ name, onClear }: MakerFilterProps) {
  return (
    <Group gap={4} wrap="nowrap" className={styles.chip}>
      <Text fz="sm" className={styles.text}>
        Created by {name ?? "one person"}
      </Text>
      <CloseButton size="sm" aria-label="Show API keys of every creator" onClick={onClear} />
    </Group>
  );
}
