import { createHash } from "node:crypto";
import pino, { type Logger } from "pino";
import { createVerification } from "../../src/domain/verification.ts";
import type { Ambush } from "./ambush.ts";
import { type AppProcess, createAppProcess } from "./app-process.ts";
import { createHistory, type History } from "./history.ts";
import type { Patience, Weather } from "./link.ts";
import { RATE_EXTREME } from "./machine.ts";
import { createMemoryStore, type StoreEvents, type Subject } from "./memory-store.ts";
import { startNemesis } from "./nemesis.ts";
import type { Pipe } from "./pipe.ts";
import { type Random, randomOf } from "./random.ts";
import { createServerProcess, type ServerProcess, type Surroundings } from "./server-process.ts";
import { createTimeline } from "./timeline.ts";
import { createWorkload, type Workload } from "./workload.ts";

/** A fault planted in one part, to show that the simulator would see it. */
export type Flaw = Partial<Pick<Surroundings, "assemble" | "revokeStatement" | "appLookup">> & {
  /** A crash of the store loses renewals, and not only what was acknowledged. */
  readonly renewalsLost?: true;
};

export interface WorldOptions {
  readonly seed: number;
  readonly flaw?: Flaw;
  /** Keeps a line for everything that happens. */
  readonly traced?: boolean;
}

/** What became of one world. */
export interface Outcome extends Pick<History, "violations" | "counts"> {
  readonly seed: number;
  readonly events: number;
  readonly trace: readonly string[];
  /** SHA-256 of the trace. */
  readonly traceHash: string;
}

const LEASE_MS = 1_000;

/** Healed worlds must be well again after so many of their longest leases. */
const WELL_AFTER_LEASES = 3;

/** Mean delay of a message once everything is healed, at most. */
const HEALED_DELAY_MS = 3;

/** Changes after the healing, each acknowledged by everybody: enough to double a sixteenth of a lease to a whole. */
const EARNING_CHANGES = 8;

/** What a statement and its answer may take besides, when nothing is lost or slow. */
const SLACK_MEAN_DELAYS = 40;

/** Plays the world of one seed to its end, or to its first violation. */
export async function play(options: WorldOptions): Promise<Outcome> {
  const random = randomOf(options.seed);
  const timeline = createTimeline();
  const lines: string[] = [];
  const trace = (text: () => string): void => {
    if (options.traced === true) lines.push(`${timeline.nowMs.toFixed(2).padStart(10)}  ${text()}`);
  };
  const climate = drawClimate(random);
  const { weather } = climate;
  const patience: Patience = { timeoutMs: 0.4 * LEASE_MS, lateMaxMs: 3 * LEASE_MS };
  let unsettled = false;
  let workload: Workload | undefined;
  let ambush: Ambush | undefined;
  const history = createHistory(timeline, trace, (subject) => workload?.probe(subject));
  const storeEvents: StoreEvents = {
    changed: (seq) => {
      for (const process of processes) announce(process, seq, climate, surroundings);
    },
    effective(subject, recordedBy, revokedBy) {
      if (recordedBy !== revokedBy) history.counts.completedByOthers += 1;
      history.returned(subject, `recorded as effective by ${recordedBy}`);
    },
    renewed: (by) => ambush?.renewed(by),
    reaped: (name) => ambush?.reaped(name),
  };
  const memory = createMemoryStore(storeEvents, options.flaw?.renewalsLost);
  const surroundings: Surroundings = {
    timeline,
    random,
    weather,
    patience,
    memory,
    history,
    trace,
    logger: loggerTo(trace, options.traced === true),
    assemble: createVerification,
    ...options.flaw,
    ran: () => {
      unsettled = true;
    },
  };
  const processes = climate.leasesMs.map((leaseMs, at) =>
    createServerProcess(`N${at + 1}`, leaseMs, surroundings),
  );
  const pipes = new Set<Pipe>();
  const apps = Array.from({ length: climate.apps }, (_, at) => {
    const more = { servers: processes, pipes, patienceMs: 0.5 * LEASE_MS };
    return createAppProcess(`A${at + 1}`, { ...surroundings, ...more });
  });
  const verifiers = [...processes, ...apps];
  const { load } = climate;
  workload = createWorkload({ timeline, random, weather, history, processes, verifiers, load });
  for (const process of processes) timeline.at(random.between(0, 50), process.boot);
  for (const app of apps) timeline.at(random.between(20, 200), app.boot);
  workload.start();
  if (climate.mood !== "calm")
    ambush = startNemesis({
      ...surroundings,
      processes,
      apps,
      pipes,
      leaseMs: LEASE_MS,
      endMs: load.endMs,
      onlyAmbushes: climate.mood === "duel",
      revoke: workload.revokeOne,
    });
  const endMs = healAndCheck(climate, { ...surroundings, processes, apps, workload });

  while (history.violations.length === 0 && timeline.next(endMs)) {
    if (!unsettled) continue;
    unsettled = false;
    await everythingSettled();
  }
  return {
    seed: options.seed,
    violations: history.violations,
    counts: history.counts,
    events: timeline.events,
    trace: lines,
    traceHash: createHash("sha256").update(lines.join("\n")).digest("hex"),
  };
}

/** Resolves when no promise has anything left to do: Node runs the task after all of them. */
export function everythingSettled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function slackOf(weather: Weather): number {
  return SLACK_MEAN_DELAYS * weather.delayMeanMs + 20;
}

interface Climate {
  readonly weather: Weather;
  readonly load: Parameters<typeof createWorkload>[0]["load"];
  /** Of each server. */
  readonly leasesMs: readonly number[];
  /** How many apps are below them. */
  readonly apps: number;
  /** The share of announced changes that a server hears of. */
  readonly announced: number;
  /** `calm`: nothing goes wrong. `duel`: nothing but ambushes, over a fast network, where little covers an error. */
  readonly mood: "calm" | "duel" | "stormy";
}

function drawClimate(random: Random): Climate {
  const chance = random.between(0, 1);
  const mood = chance < 0.06 ? "calm" : chance < 0.2 ? "duel" : "stormy";
  const stormy = mood === "stormy";
  const nodes = mood === "duel" ? 2 + random.below(2) : 1 + random.below(4);
  const longer = random.chance(0.2);
  const weather = {
    delayMinMs: 0.05,
    delayMeanMs: stormy ? random.pick([1, 3, 10, 25]) : random.pick([0.3, 1]),
    loss: stormy ? random.pick([0, 0, 0.01, 0.03]) : 0,
    late: stormy ? random.pick([0, 0.005, 0.03]) : 0,
    slow: stormy ? random.pick([0, 0, 0.1, 0.4]) : 0,
    slowLoads: stormy ? random.pick([0, 0.05, 0.25]) : 0,
    storeDown: false,
    held: null,
  };
  const leasesMs = Array.from({ length: nodes }, () =>
    longer && random.chance(0.5) ? 2.5 * LEASE_MS : LEASE_MS,
  );
  const load = {
    gapMs: random.pick([6, 12, 25]),
    revokeGapMs: random.pick([0.15, 0.4, 1]) * LEASE_MS,
    endMs: random.pick([5, 7, 10]) * LEASE_MS,
    leaseMs: LEASE_MS,
    // Each node renews every third of its lease.
    revokeMaxMs:
      mood === "calm"
        ? Math.max(...leasesMs) / 3 / (1 - RATE_EXTREME) + slackOf(weather)
        : Number.POSITIVE_INFINITY,
  };
  const apps = mood === "duel" ? random.below(3) : random.pick([0, 0, 1, 2, 3]);
  const announced = random.pick([0, 0, 0.9, 1]);
  return { weather, load, leasesMs, apps, mood, announced };
}

/** Announces a change to a process, as the database may or may not. Now and then it announces what is not so. */
function announce(
  process: ServerProcess,
  seq: number,
  { announced, weather }: Climate,
  { timeline, random }: Pick<Surroundings, "timeline" | "random">,
): void {
  if (!random.chance(announced)) return;
  const said = random.chance(0.05) ? random.pick([null, seq - 1, seq + 1]) : seq;
  timeline.after(random.exponential(weather.delayMeanMs), () => process.hear(said));
}

/**
 * Ends all faults when the load ends, and then checks that the world recovers: every process has a lease, nothing is
 * pending, and a fresh revocation is effective within the longest lease.
 *
 * @returns When the world ends.
 */
function healAndCheck(
  climate: Climate,
  world: Surroundings & {
    processes: readonly ServerProcess[];
    apps: readonly AppProcess[];
    workload: Workload;
  },
): number {
  const { timeline, weather, patience, history, memory, processes, apps, workload } = world;
  const verifiers = [...processes, ...apps];
  const longestMs = Math.max(...climate.leasesMs);
  const slackMs = slackOf(weather);
  const wellMs = climate.load.endMs + WELL_AFTER_LEASES * (longestMs + patience.timeoutMs);
  const effectiveMs = wellMs + longestMs * 1.02 + slackMs;
  const warmMs = effectiveMs + 10;
  let last: Subject | undefined;

  timeline.at(climate.load.endMs, () => {
    Object.assign(weather, { loss: 0, late: 0, slow: 0, slowLoads: 0, storeDown: false });
    // A sixteenth of these short leases must do for an acknowledgement, or nobody earns a longer one back.
    weather.delayMeanMs = Math.min(weather.delayMeanMs, HEALED_DELAY_MS);
    for (const { link } of processes)
      Object.assign(link, { requestsCut: false, answersCut: false });
    world.trace(() => "everything heals");
    // Apps that missed acknowledgements earn longer sub-leases back by timely ones.
    for (let change = 1; change <= EARNING_CHANGES; change++)
      timeline.after(change * 0.2 * LEASE_MS, workload.edit);
  });
  timeline.at(wellMs, () => {
    const pending = memory.pendingRevocations();
    if (pending.length > 0)
      history.violate("not alive", `${pending.length} revocations are still pending`);
    const process = processes.find((each) => each.serving && !each.machine.paused);
    if (process === undefined) history.violate("not alive", "no process serves");
    else last = workload.revokeOne(process);
  });
  timeline.at(effectiveMs, () => {
    if (last !== undefined && !history.hasReturned(last))
      history.violate("not alive", `the revocation of ${last.id} is not effective in time`);
    const token = workload.alive[0];
    if (token !== undefined) for (const process of verifiers) process.verify(token, timeline.nowMs);
  });
  timeline.at(warmMs + slackMs, () => {
    const token = workload.alive[0];
    for (const { name, serving, isWarm } of verifiers)
      if (!serving || (token !== undefined && !isWarm(token.token)))
        history.violate("not alive", `${name} has no lease after everything healed`);
  });
  return warmMs + slackMs;
}

/** The product's own log, as part of the trace. */
function loggerTo(trace: (text: () => string) => void, traced: boolean): Logger {
  if (!traced) return pino({ level: "silent" });
  const options = {
    timestamp: false,
    base: null,
    serializers: { err: (error: unknown) => String(error) },
  };
  return pino(options, { write: (line) => trace(() => `log ${line.trim()}`) });
}
