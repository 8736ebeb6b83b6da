import { Text } from "@mantine/core";
import { useEffect, useState } from "react";

/** Says how old what one sees is: "Updated 3 s ago". Not read out, for it changes every second. */
export function Updated({ atMs }: { atMs: number }) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1_000));
  return (
    <Text fz="xs" c="dimmed" aria-live="off">
      Updated {seconds < 1 ? "now" : seconds < 120 ? `${seconds} s ago` : "minutes ago"}
    </Text>
  );
}
