import { type Random, randomOf } from "../simulator/random.ts";
import { createVerifying, type Decision, type Verifying } from "./calls.ts";
import type { Deployment, Place } from "./deployment.ts";
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
  readonly deployment: Deployment;
  /** Everything that verifies: the nodes, and the apps below them. */
  readonly places: readonly Place[];
  readonly recorder: Recorder;
  readonly keyring: Keyring;
  /** The account that lives as long as the run. */
  readonly home: Home;
  /** Verifications answered, and revocations that returned, so far. */
  readonly done: { verifications: number; revokes: number };
  /** Asks a place about a key, and writes it down. */
  verify(place: Place, key: HeldKey, client: string): Promise<Decision>;
  /** Asks every place about some keys, all at once. */
  verifyEverywhere(keys: readonly HeldKey[], client: string): Promise<Decision[]>;
  /** Ends the history and closes every connection to what is tormented. */
  close(): Promise<void>;
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

/** Makes the world of a deployment that stays one, whatever happens to its processes. */
export function createWorld(deployment: Deployment, recorder: Recorder): World {
  const { first } = deployment;
  const places = [...deployment.nodes, ...deployment.apps];
  const environment = first.environments.find(({ slug }) => slug === "production");
  if (environment === undefined) throw new Error("there is no production environment");
  const verifying = new Map<Place, Verifying>(
    places.map((place) => [place, createVerifying(place.url)]),
  );
  const done = { verifications: 0, revokes: 0 };
  const verify: World["verify"] = async (place, { subject, token }, client) => {
    const asking = verifying.get(place);
    if (asking === undefined) throw new Error(`${place.label} is not of this world`);
    const { decision } = await recorder.record(async () => {
      const decision = await asking.authenticate(token);
      return {
        decision,
        entry: { kind: "verify", client, node: place.label, subject, ...decision },
      };
    });
    if (decision.status !== null) done.verifications += 1;
    return decision;
  };
  return {
    deployment,
    places,
    recorder,
    keyring: createKeyring(),
    home: {
      account: first.account.id,
      environment,
      serviceToken: first.service_token,
    },
    done,
    verify,
    verifyEverywhere: (keys, client) =>
      Promise.all(keys.flatMap((key) => places.map((place) => verify(place, key, client)))),
    async close() {
      await recorder.close();
      for (const each of verifying.values()) each.close();
    },
  };
}
