import { Text } from "@mantine/core";
import { type Split, splitWords } from "../traffic-split.ts";
import styles from "./traffic-bar.module.css";

/** How the last hour's traffic is split between an old key and its successor; nothing while it is not known. */
export function TrafficBar({ split }: { split: Split | undefined }) {
  if (split === undefined) return null;
  const total = split.old + split.next;
  // What happened is seen, however little it is.
  const old = total === 0 ? 0 : seen((split.old / total) * 100);
  return (
    <div className={styles.split}>
      {/* The words beside it say the same. */}
      <svg
        className={styles.bar}
        width="100%"
        height={4}
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {total === 0 ? (
          <rect width={100} height={4} className={styles.none} />
        ) : (
          <>
            <rect width={old} height={4} className={styles.old} />
            <rect x={old} width={100 - old} height={4} className={styles.next} />
          </>
        )}
      </svg>
      <Text fz="xs" c="dimmed">
        {splitWords(split)}
      </Text>
    </div>
  );
}

const seen = (percent: number): number =>
  percent === 0 || percent === 100 ? percent : Math.min(98, Math.max(2, percent));
