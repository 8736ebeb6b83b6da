import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type ConnectedVerifier, connectVerifier, Failure } from "@latchkey/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { type Fleet, type FleetNode, startFleet } from "../fleet.ts";
import { type Asked, violations } from "./history.ts";

const ROTATIONS = 10;
const OVERLAP_SECONDS = 4;

/** One node's wall clock is behind by so much. */
const SHIFTED = { node: "node-3", ms: -2_000 };

/** Between two requests of one caller. */
const PACE_MS = 20;

/** For what happens within a second or two on a machine that does nothing else. */
const PATIENTLY = { withinMs: 20_000 };

const CLOCK = pathToFileURL(fileURLToPath(new URL("./shifted-clock.mjs", import.meta.url)));

let fleet: Fleet;
const verifiers: ConnectedVerifier[] = [];

beforeAll(async () => {
  fleet = await startFleet({
    leaseSeconds: [10, 10, 10],
    env: {
      NODE_OPTIONS: `--import=${CLOCK.href}`,
      SHIFTED_NODE: SHIFTED.node,
      SHIFT_MS: String(SHIFTED.ms),
    },
  });
  for (const { url } of fleet.nodes)
    verifiers.push(await connectVerifier({ url, token: fleet.first.verifier_token }));
}, 60_000);

afterAll(async () => {
  await Promise.all(verifiers.map((verifier) => verifier.close()));
  await fleet.stop();
});

interface Key {
  readonly id: string;
  readonly token: string;
}

/** Where keys are used, and how. */
interface Place {
  readonly name: string;
  use(token: string): Promise<Asked["outcome"]>;
}

/** An app of its own, which judges by the clock of this machine. */
function appOf(verifier: ConnectedVerifier, index: number): Place {
  return {
    name: `app-${index + 1}`,
    async use(token) {
      try {
        const verdict = await verifier.verify(token, { types: ["secret"] });
        if (verdict.ok) return "accepted";
        if (verdict.refusal.code === "api_key_expired") return "expired";
        throw new Error(`refused with ${verdict.refusal.code}`);
      } catch (error) {
        if (error instanceof Failure) return "unavailable";
        throw error;
      }
    },
  };
}

/** A proxy that asks a node, which judges by its own clock. */
function proxyOf({ label, url }: FleetNode): Place {
  return {
    name: label,
    async use(token) {
      const { status, headers } = await fetch(`${url}/v1/authenticate`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      if (status === 200) return "accepted";
      if (status === 503) return "unavailable";
      if (headers.get("X-Latchkey-Code") === "api_key_expired") return "expired";
      throw new Error(`refused with ${status} ${headers.get("X-Latchkey-Code")}`);
    },
  };
}

type Traffic = ReturnType<typeof createTraffic>;

/** Callers everywhere: some that take the newest key as soon as they are given it, and some that keep each old one. */
function createTraffic(places: readonly Place[], first: Key) {
  const history: Asked[] = [];
  let newest = first;
  let isOver = false;
  const callers: Promise<void>[] = [];
  const switchedTo = new Map<string, string>();

  async function ask(place: Place, key: Key): Promise<Asked["outcome"]> {
    const invokedMs = Date.now();
    const outcome = await place.use(key.token);
    history.push({ place: place.name, key: key.id, invokedMs, returnedMs: Date.now(), outcome });
    return outcome;
  }

  /** Goes on with whatever key is the newest. */
  async function follow(place: Place): Promise<void> {
    while (!isOver) {
      const key = newest;
      if ((await ask(place, key)) === "accepted") switchedTo.set(place.name, key.id);
      await pause(PACE_MS);
    }
  }

  /** Goes on with an old key until it is refused for good. */
  async function straggle(place: Place, key: Key): Promise<void> {
    for (let refusals = 0; refusals < 10 && !isOver; await pause(PACE_MS))
      if ((await ask(place, key)) === "expired") refusals += 1;
  }

  for (const place of places) callers.push(follow(place));
  return {
    history,
    /** Gives every caller the successor; who keeps the old key goes on with it. */
    hand(old: Key, successor: Key): void {
      newest = successor;
      for (const place of places) callers.push(straggle(place, old));
    },
    hasSwitched: (): boolean => places.every(({ name }) => switchedTo.get(name) === newest.id),
    /** Whether each place has refused a key. */
    isRefused: (key: Key): boolean =>
      places.every(({ name }) =>
        history.some(
          (one) => one.place === name && one.key === key.id && one.outcome === "expired",
        ),
      ),
    async end(): Promise<void> {
      isOver = true;
      await Promise.all(callers);
    },
  };
}

const yes = (is: boolean): true | undefined => (is ? true : undefined);

/** Rotates one key after the other, each as soon as all callers have switched to it; tells when each old one ends. */
async function rotateOften(traffic: Traffic, first: Key): Promise<ReadonlyMap<string, number>> {
  const { nodes } = fleet;
  const ends = new Map<string, number>();
  let current = first;
  const rotated: Key[] = [];
  for (let index = 0; index < ROTATIONS; index++) {
    await waitFor("callers to use the newest key", () => yes(traffic.hasSwitched()), PATIENTLY);
    const apiKeys = nodes[index % nodes.length]?.client.apiKeys;
    if (apiKeys === undefined) throw new Error("there is no node");
    const old = current;
    const starts = index % 2 === 0 ? "now" : "first_use";
    const answer = await apiKeys.rotate(old.id, { overlap_seconds: OVERLAP_SECONDS, starts });
    current = { id: answer.id, token: answer.api_key };
    traffic.hand(old, current);
    rotated.push(old);
    const expiresAt =
      answer.predecessor.expires_at ??
      (await waitFor(
        "the overlap to start",
        async () => (await apiKeys.get(old.id)).expires_at ?? undefined,
        PATIENTLY,
      ));
    ends.set(old.id, Date.parse(expiresAt));
  }
  for (const old of rotated)
    await waitFor("an old key to be refused", () => yes(traffic.isRefused(old)), PATIENTLY);
  return ends;
}

test("a key that is rotated again and again is refused nowhere before its overlap ends, and accepted nowhere after", async () => {
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error("there is no node");
  const made = await node.client.apiKeys.create("production", { type: "secret" });
  const first = { id: made.id, token: made.api_key };
  const traffic = createTraffic([...verifiers.map(appOf), ...fleet.nodes.map(proxyOf)], first);
  const ends = await rotateOften(traffic, first).finally(traffic.end);

  const { history } = traffic;
  const count = (outcome: Asked["outcome"]) =>
    history.filter((one) => one.outcome === outcome).length;
  process.stdout.write(
    `rotation: ${count("accepted")} accepted, ${count("expired")} expired, ${count("unavailable")} unavailable\n`,
  );
  expect(violations(history, ends, { [SHIFTED.node]: SHIFTED.ms })).toEqual([]);
  expect(ends.size).toBe(ROTATIONS);
  expect(count("accepted")).toBeGreaterThan(1_000);
  // The node whose clock is behind shows that it is its own clock that it judges by.
  const late = history.filter(
    ({ place, key, invokedMs, outcome }) =>
      place === SHIFTED.node && outcome === "accepted" && invokedMs >= (ends.get(key) ?? Infinity),
  );
  expect(late.length).toBeGreaterThan(0);
}, 180_000);
