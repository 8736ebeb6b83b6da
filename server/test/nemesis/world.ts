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
  /** Service tokens of the account, by which nodes are managed. */
  readonly tokens: Keyring;
  /** The account that lives as long as the run. */
  readonly home: Home;
  /** Verifications answered, revocations that returned, and deletions of service tokens among them, so far. */
  readonly done: { verifications: number; revokes: number; deletions: number };
  /** Asks a place about a key, and writes it down. */
  verify(place: Place, key: HeldKey, client: string): Promise<Decision>;
  /** Asks every place about some keys, all at once. */
  verifyEverywhere(keys: readonly HeldKey[], client: string): Promise<Decision[]>;
  /** Makes a call of a node with a service token, and writes it down. */
  use(node: Place, token: HeldKey, client: Client): Promise<Decision>;
  /** Asks every place about some keys, and every node about some service tokens, all at once. */
  askEverywhere(
    about: { keys: readonly HeldKey[]; tokens: readonly HeldKey[] },
    client: Client,
  ): Promise<Decision[]>;
  /** Ends the history and closes every connection to what is tormented. */
  close(): Promise<void>;
}

/** What a service token is used for: both read the token's row, and change nothing. */
const MANAGEMENT_CALLS = ["/v1/whoami", "/v1/environments"] as const;

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
  const done = { verifications: 0, revokes: 0, deletions: 0 };
  const askingOf = (place: Place): Verifying => {
    const asking = verifying.get(place);
    if (asking === undefined) throw new Error(`${place.label} is not of this world`);
    return asking;
  };
  const verify: World["verify"] = async (place, { subject, token }, client) => {
    const { decision } = await recorder.record(async () => {
      const decision = await askingOf(place).authenticate(token);
      return {
        decision,
        entry: { kind: "verify", client, node: place.label, subject, ...decision },
      };
    });
    if (decision.status !== null) done.verifications += 1;
    return decision;
  };
  const use: World["use"] = async (node, { subject, token }, { name, random }) => {
    const call = random.pick(MANAGEMENT_CALLS);
    const { decision } = await recorder.record(async () => {
      const decision = await askingOf(node).read(call, token);
      const { status } = decision;
      return {
        decision,
        entry: { kind: "use", client: name, node: node.label, subject, status, call },
      };
    });
    return decision;
  };
  const verifyEverywhere: World["verifyEverywhere"] = (keys, client) =>
    Promise.all(keys.flatMap((key) => places.map((place) => verify(place, key, client))));
  return {
    deployment,
    places,
    recorder,
    keyring: createKeyring(),
    tokens: createKeyring(),
    home: {
      account: first.account.id,
      environment,
      serviceToken: first.service_token,
    },
    done,
    verify,
    verifyEverywhere,
    use,
    async askEverywhere({ keys, tokens }, client) {
      const uses = tokens.flatMap((token) =>
        deployment.nodes.map((node) => use(node, token, client)),
      );
      return (await Promise.all([verifyEverywhere(keys, client.name), ...uses])).flat();
    },
    async close() {
      await recorder.close();
      for (const each of verifying.values()) each.close();
    },
  };
}
