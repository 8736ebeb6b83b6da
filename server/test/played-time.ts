import { type Ambient, ambientOf } from "../src/ambient.ts";

/** Time as a variable, for one test. */
export interface PlayedTime {
  readonly ambient: Ambient;
  nowMs(): number;
  /** Lets so much time pass; between two timers everything happens that needs none. */
  pass(ms: number): Promise<void>;
}

/** Makes an {@link Ambient} whose clocks stand still until the test lets time pass, and whose ids are all alike. */
export function playTime(startMs = 0): PlayedTime {
  let nowMs = startMs;
  let timers: { atMs: number; task: () => void }[] = [];
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    ambient: {
      ...ambientOf({
        nowMs: () => nowMs,
        monoMs: () => nowMs,
        randomBytes: (count) => new Uint8Array(count),
      }),
      soon: (task) => queueMicrotask(task),
      after(ms, task) {
        const timer = { atMs: nowMs + ms, task };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    },
    nowMs: () => nowMs,
    async pass(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        await settled();
        const [due] = timers.filter((each) => each.atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
        if (due === undefined) break;
        timers = timers.filter((each) => each !== due);
        nowMs = due.atMs;
        due.task();
      }
      nowMs = endMs;
    },
  };
}
