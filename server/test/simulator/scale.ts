import pino from "pino";
import { createVerification } from "../../src/domain/verification.ts";
import { type AppProcess, createAppProcess } from "./app-process.ts";
import { createHistory, type History, type Token } from "./history.ts";
import { createMemoryStore } from "./memory-store.ts";
import { type Random, randomOf } from "./random.ts";
import { calm, createScaleNode, type Place, type ScaleNode } from "./scale-node.ts";
import { countFrames, type Work, workOf, workSince } from "./scale-tally.ts";
import type { ServerProcess, Surroundings } from "./server-process.ts";
import { createTimeline, type Timeline } from "./timeline.ts";
import { everythingSettled } from "./world.ts";

/** What a {@link playScale} is of. */
export interface ScaleOptions {
  readonly seed: number;
  readonly leaseMs: number;
  readonly places: readonly Place[];
  /** In all, spread evenly over the nodes. */
  readonly verifiers: number;
  /** Round trip between a verifier and its node, ms. */
  readonly verifierRttMs: number;
  /** Whether nodes hear of changes, or read the clock only. */
  readonly notify: boolean;
  readonly revocations: number;
}

/** One revocation; times are true ms from when the request reached a node. */
export interface Revoked {
  /** The place of the node that was asked. */
  readonly place: string;
  /** Until the last acknowledgement of a verifier reached its node; negative without verifiers. */
  readonly ackedMs: number;
  /** Until the answer. */
  readonly answeredMs: number;
  readonly acknowledged: number;
  readonly lapsed: number;
}

export interface NodeWork extends Work {
  readonly place: string;
}

/** What became of a {@link playScale}. */
export interface ScaleOutcome {
  readonly revoked: readonly Revoked[];
  /** Of each node, while nothing was revoked for `idleMs`. */
  readonly idle: readonly NodeWork[];
  readonly idleMs: number;
  /** Of each node, while everything was revoked, in `busyMs`; what goes on when idle is in it too. */
  readonly busy: readonly NodeWork[];
  readonly busyMs: number;
  /** Real µs of the nodes' own code for each frame received. */
  readonly handlingUs: readonly number[];
  readonly violations: History["violations"];
  readonly events: number;
  /** How much time passed in the model, ms. */
  readonly lastedMs: number;
}

/** Leases until everybody is connected and in step, and leases for which nothing happens. */
const SETTLING_LEASES = 2.5;
const IDLE_LEASES = 3;

/** Pause before a revocation: long enough that some verifiers have its key warm, and at no fixed time of anything. */
const PAUSE_MS = { low: 250, high: 500 };

/** How many verifiers try a key, before its revocation and after it. */
const PROBES = 10;

/** How long after an answer the key is tried again, ms. */
const TRIED_AFTER_MS = 0.001;

/** Plays a tree of database, nodes and verifiers in which nothing goes wrong, on the product's own code. */
export async function playScale(options: ScaleOptions): Promise<ScaleOutcome> {
  const { leaseMs } = options;
  const world = createWorld(options);
  const { timeline, random, history, nodes, run } = world;
  const issued: Token[] = [];
  timeline.at(leaseMs, () => {
    for (let at = 0; at < options.revocations; at++)
      random.pick(nodes).process.issue("env", "acc", (token) => issued.push(token));
  });
  const works = (): NodeWork[] =>
    nodes.map(({ place, tally }) => ({ place: place.name, ...workOf(tally) }));
  const between = (before: readonly NodeWork[], after: readonly NodeWork[]): NodeWork[] =>
    after.map((work, at) => ({ ...work, ...workSince(before[at] ?? work, work) }));

  const idleFromMs = SETTLING_LEASES * leaseMs;
  const idleToMs = idleFromMs + IDLE_LEASES * leaseMs;
  await run(() => timeline.nowMs >= idleFromMs);
  const settled = works();
  await run(() => timeline.nowMs >= idleToMs);
  const idled = works();
  const beganMs = timeline.nowMs;
  const revoked = revokeAll(world, issued);
  await run(() => revoked.length === options.revocations);
  return {
    revoked,
    idle: between(settled, idled),
    idleMs: idleToMs - idleFromMs,
    busy: between(idled, works()),
    busyMs: timeline.nowMs - beganMs,
    handlingUs: nodes.flatMap(({ tally }) => tally.handlingUs),
    violations: history.violations,
    events: timeline.events,
    lastedMs: timeline.nowMs,
  };
}

interface ScaleWorld {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly history: History;
  readonly nodes: readonly ScaleNode[];
  readonly verifiers: readonly AppProcess[];
  /** Lets time pass until `ended`, asked after each event. */
  run(ended: () => boolean): Promise<void>;
}

function createWorld(options: ScaleOptions): ScaleWorld {
  const { leaseMs } = options;
  const random = randomOf(options.seed);
  const timeline = createTimeline();
  const silent = (): void => {};
  const history = createHistory(timeline, silent, silent);
  let unsettled = false;
  const shared: Surroundings = {
    timeline,
    random,
    history,
    memory: createMemoryStore({
      changed: silent,
      effective: silent,
      renewed: silent,
      reaped: silent,
    }),
    weather: calm(options.verifierRttMs),
    patience: { timeoutMs: Math.min(1_000, leaseMs / 3), lateMaxMs: 0 },
    logger: pino({ level: "silent" }),
    trace: silent,
    assemble: createVerification,
    ran: () => {
      unsettled = true;
    },
  };
  const listeners: (() => void)[] = [];
  const nodes = options.places.flatMap((place) =>
    Array.from({ length: place.nodes }, (_, at) =>
      createScaleNode(`${place.name} ${at + 1}`, place, options, shared, listeners),
    ),
  );
  const verifiers = Array.from({ length: options.verifiers }, (_, at) => {
    const above = { servers: [counted(nodes[at % nodes.length] as ScaleNode, timeline)] };
    const apart = { pipes: new Set<never>(), patienceMs: leaseMs / 2 };
    return createAppProcess(`V${at}`, { ...shared, ...above, ...apart });
  });
  for (const { process } of nodes) timeline.at(random.between(0, 50), process.boot);
  for (const verifier of verifiers) timeline.at(random.between(0.1, 1) * leaseMs, verifier.boot);
  return {
    timeline,
    random,
    history,
    nodes,
    verifiers,
    async run(ended) {
      while (!ended() && timeline.next(Number.POSITIVE_INFINITY)) {
        if (!unsettled) continue;
        unsettled = false;
        await everythingSettled();
      }
    },
  };
}

function counted({ process, tally }: ScaleNode, timeline: Timeline): ServerProcess {
  const accept: ServerProcess["accept"] = (pipe, holder) =>
    process.accept(countFrames(pipe, tally, timeline), holder);
  return { ...process, accept };
}

/** Revokes one key after the other at random nodes. @returns Those revoked so far. */
function revokeAll(
  { timeline, random, history, nodes, verifiers }: ScaleWorld,
  issued: readonly Token[],
): readonly Revoked[] {
  const revoked: Revoked[] = [];

  function tryOut(token: Token): void {
    for (let at = 0; at < PROBES && verifiers.length > 0; at++)
      random.pick(verifiers).verify(token, timeline.nowMs);
  }

  function revoke(token: Required<Token>): void {
    const subject = { kind: "key", id: token.key.id } as const;
    const { place, process } = random.pick(nodes);
    const fromMs = timeline.nowMs;
    history.invoked(subject);
    process.revoke(subject, true, (outcome) => {
      if (outcome.kind !== "effective") throw new Error(`the revocation was ${outcome.kind}`);
      history.returned(subject, "answered");
      const { acknowledged, lapsed } = outcome.revocation;
      const ackedMs = Math.max(...nodes.map(({ tally }) => tally.ackedMs)) - fromMs;
      const answeredMs = timeline.nowMs - fromMs;
      revoked.push({ place: place.name, ackedMs, answeredMs, acknowledged, lapsed });
      timeline.after(TRIED_AFTER_MS, () => tryOut(token));
      next();
    });
  }

  function next(): void {
    const token = issued[revoked.length];
    if (token?.key === undefined) return;
    const { key } = token;
    tryOut(token);
    const pauseMs = random.between(PAUSE_MS.low, PAUSE_MS.high);
    timeline.after(pauseMs, () => revoke({ ...token, key }));
  }

  next();
  return revoked;
}
