import { useEffect, useRef, useState } from "react";

/** How long "Copied" stands. */
const shownMs = 2_000;

export type CopyState = "idle" | "copied" | "failed";

/**
 * Puts text on the clipboard.
 *
 * @returns Whether it is there now. Browsers offer the clipboard only to safe origins (https, loopback) and may ask.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Copies `text` when called and remembers for two seconds how that went. */
export function useCopy(text: string): { state: CopyState; copy: () => void } {
  const [state, setState] = useState<CopyState>("idle");
  const timer = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const copy = async (): Promise<void> => {
    setState((await copyText(text)) ? "copied" : "failed");
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setState("idle"), shownMs);
  };
  return { state, copy: () => void copy() };
}
