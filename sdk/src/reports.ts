import { FRAME_BOUNDS } from "./lease/frames.ts";
import type { KeyUse } from "./verifier.ts";

export interface Reports {
  /** A batch is stored. */
  stored(batch: number): void;
  /** A session began: what the last one did not confirm is sent again. */
  resend(): void;
  /** Reports once more, and waits a little until all is stored. */
  close(): Promise<void>;
}

/** How often uses are reported: "last used" is at most this much behind, and what the server adds. */
const REPORT_EVERY_MS = 1_000;

/** A batch that a node has not confirmed within so many reports could not be stored, and is sent again. */
const REPORTS_UNTIL_RESENT = 5;

/** Keys whose last use is kept until it can be stored; past it the oldest are given up. */
const UNSTORED_MAX = 100_000;

/** How long a close waits for what is left to be stored. */
const CLOSE_MAX_MS = 2_000;

/**
 * Reports when keys were last used, each use until a node has stored it, one batch at a time. Times only move forward,
 * so twice is once.
 */
export function createReports(options: {
  drain(): KeyUse[];
  /** `false`: there is nobody to send to. */
  send(batch: number, uses: readonly KeyUse[]): boolean;
  after(ms: number, task: () => void): () => void;
}): Reports {
  const { drain, send, after } = options;
  const unstored = new Map<string, number>();
  let waiting: { readonly batch: number; readonly uses: readonly KeyUse[] } | null = null;
  let reportsWaited = 0;
  let batches = 0;
  let allStored = (): void => {};

  function collect(): void {
    for (const { keyId, atMs } of drain()) unstored.set(keyId, atMs);
    for (const [oldest] of unstored) {
      if (unstored.size <= UNSTORED_MAX) break;
      unstored.delete(oldest);
    }
  }

  function sendNext(): void {
    if (waiting !== null || unstored.size === 0) return;
    const uses: KeyUse[] = [];
    for (const [keyId, atMs] of unstored) {
      if (uses.length === FRAME_BOUNDS.usesMax) break;
      uses.push({ keyId, atMs });
    }
    batches += 1;
    if (!send(batches, uses)) return;
    waiting = { batch: batches, uses };
    reportsWaited = 0;
  }

  function report(): void {
    collect();
    reportsWaited += 1;
    if (reportsWaited > REPORTS_UNTIL_RESENT) waiting = null;
    sendNext();
  }

  function schedule(): () => void {
    return after(REPORT_EVERY_MS, () => {
      report();
      cancel = schedule();
    });
  }

  let cancel = schedule();
  return {
    stored(batch) {
      if (waiting?.batch !== batch) return;
      for (const { keyId, atMs } of waiting.uses)
        if (unstored.get(keyId) === atMs) unstored.delete(keyId);
      waiting = null;
      sendNext();
      if (unstored.size === 0) allStored();
    },
    resend() {
      waiting = null;
      report();
    },
    async close() {
      cancel();
      report();
      if (waiting === null) return; // nothing to tell, or nobody
      await new Promise<void>((resolve) => {
        const giveUp = after(CLOSE_MAX_MS, resolve);
        allStored = () => {
          giveUp();
          resolve();
        };
      });
    },
  };
}
