import { type Client, createClient } from "@latchkey/sdk/client";
import { waitFor } from "../child.ts";
import type { Deployment, Place } from "../nemesis/deployment.ts";
import { type Life, live, makeKeys, type Told } from "./life.ts";

/** A process that is killed may take along what it decided in its last second; the rest is noise of the machine. */
const LOST_WITHIN_MS = 1_000;
const NOISE_MS = 1_000;

/** A life that is over, and how: `endedMs` is when its process was killed, monotonic; `null`: it ended by itself. */
export interface Ended {
  readonly life: Life;
  readonly killedMs: number | null;
}

/** A load on every process of a deployment, that knows what it sent. */
export interface Load {
  /** Ends a process and starts it again; the requests of its next life have keys of their own. */
  restart(place: Place, how: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Ends every process by SIGTERM, apps first, and one node is started again to tell. */
  finish(): Promise<readonly Ended[]>;
}

/** Begins to send to every node and app. */
export async function createLoad(deployment: Deployment): Promise<Load> {
  const { nodes, apps, first } = deployment;
  const lives = new Map<Place, Life>();
  const ended: Ended[] = [];
  const clientOf = (place: Place): Client =>
    createClient({ url: place.url, token: first.service_token });

  async function begin(place: Place, by: Place): Promise<void> {
    const keys = await waitFor("keys to be made", () => makeKeys(clientOf(by), place.label));
    lives.set(place, live(place, keys));
  }

  async function end(place: Place, how: "SIGTERM" | "SIGKILL"): Promise<void> {
    const life = lives.get(place);
    if (life === undefined) throw new Error(`${place.label} is not alive`);
    lives.delete(place);
    let killedMs: number | null = null;
    if (how === "SIGKILL") {
      killedMs = performance.now();
      await place.kill();
    } else {
      const { code } = await place.terminate();
      if (code !== 0) throw new Error(`${place.label} ended with ${code}`);
    }
    await life.end();
    ended.push({ life, killedMs });
  }

  const [teller] = nodes;
  if (teller === undefined) throw new Error("there is no node");
  for (const place of [...nodes, ...apps]) await begin(place, teller);
  return {
    async restart(place, how) {
      await end(place, how);
      await place.start();
      await begin(place, place === teller || apps.includes(place) ? teller : place);
    },
    async finish() {
      for (const place of [...apps, ...nodes]) await end(place, "SIGTERM");
      await teller.start();
      return ended;
    },
  };
}

/** What was sent, what of it is counted, and every count that cannot be. */
export interface Reckoning {
  readonly arrived: number;
  readonly unanswered: number;
  readonly counted: number;
  /** Verdicts that arrived and are in no count, of processes that were killed. */
  readonly lost: number;
  readonly wrong: readonly string[];
}

/** Compares what was sent with what is counted, by minutes, hours and days alike. */
export async function reckon(client: Client, ended: readonly Ended[]): Promise<Reckoning> {
  const sums = { arrived: 0, unanswered: 0, counted: 0, lost: 0 };
  const wrong: string[] = [];
  for (const { life, killedMs } of ended)
    for (const outcome of ["accepted", "revoked"] as const) {
      const told = life[outcome];
      const counted = await countedOf(client, told, outcome, wrong);
      const arrived = told.arrivedMs.length;
      const least =
        killedMs === null
          ? arrived
          : told.arrivedMs.filter((atMs) => atMs < killedMs - LOST_WITHIN_MS - NOISE_MS).length;
      const most = arrived + told.unanswered;
      if (counted < least || counted > most)
        wrong.push(`${life.label}, ${outcome}: ${counted} are counted of ${least} to ${most}`);
      sums.arrived += arrived;
      sums.unanswered += told.unanswered;
      sums.counted += counted;
      sums.lost += Math.max(0, arrived - counted);
    }
  return { ...sums, wrong };
}

async function countedOf(
  client: Client,
  { keyId }: Told,
  outcome: string,
  wrong: string[],
): Promise<number> {
  const sums = await Promise.all(
    (["minute", "hour", "day"] as const).map(async (granularity) => {
      const { entries } = await client.apiKeys.usage(keyId, { granularity });
      for (const entry of entries)
        if (entry.outcome !== outcome) wrong.push(`${keyId}: ${entry.count} × ${entry.outcome}`);
      return entries.reduce((sum, { count }) => sum + count, 0);
    }),
  );
  const [minutes = 0] = sums;
  if (sums.some((sum) => sum !== minutes))
    wrong.push(`${keyId}: ${sums.join(", ")} by granularity`);
  return minutes;
}
