import { type Ambush, createAmbush } from "./ambush.ts";
import type { AppProcess } from "./app-process.ts";
import type { History } from "./history.ts";
import type { Weather } from "./link.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { Pipe } from "./pipe.ts";
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
  readonly apps: readonly AppProcess[];
  readonly pipes: Set<Pipe>;
  readonly leaseMs: number;
  readonly endMs: number;
  readonly onlyAmbushes: boolean;
  readonly trace: (text: () => string) => void;
  /** Has a client revoke something at this process. */
  readonly revoke: (process: ServerProcess) => void;
}

/** Breaks things until `endMs`; each world has its own mix of faults, for a mix of all hides what one can do. */
export function startNemesis(options: NemesisOptions): Ambush {
  const { timeline, random, leaseMs, endMs } = options;
  const ambush = createAmbush(options);
  const others = options.onlyAmbushes ? [] : faultsOf(options).filter(() => random.chance(0.45));
  const faults = [...others, ambush.arm];
  const meanMs = random.pick([0.25, 0.5, 1]) * leaseMs;
  const strike = (): void => {
    if (timeline.nowMs > endMs) return;
    random.pick(faults)();
    timeline.after(random.exponential(meanMs), strike);
  };
  timeline.at(400, strike);
  return ambush;
}

function faultsOf(options: NemesisOptions): (() => void)[] {
  const { timeline, random, weather, memory, history, processes, apps, leaseMs, trace } = options;
  const leases = (low: number, high: number): number => random.between(low, high) * leaseMs;
  const some = (): ServerProcess => random.pick(processes);
  const any = (): ServerProcess | AppProcess => random.pick([...processes, ...apps]);

  function pause(kind: "pause" | "sleep", ms: number): void {
    const { machine } = any();
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
    memory.crash();
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
    const { machine } = any();
    // A clock set back while its machine sleeps, by just as long, cannot be told from one that never moved.
    if (!machine.paused) machine.stepWall(leases(0.1, 6) * random.pick([-1, 1]));
  }

  return [
    cut,
    () => pause("pause", leases(0.1, 2.5)),
    () => pause("sleep", leases(0.1, 2.5)),
    () => pause("pause", leases(0.01, 0.4)),
    stepWall,
    () => any().crash(leases(0.02, 1.5)),
    () => some().stop(leases(0.01, 0.6), leases(0.02, 1), random.chance(0.5)),
    loseStore,
    trim,
    ...(apps.length === 0 ? [] : faultsBelow(options)),
  ];
}

/** Faults of the connections between apps and servers; either direction alone, or both. */
function faultsBelow({ random, apps, pipes, leaseMs, trace }: NemesisOptions): (() => void)[] {
  function breakPipe(how: string, act: (pipe: Pipe, direction: "up" | "down") => void): void {
    for (const pipe of pipes) if (pipe.over) pipes.delete(pipe);
    if (pipes.size === 0) return;
    const pipe = random.pick([...pipes]);
    const ways = random.pick([["up"], ["down"], ["up", "down"], ["up", "down"]] as const);
    trace(() => `${pipe.names} ${how}: ${ways.join(" and ")}`);
    for (const way of ways) act(pipe, way);
  }
  const stall = (): void =>
    breakPipe("stalls", (pipe, way) => pipe.stall(way, random.between(0.1, 2.5) * leaseMs));
  return [
    stall,
    stall,
    () => breakPipe("is dead", (pipe, way) => pipe.kill(way)),
    () => breakPipe("is closed", (pipe, way) => pipe.abandon(way)),
    () => random.pick(apps).close(random.between(0.01, 1) * leaseMs),
  ];
}
