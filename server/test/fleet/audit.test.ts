import { ApiError, type AuditLogJson, createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fleet, startFleet } from "../fleet.ts";

/** Rounds of the same deeds; in each, every node is asked for each of them at once. */
const ROUNDS = 12;

/** Deeds of each node whose answer gets lost. */
const LOSSES = 6;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ leaseSeconds: [2, 2, 2] });
});
afterAll(() => fleet?.stop());

type NodeClient = Fleet["nodes"][number]["client"];

/** What was acknowledged, and so has to be in the log: how often, by action and subject. */
type Acknowledged = Map<string, number>;

const nameOf = (action: string, id: string): string => `${action} ${id}`;

function acknowledge(acknowledged: Acknowledged, action: string, id: string, times = 1): void {
  const name = nameOf(action, id);
  acknowledged.set(name, (acknowledged.get(name) ?? 0) + times);
}

/** Asks every node for the same at once. @returns The answers, `null` for a refusal. */
function everywhere<T>(ask: (client: NodeClient, node: number) => Promise<T>) {
  return Promise.all(
    fleet.nodes.map(({ client }, node) =>
      ask(client, node).catch((error: unknown) => {
        if (error instanceof ApiError && [404, 409].includes(error.status)) return null;
        throw error;
      }),
    ),
  );
}

const granted = <T>(answers: readonly (T | null)[]): readonly T[] =>
  answers.filter((answer) => answer !== null);

/** A key that is made, edited, rotated and revoked, each on three nodes at once. */
async function liveOfKey(round: number, log: Acknowledged): Promise<void> {
  const once = { idempotencyKey: `key-${round}` };
  const made = await everywhere(({ apiKeys }) =>
    apiKeys.create("production", { type: "secret" }, once),
  );
  const [id = "", ...others] = new Set(granted(made).map((key) => key.id));
  expect(others, "one creation").toEqual([]);
  acknowledge(log, "api_key.created", id);

  const edits = await everywhere(({ apiKeys }, node) =>
    apiKeys.update(id, { description: `${round} of node ${node}` }),
  );
  expect(granted(edits)).toHaveLength(3);
  acknowledge(log, "api_key.edited", id, 3);

  const rotations = granted(
    await everywhere(({ apiKeys }) => apiKeys.rotate(id, { overlap_seconds: 3_600 })),
  );
  expect(rotations, "one rotation").toHaveLength(1);
  acknowledge(log, "api_key.rotated", id);
  for (const successor of rotations) acknowledge(log, "api_key.created", successor.id);

  expect(granted(await everywhere(({ apiKeys }) => apiKeys.revoke(id)))).toHaveLength(3);
  acknowledge(log, "api_key.revoked", id);
}

/** An environment and a token, each made, and taken away, on three nodes at once. */
async function livesOfOthers(round: number, log: Acknowledged): Promise<void> {
  const slug = `round-${round}`;
  const environments = granted(
    await everywhere(({ environments }) => environments.create({ name: "Round", slug })),
  );
  expect(environments, "one environment").toHaveLength(1);
  for (const { id } of environments) {
    acknowledge(log, "environment.created", id);
    const renamed = await everywhere(({ environments }) =>
      environments.rename(slug, { name: "R" }),
    );
    expect(granted(renamed)).toHaveLength(3);
    acknowledge(log, "environment.renamed", id); // the two others altered nothing
    const deleted = await everywhere(({ environments }) => environments.delete(slug));
    expect(granted(deleted).length).toBeGreaterThan(0);
    acknowledge(log, "environment.deleted", id);
  }
  const once = { idempotencyKey: `token-${round}` };
  const tokens = await everywhere(({ serviceTokens }) =>
    serviceTokens.create({ name: `Round ${round}` }, once),
  );
  const [id = "", ...others] = new Set(granted(tokens).map((token) => token.id));
  expect(others, "one token").toEqual([]);
  acknowledge(log, "access_token.created", id);
  await everywhere(({ serviceTokens }) => serviceTokens.delete(id));
  acknowledge(log, "access_token.deleted", id);
}

async function entriesSince(from: string): Promise<AuditLogJson[]> {
  const entries: AuditLogJson[] = [];
  for await (const entry of fleet.nodes[1]?.client.auditLogs.all({ from }) ?? [])
    entries.push(entry);
  return entries;
}

const counted = (entries: readonly AuditLogJson[]): Acknowledged => {
  const counts: Acknowledged = new Map();
  for (const { action, subject } of entries) acknowledge(counts, action, subject.id);
  return counts;
};

const sorted = (counts: Acknowledged) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));

test("of changes that three nodes make at once, each that was acknowledged has one entry, and none two", async () => {
  const from = new Date().toISOString();
  const log: Acknowledged = new Map();
  await Promise.all(
    Array.from({ length: ROUNDS }, async (_, round) => {
      await Promise.all([liveOfKey(round, log), livesOfOthers(round, log)]);
    }),
  );
  const entries = await entriesSince(from);
  expect(sorted(counted(entries))).toEqual(sorted(log));
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  const ids = entries.map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted().reverse());
}, 120_000);

test("nor where the answer of the database gets lost and callers try again until they are answered", async () => {
  const from = new Date().toISOString();
  const log: Acknowledged = new Map();
  await Promise.all(
    fleet.nodes.map(async ({ url, link }, node) => {
      const token = fleet.first.service_token;
      const { apiKeys } = createClient({ url, token, retries: 10, timeoutMs: 60_000 });
      for (let round = 0; round < LOSSES; round += 1) {
        // The deed itself is lost, or the news that it is done.
        const lost = round % 2 === 0 ? "audit_event" : "commit";
        link.loseAnswerTo(lost);
        const once = { idempotencyKey: `lost-${node}-${round}` };
        const { id } = await apiKeys.create("production", { type: "secret" }, once);
        acknowledge(log, "api_key.created", id);
        link.loseAnswerTo(lost);
        await apiKeys.revoke(id);
        acknowledge(log, "api_key.revoked", id);
      }
    }),
  );
  // Every try of a creation and of a revocation is the same deed, so nothing else was done either.
  expect(sorted(counted(await entriesSince(from)))).toEqual(sorted(log));
}, 120_000);
