import type { History } from "./history.ts";
import type { Weather } from "./link.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { Random } from "./random.ts";
import type { ServerProcess } from "./server-process.ts";
import type { Timeline } from "./timeline.ts";

export interface NemesisOptions {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly weather: Weather;
  readonly memory: MemoryStore;
  readonly history: History;
  readonly processes: readonly ServerProcess[];
  readonly leaseMs: number;
  readonly endMs: number;
  readonly trace: (text: () => string) => void;
  /** Has a client revoke something at this process. */
  readonly revoke: (process: ServerProcess) => void;
}

export interface Nemesis {
  /** The row of the process of this name was just written. */
  renewed(name: string): void;
}

/** Breaks things until `endMs`; each world has its own mix of faults, for a mix of all hides what one can do. */
export function startNemesis(options: NemesisOptions): Nemesis {
  const { timeline, random, leaseMs, endMs } = options;
  const ambush = createAmbush(options);
  const faults = [...faultsOf(options), ambush.arm].filter(() => random.chance(0.45));
  const meanMs = random.pick([0.25, 0.5, 1]) * leaseMs;
  const strike = (): void => {
    if (timeline.nowMs > endMs) return;
    if (faults.length > 0) random.pick(faults)();
    timeline.after(random.exponential(meanMs), strike);
  };
  timeline.at(400, strike);
  return ambush;
}

/**
 * Waits for a renewal, and just after it cuts that process off and has something revoked elsewhere: then the lease that
 * must lapse is as young as can be, and ends within a hair of the barrier.
 */
function createAmbush(options: NemesisOptions) {
  const { timeline, random, processes, leaseMs, endMs, revoke, trace } = options;
  let armed = false;
  return {
    arm(): void {
      armed = true;
    },
    renewed(name: string): void {
      const caught = processes.find(({ machine }) => machine.name === name);
      const others = processes.filter((process) => process !== caught);
      if (!armed || timeline.nowMs > endMs || caught === undefined || others.length === 0) return;
      armed = false;
      trace(() => `${name} is ambushed: it reaches the store no more`);
      caught.link.requestsCut = true;
      caught.machine.disturbedMs = Number.POSITIVE_INFINITY;
      timeline.after(random.exponential(5), () => revoke(random.pick(others)));
      timeline.after(random.between(1.2, 3) * leaseMs, () => {
        caught.link.requestsCut = false;
        caught.machine.disturbedMs = timeline.nowMs;
        trace(() => `${name} reaches the store again`);
      });
    },
  };
}

function faultsOf(options: NemesisOptions): (() => void)[] {
  const { timeline, random, weather, memory, history, processes, leaseMs, trace } = options;
  const leases = (low: number, high: number): number => random.between(low, high) * leaseMs;
  const some = (): ServerProcess => random.pick(processes);

  function pause(kind: "pause" | "sleep", ms: number): void {
    const { machine } = some();
    if (machine.up && !machine.paused) history.counts[kind === "sleep" ? "sleeps" : "pauses"] += 1;
    machine.pause(ms, kind);
  }

  function cut(): void {
    const { link, machine } = some();
    const way = random.pick(["requests", "answers", "both"]);
    link.requestsCut = way !== "answers";
    link.answersCut = way !== "requests";
    machine.disturbedMs = Number.POSITIVE_INFINITY;
    trace(() => `${machine.name} is cut from the store: ${way}`);
    timeline.after(leases(0.1, 3), () => {
      link.requestsCut = false;
      link.answersCut = false;
      machine.disturbedMs = timeline.nowMs;
      trace(() => `${machine.name} reaches the store again`);
    });
  }

  function loseStore(): void {
    if (weather.storeDown) return;
    weather.storeDown = true;
    trace(() => "the store goes down");
    timeline.after(leases(0.05, 1.6), () => {
      weather.storeDown = false;
      trace(() => "the store is up");
    });
  }

  function trim(): void {
    const keep = random.pick([1, 1, 2, 4]);
    const trimmed = memory.trimChanges(keep);
    trace(() => `${trimmed} changes are trimmed`);
  }

  function stepWall(): void {
    const { machine } = some();
    // A clock set back while its machine sleeps, by just as long, cannot be told from one that never moved.
    if (!machine.paused) machine.stepWall(leases(0.1, 6) * random.pick([-1, 1]));
  }

  return [
    cut,
    () => pause("pause", leases(0.1, 2.5)),
    () => pause("sleep", leases(0.1, 2.5)),
    () => pause("pause", leases(0.01, 0.4)),
    stepWall,
    () => some().crash(leases(0.02, 1.5)),
    () => some().stop(leases(0.01, 0.6), leases(0.02, 1), random.chance(0.5)),
    loseStore,
    trim,
  ];
}
