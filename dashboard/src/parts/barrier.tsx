import { Group, Loader, Text } from "@mantine/core";
import { useEffect, useState } from "react";

/** Longer than a revocation takes while every verifier answers. */
const slowSeconds = 2;

/** The wait until every verifier has confirmed: what for and how long; after two seconds also why, and since when. */
export function Barrier() {
  const seconds = useSeconds();
  const slow = seconds >= slowSeconds;
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <Loader size={18} mt={2} aria-hidden />
      <div>
        <Text fz="sm" role="status">
          Waiting until every verifier confirms; at most 10 s, unless your operator set another
          lease.
          {slow
            ? " A verifier seems not to answer. Once its lease has run out, it accepts nothing either."
            : null}
        </Text>
        {/* Beside the status, not in it: nobody wants every second read out. */}
        {slow ? (
          <Text fz="sm" c="dimmed" mt={4} role="timer">
            {seconds} s so far
          </Text>
        ) : null}
      </div>
    </Group>
  );
}

/** Whole seconds since the first paint. */
function useSeconds(): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const startMs = performance.now();
    const timer = window.setInterval(
      () => setSeconds(Math.floor((performance.now() - startMs) / 1000)),
      // Not a second: a timer that is a little early would show the same number twice.
      250,
    );
    return () => window.clearInterval(timer);
  }, []);
  return seconds;
}
