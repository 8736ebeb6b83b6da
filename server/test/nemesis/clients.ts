import { setTimeout as delay } from "node:timers/promises";
import type { Place } from "./deployment.ts";
import type { HeldKey } from "./keyring.ts";
import { makeStock, revokeOn } from "./revoker.ts";
import { issueKey, issueServiceToken } from "./victims.ts";
import { type Client, createClient, type World } from "./world.ts";

/** Clients that verify, issue and revoke, and write down everything. */
export interface Clients {
  /** Lets everybody finish what they are at. Rejects when a client failed; a server that fails is no such thing. */
  stop(): Promise<void>;
}

/** For each place. Each takes a breath after each answer, so that servers and database get their turn. */
const HAMMERS = 2;
const BREATH_MS = 3;
/** After no verdict: who cannot decide need not say so all the time. */
const BREATH_AFTER_NOTHING_MS = 25;
/** Calls with service tokens read the store each time, and so are fewer. */
const MANAGING_BREATH_MS = 25;

/** Who revoke, each one thing after another. */
const REVOKERS = 6;

/** Keys that nobody revokes, beside one service token that nobody deletes. */
const STEADY_KEYS = 3;

/** Issues the keys that nobody revokes and those that will be, and lets everybody loose. */
export async function startClients(world: World, seed: number): Promise<Clients> {
  const { deployment, places, keyring, tokens, home } = world;
  let numbers = 0;
  const client = (name: string): Client => createClient(name, seed, ++numbers);
  const steady = client("steady");
  const node = (): Place => steady.random.pick(deployment.nodes);
  for (let made = 0; made < STEADY_KEYS; made++)
    keyring.add(issued(await issueKey(world, steady, node(), home)));
  tokens.add(issued(await issueServiceToken(world, steady, node())));
  const stocked = await Promise.all(
    Array.from({ length: REVOKERS }, async (_, n) => {
      const revoker = client(`revoker-${n + 1}`);
      return { revoker, stock: await makeStock(world, revoker) };
    }),
  );
  let stopped = false;
  const isStopped = (): boolean => stopped;
  const hammers = places.flatMap((place) =>
    Array.from({ length: HAMMERS }, (_, n) =>
      hammer(world, client(`hammer-${n + 1}`), place, isStopped),
    ),
  );
  const managers = deployment.nodes.map((node) =>
    manageOn(world, client("manager"), node, isStopped),
  );
  const revokers = stocked.map(({ revoker, stock }) => revokeOn(world, revoker, stock, isStopped));
  const running = Promise.all([...hammers, ...managers, ...revokers]);
  running.catch(() => {}); // stop() tells
  return {
    async stop() {
      stopped = true;
      await running;
    },
  };
}

function issued(held: HeldKey | null): HeldKey {
  if (held === null) throw new Error("a healthy node issues nothing");
  return held;
}

async function hammer(
  world: World,
  { name, random }: Client,
  place: Place,
  isStopped: () => boolean,
): Promise<void> {
  while (!isStopped()) {
    const { status } = await world.verify(place, world.keyring.pick(random), name);
    await delay(status === 200 || status === 401 ? BREATH_MS : BREATH_AFTER_NOTHING_MS);
  }
}

/** Calls a node with service tokens, living and dead. */
async function manageOn(
  world: World,
  client: Client,
  node: Place,
  isStopped: () => boolean,
): Promise<void> {
  while (!isStopped()) {
    await world.use(node, world.tokens.pick(client.random), client);
    await delay(MANAGING_BREATH_MS);
  }
}
