import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import styles from "./keys.module.css";

interface PersonCardProps {
  name: ReactNode;
  email: string;
}

/** Which person a dialog is about, so that nobody takes the wrong one. */
export function PersonCard({ name, email }: PersonCardProps) {
  return (
    <div className={styles.card}>
      <Text fz="sm" fw={600} className={styles.text}>
        {name}
      </Text>
      <Text fz="sm" c="dimmed" mt={2} className={styles.text}>
        {email}
      </Text>
    </div>
  );
}
