import { Stack, Text } from "@mantine/core";
import type { IconKey } from "@tabler/icons-react";
import type { ReactNode } from "react";
import styles from "./keys.module.css";

interface EmptyProps {
  icon: typeof IconKey;
  title: string;
  text: string;
  children?: ReactNode;
}

/** What stands where a list would: why there is none, and what to do about it. */
export function Empty({ icon: Icon, title, text, children }: EmptyProps) {
  return (
    <Stack className={styles.empty ?? ""} align="center" gap="xs" role="status">
      <Icon size={30} stroke={1.4} aria-hidden />
      <Text fw={600} ta="center">
        {title}
      </Text>
      <Text c="dimmed" fz="sm" ta="center" maw={420}>
        {text}
      </Text>
      {children}
    </Stack>
  );
}
