import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "../child.ts";
import type { Random } from "../simulator/random.ts";
import type { Cut, TcpLink } from "../tcp-link.ts";
import type { Deployment, Place } from "./deployment.ts";
import type { Recorder } from "./history.ts";

/** How long a process may take to be ready again: an app can only be while a node above it is. */
const RECOVERY_MAX_MS = 60_000;

/**
 * Between two faults, at most. Apps are left alone for longer, and so is an only node, without which they hold nothing:
 * who starts again with an empty cache has nothing to believe wrongly.
 */
const REST_MAX_MS = { nodes: 300, onlyNode: 2_000, apps: 1_000 };

type OnPlace = (place: Place, random: Random) => Promise<void>;

/** A pause or a cut that ends while the lease granted before it still runs, and one that outlives it. */
const LASTING = {
  short: (leaseMs: number, random: Random) => leaseMs * random.between(0.1, 0.6),
  long: (leaseMs: number, random: Random) => leaseMs * random.between(1.2, 2.2),
};

const pause = (length: keyof typeof LASTING): OnPlace =>
  async function pauseFor(place, random) {
    place.pause();
    await delay(LASTING[length](place.leaseMs, random));
    place.resume();
  };

const cut = (
  way: Cut,
  length: keyof typeof LASTING,
  which: (links: readonly TcpLink[], random: Random) => readonly TcpLink[] = (links) => links,
): OnPlace =>
  async function cutFor(place, random) {
    const links = which(place.links, random);
    for (const link of links) link.cut(way);
    await delay(LASTING[length](place.leaseMs, random));
    for (const link of links) link.heal();
  };

const allButOne = (links: readonly TcpLink[], random: Random): TcpLink[] => {
  const left = random.pick(links);
  return links.filter((link) => link !== left);
};

/** What can happen to a process, and how many links it takes. Each leaves it running and connected. */
const PLACE_FAULTS: Readonly<Record<string, { links: number; strike: OnPlace }>> = {
  kill: {
    links: 0,
    async strike(place, random) {
      await place.kill();
      await delay(random.between(0, place.leaseMs / 2));
      await startAgain(place);
    },
  },
  stop: {
    links: 0,
    async strike(place, random) {
      const ending = await place.terminate();
      if (ending.signal !== null) throw new Error(`${place.label} did not stop by itself`);
      await delay(random.between(0, place.leaseMs / 2));
      await startAgain(place);
    },
  },
  "pause, short": { links: 0, strike: pause("short") },
  "pause, long": { links: 0, strike: pause("long") },
  "cut requests, short": { links: 1, strike: cut("requests", "short") },
  "cut requests, long": { links: 1, strike: cut("requests", "long") },
  "cut answers, short": { links: 1, strike: cut("answers", "short") },
  "cut answers, long": { links: 1, strike: cut("answers", "long") },
  "cut both ways, short": { links: 1, strike: cut("both", "short") },
  "cut both ways, long": { links: 1, strike: cut("both", "long") },
  "links reset": {
    links: 1,
    async strike({ links }) {
      for (const link of links) link.reset();
    },
  },
  "cut off from all but one": { links: 2, strike: cut("both", "long", allButOne) },
};

/** What can happen to the database. */
const DATABASE_FAULTS = {
  "database restarted": "fast",
  "database crashed": "immediate",
} as const;

/** Of a fault that strikes an app; the same without it strikes a node. */
const APP = "app: ";

/** Every fault that can strike a deployment. */
export function faultsOf({ nodes, apps, restartDatabase }: Deployment): string[] {
  return [
    ...possible(nodes),
    ...possible(apps).map((fault) => APP + fault),
    ...(restartDatabase === null ? [] : Object.keys(DATABASE_FAULTS)),
  ];
}

function possible(places: readonly Place[]): string[] {
  return Object.entries(PLACE_FAULTS).flatMap(([fault, { links }]) =>
    places.some((place) => place.links.length >= links) ? [fault] : [],
  );
}

/**
 * Strikes a deployment with faults, never two on one process, and writes them down: some nodes at a time so that one
 * is left alone where there are several, and any number of apps. Which, when, where and how long is drawn from
 * `random`; what the processes make of it is not.
 *
 * @param faults Names from {@link faultsOf}, in the order in which they are to happen.
 * @throws Error when a process does not recover.
 */
export async function strike(
  deployment: Deployment,
  recorder: Recorder,
  faults: readonly string[],
  random: Random,
): Promise<void> {
  const { nodes, apps } = deployment;
  const isOfApps = (fault: string): boolean => fault.startsWith(APP);
  const onNodes = faults.filter((fault) => !isOfApps(fault));
  const onApps = faults.filter(isOfApps);
  const strikeNode = striker(nodes, recorder, random);
  const strikeDatabase = databaseStriker(deployment, recorder);
  const nodeLanes =
    nodes.length === 1
      ? { atOnce: 1, restMaxMs: REST_MAX_MS.onlyNode, random }
      : { atOnce: nodes.length - 1, restMaxMs: REST_MAX_MS.nodes, random };
  const appLanes = { atOnce: apps.length, restMaxMs: REST_MAX_MS.apps, random };
  const lanes = [
    ...lanesOf(onNodes, nodeLanes, (fault) =>
      fault in DATABASE_FAULTS ? strikeDatabase(fault) : strikeNode(fault),
    ),
    ...lanesOf(onApps, appLanes, striker(apps, recorder, random)),
  ];
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
}

/** Has faults happen one after another, `atOnce` of them at a time. */
function lanesOf(
  faults: readonly string[],
  { atOnce, restMaxMs, random }: { atOnce: number; restMaxMs: number; random: Random },
  strikeNext: (fault: string) => Promise<void>,
): Promise<void>[] {
  const next = [...faults];
  return Array.from({ length: atOnce }, async () => {
    for (let fault = next.shift(); fault !== undefined; fault = next.shift()) {
      await strikeNext(fault).catch((error: unknown) => {
        next.length = 0; // nothing more happens to what is about to end
        throw error;
      });
      await delay(random.between(0, restMaxMs));
    }
  });
}

/** Strikes any process that nothing else strikes now, and waits until it has recovered. */
function striker(places: readonly Place[], recorder: Recorder, random: Random) {
  const idle = [...places];
  return async (fault: string): Promise<void> => {
    const name = fault.startsWith(APP) ? fault.slice(APP.length) : fault;
    const deed = PLACE_FAULTS[name];
    const place = idle.splice(random.below(idle.length), 1)[0];
    if (deed === undefined || place === undefined) throw new Error(`cannot do ${fault}`);
    await recorded(recorder, fault, place.label, () => deed.strike(place, random));
    await untilReady(place);
    idle.push(place);
  };
}

/** Strikes the database, once at a time. */
function databaseStriker({ restartDatabase }: Deployment, recorder: Recorder) {
  let last: Promise<void> = Promise.resolve();
  return (fault: string): Promise<void> => {
    const how = Object.entries(DATABASE_FAULTS).find(([name]) => name === fault)?.[1];
    if (how === undefined || restartDatabase === null) throw new Error(`cannot do ${fault}`);
    last = last.then(() => recorded(recorder, fault, "database", () => restartDatabase(how)));
    return last;
  };
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

/** A node does not start while the database is away, nor an app while it reaches no node: each is started until it does. */
async function startAgain(place: Place): Promise<void> {
  await waitFor(`${place.label} to start`, () => place.start().then(() => true), {
    withinMs: RECOVERY_MAX_MS,
  });
}

/** Resolves when a place could decide a verification. */
export async function untilReady({ url, label }: Place): Promise<void> {
  const isReady = async (): Promise<true | undefined> =>
    (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok ? true : undefined;
  await waitFor(`${label} to be ready`, isReady, { withinMs: RECOVERY_MAX_MS });
}
