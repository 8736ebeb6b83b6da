import { Group } from "@mantine/core";
import type { ReactNode } from "react";

/** Other ways from here, under a form. */
export function Ways({ children }: { children: ReactNode }) {
  return (
    <Group justify="space-between" gap="md" fz="sm">
      {children}
    </Group>
  );
}
