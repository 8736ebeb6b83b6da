import { waitFor } from "../child.ts";
import { type Random, randomOf } from "../simulator/random.ts";
import { startClients } from "./clients.ts";
import type { Place } from "./deployment.ts";
import { strike, untilReady } from "./faults.ts";
import { revokeOnce } from "./revoker.ts";
import { issueKey, keyVictim } from "./victims.ts";
import { type Client, createClient, type World } from "./world.ts";

/** How much a run has to contain. */
export interface Amount {
  readonly faults: readonly string[];
  /** How often each of them. */
  readonly faultsOfEach: number;
  readonly verifications: number;
  readonly revokes: number;
  /** Service tokens deleted, among the revokes. */
  readonly deletions: number;
}

/** Clients that get so little done meet something else than faults. */
const ENOUGH_WITHIN_MS = 30 * 60_000;

/** How soon all must be well again once nothing happens any more: dead rows have lapsed, connections are back. */
const CALM_WITHIN_MS = 20_000;

/**
 * Lets clients loose on a world, strikes it with faults, and writes down everything: in a random order that the seed
 * decides, as far as real processes obey.
 *
 * @throws Error when a process does not recover.
 */
export async function torment(world: World, seed: number, amount: Amount): Promise<void> {
  const random = randomOf(seed);
  const clients = await startClients(world, seed);
  try {
    const all = amount.faults.flatMap((fault) =>
      Array.from({ length: amount.faultsOfEach }, () => fault),
    );
    await strike(world.deployment, world.recorder, shuffled(all, random), random);
    await waitFor(
      "enough to have happened",
      () => {
        const { verifications, revokes, deletions } = world.done;
        const isEnough =
          verifications >= amount.verifications &&
          revokes >= amount.revokes &&
          deletions >= amount.deletions;
        return isEnough ? true : undefined;
      },
      { withinMs: ENOUGH_WITHIN_MS },
    );
  } finally {
    await clients.stop();
  }
}

/**
 * Shows that what was tormented has healed: everything serves, apps by what they hold, and a revocation through any
 * node needs nobody's lease to run out.
 *
 * @throws Error when it does not come to that.
 */
export async function proveAlive(world: World, seed: number): Promise<void> {
  const client = createClient("survivor", seed, 0);
  await Promise.all(world.places.map(untilReady));
  for (const node of world.deployment.nodes)
    await waitFor(
      `a revocation through ${node.label} that everybody confirms`,
      async () => ((await isConfirmedByAll(world, client, node)) ? true : undefined),
      { withinMs: CALM_WITHIN_MS },
    );
}

async function isConfirmedByAll(world: World, client: Client, node: Place): Promise<boolean> {
  const { deployment, places, home } = world;
  const leaseMs = Math.min(...deployment.nodes.map((each) => each.leaseMs));
  const key = await issueKey(world, client, node, home);
  if (key === null) return false;
  const victim = keyVictim(key, home.serviceToken);
  await world.verifyEverywhere([key], client.name);
  const before = await world.verifyEverywhere([key], client.name);
  const how = { node, wait: true, withinMs: CALM_WITHIN_MS };
  const { receipt } = await revokeOnce(world, client, victim, how);
  const after = await world.verifyEverywhere([key], client.name);
  return (
    before.every(({ status, held }) => status === 200 && held !== false) &&
    after.every(({ status }) => status === 401) &&
    receipt?.state === "effective" &&
    receipt.acknowledged === places.length &&
    receipt.lapsed === 0 &&
    (receipt.took_ms ?? leaseMs) < leaseMs / 2
  );
}

function shuffled<T>(from: readonly T[], random: Random): T[] {
  const left = [...from];
  return Array.from(from, () => left.splice(random.below(left.length), 1)).flat();
}
