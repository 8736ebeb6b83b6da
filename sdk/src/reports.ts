import { FRAME_BOUNDS } from "./lease/frames.ts";
import type { KeyUse } from "./verifier.ts";

export interface Reports {
  /** A batch is stored. */
  stored(batch: number): void;
  /** A session began: what the last one did not confirm is sent again. */
  resend(): void;
  /** Reports once more, and waits a little for its confirmation. */
  close(): Promise<void>;
}

/** How often uses are reported: "last used" is at most this much behind, and what the server adds. */
const REPORT_EVERY_MS = 1_000;

/** How long a close waits for the last report. */
const CLOSE_MAX_MS = 500;

/** Reports when keys were last used, each use until a node has stored it. Times only move forward, so twice is once. */
export function createReports(options: {
  drain(): KeyUse[];
  /** `false`: there is nobody to send to. */
  send(batch: number, uses: readonly KeyUse[]): boolean;
  after(ms: number, task: () => void): () => void;
}): Reports {
  const { drain, send, after } = options;
  const unsent = new Map<string, number>();
  const sent = new Map<number, readonly KeyUse[]>();
  let batches = 0;
  let allStored = (): void => {};

  function report(): void {
    for (const { keyId, atMs } of drain()) unsent.set(keyId, atMs);
    while (unsent.size > 0) {
      const uses = [...unsent].slice(0, FRAME_BOUNDS.usesMax);
      const batch = uses.map(([keyId, atMs]) => ({ keyId, atMs }));
      if (!send(batches + 1, batch)) return;
      batches += 1;
      sent.set(batches, batch);
      for (const [keyId] of uses) unsent.delete(keyId);
    }
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
      sent.delete(batch);
      if (sent.size === 0) allStored();
    },
    resend() {
      for (const uses of sent.values())
        for (const { keyId, atMs } of uses) if (!unsent.has(keyId)) unsent.set(keyId, atMs);
      sent.clear();
      report();
    },
    async close() {
      cancel();
      report();
      if (sent.size === 0) return;
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
