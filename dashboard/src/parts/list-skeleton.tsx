import { Skeleton, Stack, VisuallyHidden } from "@mantine/core";
import styles from "./keys.module.css";

/** Where a list will be. */
export function ListSkeleton({ what }: { what: string }) {
  return (
    <div role="status" className={styles.box}>
      <VisuallyHidden>Loading {what}…</VisuallyHidden>
      <Stack gap="md" p="md">
        {["a", "b", "c", "d"].map((row) => (
          <Skeleton key={row} height={34} />
        ))}
      </Stack>
    </div>
  );
}
