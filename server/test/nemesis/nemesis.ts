import { waitFor } from "../child.ts";
import type { Fleet } from "../fleet.ts";
import { type Random, randomOf } from "../simulator/random.ts";
import { startClients } from "./clients.ts";
import { strike, untilReady } from "./faults.ts";
import type { Recorder } from "./history.ts";
import { revokeOnce } from "./revoker.ts";
import { issueKey, keyVictim } from "./victims.ts";
import { type Client, createClient, createWorld, type World } from "./world.ts";

/** How much a run has to contain. */
export interface Amount {
  readonly faults: readonly string[];
  /** How often each of them. */
  readonly faultsOfEach: number;
  readonly verifications: number;
  readonly revokes: number;
}

/** Clients that get so little done meet something else than faults. */
const ENOUGH_WITHIN_MS = 30 * 60_000;

/** How soon all must be well again once nothing happens any more: dead rows have lapsed, connections are back. */
const CALM_WITHIN_MS = 20_000;

/**
 * Lets clients loose on a fleet, strikes it with faults, and writes down everything: in a random order that the seed
 * decides, as far as real processes obey. When all has healed it shows that the fleet lives.
 *
 * @throws Error when a node does not recover, or the fleet does not come to life again.
 */
export async function torment(
  fleet: Fleet,
  recorder: Recorder,
  seed: number,
  amount: Amount,
): Promise<void> {
  const world = createWorld(fleet, recorder);
  const random = randomOf(seed);
  const clients = await startClients(world, seed);
  try {
    const all = amount.faults.flatMap((fault) =>
      Array.from({ length: amount.faultsOfEach }, () => fault),
    );
    await strike(fleet, recorder, shuffled(all, random), random);
    await waitFor(
      "enough to have happened",
      () => {
        const { verifications, revokes } = world.done;
        return verifications >= amount.verifications && revokes >= amount.revokes
          ? true
          : undefined;
      },
      { withinMs: ENOUGH_WITHIN_MS },
    );
  } finally {
    await clients.stop();
  }
  await proveAlive(world, createClient("survivor", seed, 0));
  await recorder.close();
  world.close();
}

/** Every node serves, and a revocation through any of them needs nobody's lease to run out. */
async function proveAlive(world: World, client: Client): Promise<void> {
  const { nodes } = world.fleet;
  const leaseMs = Math.min(...nodes.map((node) => node.leaseMs));
  for (const node of nodes) {
    await untilReady(node);
    await waitFor(
      `a revocation through ${node.label} that everybody confirms`,
      async () => {
        const key = await issueKey(world, client, node, world.home);
        if (key === null) return undefined;
        const victim = keyVictim(key, world.home.serviceToken);
        const before = await world.verifyEverywhere([key], client.name);
        const how = { node, wait: true, withinMs: CALM_WITHIN_MS };
        const { receipt } = await revokeOnce(world, client, victim, how);
        const after = await world.verifyEverywhere([key], client.name);
        return before.every((status) => status === 200) &&
          after.every((status) => status === 401) &&
          receipt?.state === "effective" &&
          receipt.acknowledged === nodes.length &&
          receipt.lapsed === 0 &&
          (receipt.took_ms ?? leaseMs) < leaseMs / 2
          ? true
          : undefined;
      },
      { withinMs: CALM_WITHIN_MS },
    );
  }
}

function shuffled<T>(from: readonly T[], random: Random): T[] {
  const left = [...from];
  return Array.from(from, () => left.splice(random.below(left.length), 1)).flat();
}
