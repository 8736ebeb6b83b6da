import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** The fastest and slowest that a clock may run: just inside the promise of 1 %. */
export const RATE_EXTREME = 0.0099;

/** Delivers to one life of a machine, and to no later one. */
export interface Life {
  /**
   * Runs `task` on the machine: now, when it resumes, or never when this life is over. Tasks of one `source` keep their
   * order; on resume the order between sources is arbitrary, as that of timers and sockets is.
   */
  run(source: string, task: () => void): void;
  /** A timer by the machine's monotonic clock. Returns its cancellation. */
  after(ms: number, task: () => void): () => void;
  readonly over: boolean;
}

/** A machine with one process: two clocks that drift, and a processor that may stand still. */
export interface Machine {
  readonly name: string;
  /** The process exists; it may be paused. */
  readonly up: boolean;
  readonly paused: boolean;
  monoMs(): number;
  wallMs(): number;
  boot(): Life;
  crash(): void;
  /** Stops executing for `ms`. In a sleep the monotonic clock stands still too. */
  pause(ms: number, kind: "pause" | "sleep"): void;
  stepWall(ms: number): void;
  /** When a fault last touched it, true time; `Infinity` while one does. */
  disturbedMs: number;
}

export interface MachineSurroundings {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly trace: (text: () => string) => void;
  /** Called when code ran that may have left promises to settle. */
  readonly ran: () => void;
}

interface Waiting {
  readonly source: string;
  readonly task: () => void;
}

export function createMachine(name: string, surroundings: MachineSurroundings): Machine {
  const { timeline, random, trace, ran } = surroundings;
  const rate = drawRate(random);
  const wallRate = Math.min(
    1 + RATE_EXTREME,
    Math.max(1 - RATE_EXTREME, rate + random.between(-0.0005, 0.0005)),
  );
  let wallOffMs = 1_800_000_000_000 + random.between(-1e6, 1e6);
  let sleptMs = 0;
  let asleepSinceMs: number | null = null;
  let current: { readonly life: Life; end(): void } | null = null;
  let paused = false;
  let waiting: Waiting[] = [];

  const monoMs = (): number => {
    const sleeping = asleepSinceMs === null ? 0 : timeline.nowMs - asleepSinceMs;
    return rate * (timeline.nowMs - sleptMs - sleeping);
  };

  function wake(): void {
    paused = false;
    if (asleepSinceMs !== null) sleptMs += timeline.nowMs - asleepSinceMs;
    asleepSinceMs = null;
  }

  /** Puts what waited into an order that keeps each source's own, and runs it, one event each. */
  function resume(life: Life): void {
    wake();
    const sources = new Map<string, Waiting[]>();
    for (const each of waiting) {
      const queue = sources.get(each.source);
      if (queue === undefined) sources.set(each.source, [each]);
      else queue.push(each);
    }
    waiting = [];
    const queues = [...sources.values()];
    while (queues.length > 0) {
      const at = random.below(queues.length);
      const next = queues[at]?.shift();
      if (queues[at]?.length === 0) queues.splice(at, 1);
      if (next !== undefined) timeline.at(timeline.nowMs, () => life.run(next.source, next.task));
    }
  }

  function begin(): Life {
    let over = false;
    let timers = 0;
    const life: Life = {
      get over() {
        return over;
      },
      run(source, task) {
        if (over) return;
        if (paused) {
          waiting.push({ source, task });
          return;
        }
        ran();
        task();
      },
      after(ms, task) {
        const due = monoMs() + ms;
        const source = `timer ${timers++}`;
        let cancelled = false;
        const arm = (leftMs: number): void => {
          const lateMs = random.between(0, 0.5);
          timeline.after(Math.max(0, leftMs) / rate + lateMs, () => {
            if (cancelled || over) return;
            const left = due - monoMs();
            if (left > 1e-6)
              arm(left); // the machine slept meanwhile
            else
              life.run(source, () => {
                if (!cancelled) task();
              });
          });
        };
        if (!over) arm(ms);
        return () => {
          cancelled = true;
        };
      },
    };
    current = {
      life,
      end: () => {
        over = true;
      },
    };
    return life;
  }

  return {
    name,
    disturbedMs: Number.NEGATIVE_INFINITY,
    get up() {
      return current !== null;
    },
    get paused() {
      return paused;
    },
    monoMs,
    wallMs: () => Math.floor(wallOffMs + wallRate * timeline.nowMs),
    boot() {
      trace(() => `${name} boots`);
      return begin();
    },
    crash() {
      if (current === null) return;
      trace(() => `${name} crashes`);
      current.end();
      current = null;
      waiting = [];
      wake();
      this.disturbedMs = timeline.nowMs;
    },
    pause(ms, kind) {
      const life = current?.life;
      if (life === undefined || paused) return;
      paused = true;
      this.disturbedMs = timeline.nowMs + ms;
      if (kind === "sleep") asleepSinceMs = timeline.nowMs;
      trace(() => `${name} ${kind} for ${ms.toFixed(0)} ms`);
      timeline.after(ms, () => {
        if (life.over) return;
        trace(() => `${name} resumes`);
        resume(life);
      });
    },
    stepWall(ms) {
      wallOffMs += ms;
      this.disturbedMs = timeline.nowMs;
      trace(() => `${name} wall clock steps by ${ms.toFixed(0)} ms`);
    },
  };
}

/** Mostly an extreme: it is there that an allowance too small shows. */
function drawRate(random: Random): number {
  const chance = random.between(0, 1);
  if (chance < 0.45) return 1 - RATE_EXTREME;
  if (chance < 0.9) return 1 + RATE_EXTREME;
  return 1 + random.between(-RATE_EXTREME, RATE_EXTREME);
}
