import { useEffect, useState } from "react";

/** How often relative times are written anew. */
const tickMs = 10_000;

/** Unix milliseconds, read again every ten seconds, for "2 minutes ago". */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), tickMs);
    return () => window.clearInterval(timer);
  }, []);
  return nowMs;
}
