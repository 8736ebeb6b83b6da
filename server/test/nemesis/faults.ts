import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "../child.ts";
import type { Fleet, FleetNode } from "../fleet.ts";
import type { Random } from "../simulator/random.ts";
import type { Cut } from "../tcp-link.ts";
import type { Recorder } from "./history.ts";

/** How long a node may take to be ready again once nothing keeps it from it. */
const RECOVERY_MAX_MS = 30_000;

/** How many faults may last at one time. Of three nodes one is then left alone. */
const AT_ONCE = 2;

type OnNode = (node: FleetNode, random: Random) => Promise<void>;

/** A pause or a cut that ends while the lease granted before it still runs, and one that outlives it. */
const LASTING = {
  short: (leaseMs: number, random: Random) => leaseMs * random.between(0.1, 0.6),
  long: (leaseMs: number, random: Random) => leaseMs * random.between(1.2, 2.2),
};

const pause = (length: keyof typeof LASTING): OnNode =>
  async function pauseFor(node, random) {
    node.pause();
    await delay(LASTING[length](node.leaseMs, random));
    node.resume();
  };

const cut = (way: Cut, length: keyof typeof LASTING): OnNode =>
  async function cutFor(node, random) {
    node.link.cut(way);
    await delay(LASTING[length](node.leaseMs, random));
    node.link.heal();
  };

/** What can happen to a node. Each leaves it running and connected. */
const NODE_FAULTS: Readonly<Record<string, OnNode>> = {
  kill: async (node, random) => {
    await node.kill();
    await delay(random.between(0, node.leaseMs / 2));
    await startAgain(node);
  },
  stop: async (node, random) => {
    const ending = await node.terminate();
    if (ending.signal !== null) throw new Error(`${node.label} did not stop by itself`);
    await delay(random.between(0, node.leaseMs / 2));
    await startAgain(node);
  },
  "pause, short": pause("short"),
  "pause, long": pause("long"),
  "cut requests, short": cut("requests", "short"),
  "cut requests, long": cut("requests", "long"),
  "cut answers, short": cut("answers", "short"),
  "cut answers, long": cut("answers", "long"),
  "cut both ways, short": cut("both", "short"),
  "cut both ways, long": cut("both", "long"),
  "links reset": async (node) => node.link.reset(),
};

/** What can happen to the database. */
const DATABASE_FAULTS = {
  "database restarted": "fast",
  "database crashed": "immediate",
} as const;

/** Every fault there is. */
export const FAULTS: readonly string[] = [
  ...Object.keys(NODE_FAULTS),
  ...Object.keys(DATABASE_FAULTS),
];

/**
 * Strikes a fleet with faults, two at a time and never two on one node, and writes them down. Which, when, where and
 * how long is drawn from `random`; what the processes make of it is not.
 *
 * @param faults Names from {@link FAULTS}, in the order in which they are to happen.
 * @throws Error when a node does not recover.
 */
export async function strike(
  fleet: Fleet,
  recorder: Recorder,
  faults: readonly string[],
  random: Random,
): Promise<void> {
  const next = [...faults];
  const idle = [...fleet.nodes];
  let database: Promise<void> = Promise.resolve();
  async function strikeNext(fault: string): Promise<void> {
    const how = Object.entries(DATABASE_FAULTS).find(([name]) => name === fault)?.[1];
    if (how !== undefined) {
      database = database.then(() =>
        recorded(recorder, fault, "database", () => fleet.postgres.restart(how)),
      );
      return database;
    }
    const onNode = NODE_FAULTS[fault];
    const node = idle.splice(random.below(idle.length), 1)[0];
    if (onNode === undefined || node === undefined) throw new Error(`cannot do ${fault}`);
    await recorded(recorder, fault, node.label, () => onNode(node, random));
    await untilReady(node);
    idle.push(node);
  }
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    for (let fault = next.shift(); fault !== undefined; fault = next.shift()) {
      await strikeNext(fault).catch((error: unknown) => {
        next.length = 0; // nothing more happens to a fleet that is about to end
        throw error;
      });
      await delay(random.between(0, 300));
    }
  });
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
}

async function recorded(
  recorder: Recorder,
  fault: string,
  node: string,
  deed: () => Promise<void>,
): Promise<void> {
  await recorder.record(async () => {
    await deed();
    return { entry: { kind: "fault", client: "nemesis", node, fault } };
  });
}

/** A node does not start while the database is away, so it is started until it does. */
async function startAgain(node: FleetNode): Promise<void> {
  await waitFor(`${node.label} to start`, () => node.start().then(() => true), {
    withinMs: RECOVERY_MAX_MS,
  });
}

/** Resolves when a node could decide a verification. */
export async function untilReady({ url, label }: FleetNode): Promise<void> {
  const isReady = async (): Promise<true | undefined> =>
    (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok ? true : undefined;
  await waitFor(`${label} to be ready`, isReady, { withinMs: RECOVERY_MAX_MS });
}
