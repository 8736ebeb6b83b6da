import { setTimeout as delay } from "node:timers/promises";
import type { RevocationJson } from "@latchkey/sdk/client";
import { manage, type Status } from "./calls.ts";
import type { Place } from "./deployment.ts";
import { makeVictim, type Victim } from "./victims.ts";
import type { Client, World } from "./world.ts";

/** Some callers are less patient than a fault is long: their answer is lost, and what they asked for may be done. */
const PATIENCE_MS = { least: 600, most: 4_000 };

/** Before something that failed is tried again. */
const RETRY_MS = 60;

/** How long what was not waited for is read again and again, before it is revoked once more. */
const READ_FOR_MS = 3_000;

/** Between two questions about what is being revoked. */
const ASK_EVERY_MS = 100;

/** What each has ready to revoke. */
const STOCK = 4;

/** Between two revocations, so that each finds everything in another state. */
const PAUSE_MAX_MS = 300;

/**
 * Makes a stock of things to revoke, and presents them everywhere. It is there before something happens: a node that
 * is cut off or stands still then holds them, and nothing but the end of its lease can tell it that they are dead.
 */
export async function makeStock(world: World, client: Client): Promise<Victim[]> {
  const stock: Victim[] = [];
  while (stock.length < STOCK) stock.push(...(await makeOne(world, client)));
  return stock;
}

/**
 * Revokes one thing of the stock until that is certain, and asks meanwhile and at once afterwards who still accepts
 * it; makes another, and so on until told to stop.
 */
export async function revokeOn(
  world: World,
  client: Client,
  stock: Victim[],
  isStopped: () => boolean,
): Promise<void> {
  const { random } = client;
  while (!isStopped()) {
    await delay(random.between(0, PAUSE_MAX_MS));
    if (stock.length < STOCK) stock.push(...(await makeOne(world, client)));
    if (stock.length === 0) continue;
    const [victim] = stock.splice(random.below(stock.length), 1);
    if (victim === undefined) throw new Error("the stock has a hole");
    await revokeFully(world, client, victim);
    for (const key of victim.keys) world.keyring.bury(key);
    for (const token of victim.tokens) world.tokens.bury(token);
  }
}

/** One thing to revoke, or none when a fault was in the way. */
async function makeOne(world: World, client: Client): Promise<[] | [Victim]> {
  const made = await makeVictim(world, client, client.random.pick(world.deployment.nodes));
  if (made === null) return [];
  for (const key of made.keys) world.keyring.add(key);
  for (const token of made.tokens) world.tokens.add(token);
  void world.askEverywhere(made, client);
  return [made];
}

/** Revokes a victim, some by two callers at once, and asks everywhere at each one's return. */
async function revokeFully(world: World, client: Client, victim: Victim): Promise<void> {
  let isOver = false;
  void askOn(world, client, victim, () => isOver);
  // The second of two finds the deed done, and must not be told so before the first may be.
  const callers = client.random.chance(0.25) ? 2 : 1;
  const calls = Array.from({ length: callers }, async () => {
    await revokeUntilCertain(world, client, victim);
    world.done.revokes += 1;
    if (victim.tokens.length > 0) world.done.deletions += 1;
    void world.askEverywhere(victim, client); // who stands still answers later
  });
  await Promise.all(calls).finally(() => {
    isOver = true;
  });
}

/** Asks everywhere about what is being revoked: who accepts it holds it, and has to be waited for. */
async function askOn(
  world: World,
  client: Client,
  victim: Victim,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    void world.askEverywhere(victim, client);
    await delay(ASK_EVERY_MS);
  }
}

async function revokeUntilCertain(world: World, client: Client, victim: Victim): Promise<void> {
  const isKey = victim.subject.key !== null;
  for (let attempt = 1; ; attempt++) {
    const wait = !(isKey && attempt === 1 && client.random.chance(0.2));
    const node = client.random.pick(world.deployment.nodes);
    const withinMs = PATIENCE_MS.least + client.random.below(PATIENCE_MS.most - PATIENCE_MS.least);
    const { status } = await revokeOnce(world, client, victim, { node, wait, withinMs });
    if (status === 200) return;
    // Not there, once its deletion was asked for: gone, and refused everywhere.
    if (status === 404 && !isKey && attempt > 1) return;
    if (status === 202 && (await readUntilEffective(world, client, victim))) return;
    await delay(RETRY_MS);
  }
}

/** Asks a node once to revoke a victim, and writes it down. */
export async function revokeOnce(
  { recorder }: World,
  client: Client,
  victim: Victim,
  { node, wait, withinMs }: { node: Place; wait: boolean; withinMs: number },
): Promise<{ status: Status; receipt: RevocationJson | null }> {
  const { subject, token } = victim;
  return recorder.record(async () => {
    const { status, answer } = await manage({ url: node.url, token, withinMs }, (api) =>
      victim.revoke(api, wait),
    );
    const state = answer?.state ?? null;
    return {
      status,
      receipt: answer,
      entry: {
        kind: "revoke",
        client: client.name,
        node: node.label,
        subject,
        status,
        wait,
        state,
      },
    };
  });
}

async function readUntilEffective(
  world: World,
  client: Client,
  { subject, token }: Victim,
): Promise<boolean> {
  const untilMs = performance.now() + READ_FOR_MS;
  while (performance.now() < untilMs) {
    const node = client.random.pick(world.deployment.nodes);
    const read = await world.recorder.record(async () => {
      const at = { url: node.url, token, withinMs: PATIENCE_MS.least };
      const { status, answer } = await manage(at, (api) => api.apiKeys.get(subject.key ?? ""));
      const state = answer?.revocation?.state ?? null;
      return {
        state,
        entry: { kind: "read", client: client.name, node: node.label, subject, status, state },
      };
    });
    if (read.state === "effective") return true;
    await delay(RETRY_MS);
  }
  return false;
}
