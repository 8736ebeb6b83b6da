import type { Fleet, FleetNode } from "../fleet.ts";
import { type Random, randomOf } from "../simulator/random.ts";
import { createVerifying, type Status, type Verifying } from "./calls.ts";
import type { Recorder } from "./history.ts";
import { createKeyring, type HeldKey, type Keyring } from "./keyring.ts";

/** A place where keys are issued. */
export interface Home {
  readonly account: string;
  readonly environment: { readonly id: string; readonly slug: string };
  readonly serviceToken: string;
}

/** What all clients of one run share. */
export interface World {
  readonly fleet: Fleet;
  readonly recorder: Recorder;
  readonly keyring: Keyring;
  /** The account that lives as long as the run. */
  readonly home: Home;
  /** Verifications answered, and revocations that returned, so far. */
  readonly done: { verifications: number; revokes: number };
  /** Asks a node about a key, and writes it down. */
  verify(node: FleetNode, key: HeldKey, client: string): Promise<Status>;
  /** Asks every node about some keys, all at once. */
  verifyEverywhere(keys: readonly HeldKey[], client: string): Promise<Status[]>;
  close(): void;
}

/** One client: its name in the history, and its own chance. */
export interface Client {
  readonly name: string;
  readonly random: Random;
}

/** @param seed Of all clients; the number makes one of them. */
export function createClient(name: string, seed: number, number: number): Client {
  return { name, random: randomOf(seed * 1_000 + number) };
}

/** Makes the world of a fleet that stays one, whatever happens to its nodes. */
export function createWorld(fleet: Fleet, recorder: Recorder): World {
  const environment = fleet.first.environments.find(({ slug }) => slug === "production");
  if (environment === undefined) throw new Error("there is no production environment");
  const verifying = new Map<FleetNode, Verifying>(
    fleet.nodes.map((node) => [node, createVerifying(node.url)]),
  );
  const done = { verifications: 0, revokes: 0 };
  const verify: World["verify"] = async (node, { subject, token }, client) => {
    const asked = await recorder.record(async () => {
      const status = (await verifying.get(node)?.authenticate(token)) ?? null;
      return { status, entry: { kind: "verify", client, node: node.label, subject, status } };
    });
    if (asked.status !== null) done.verifications += 1;
    return asked.status;
  };
  return {
    fleet,
    recorder,
    keyring: createKeyring(),
    home: {
      account: fleet.first.account.id,
      environment,
      serviceToken: fleet.first.service_token,
    },
    done,
    verify,
    verifyEverywhere: (keys, client) =>
      Promise.all(keys.flatMap((key) => fleet.nodes.map((node) => verify(node, key, client)))),
    close() {
      for (const each of verifying.values()) each.close();
    },
  };
}
