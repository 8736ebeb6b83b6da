import { ApiError } from "@latchkey/sdk/client";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { type Fleet, type FleetNode, startFleet } from "../fleet.ts";
import { issueHeld, nodeOf, settled, statusesOf, statusOf } from "./probe.ts";

const LEASE_MS = 1_000;

/** What design §9 lets a session of such a fleet wait for a lock: a third of a lease. */
const LOCK_MAX_MS = LEASE_MS / 3;

/** For a machine that is busy with something else. */
const NOISE_MS = 2_000;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ leaseSeconds: [1, 1, 1] });
});
beforeEach(() => settled(fleet));
afterAll(() => fleet?.stop());

/** A session of somebody else that has changed the clock, and neither commits nor goes. */
async function stallWithTheClock(settings: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: fleet.postgres.url(fleet.database) });
  client.on("error", () => {}); // the server may end it
  await client.connect();
  await client.query(settings);
  await client.query("begin");
  await client.query("update change_clock set seq = seq + 1");
  return client;
}

test("a client that stalls with the change clock in hand is put out, and the revocation goes on", async () => {
  const key = await issueHeld(fleet);
  // The bound that every session of a node sets for itself; docs/operating.md has it set by role for others.
  const stalled = await stallWithTheClock(
    `set idle_in_transaction_session_timeout = ${Math.floor(LOCK_MAX_MS / 2)}`,
  );
  const revoked = await nodeOf(fleet, 0).client.apiKeys.revoke(key.id);
  expect(revoked.revocation).toMatchObject({ state: "effective", acknowledged: 3, lapsed: 0 });
  expect(await statusesOf(fleet.nodes, key.token)).toEqual([401, 401, 401]);
  await expect(stalled.query("commit")).rejects.toThrow();
});

/** How often each node has renewed its lease. */
async function renewals(): Promise<number[]> {
  const rows = await fleet.postgres.run(
    "select renewals::int from node order by label",
    fleet.database,
  );
  return rows.map((row) => Number(row.renewals));
}

test("a client without any time-out that holds the change clock makes revocations fail soon, and nothing else", async () => {
  const [key, other] = [await issueHeld(fleet), await issueHeld(fleet)];
  const stalled = await stallWithTheClock("set idle_in_transaction_session_timeout = 0");
  const beganMs = performance.now();
  try {
    const failure = await nodeOf(fleet, 0)
      .client.apiKeys.revoke(key.id)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 503, code: "service_unavailable" });
    expect(performance.now() - beganMs).toBeLessThan(2 * LOCK_MAX_MS + NOISE_MS);
    const before = await renewals();
    await waitFor("every node to renew its lease meanwhile", async () => {
      const now = await renewals();
      return now.every((count, index) => count > (before[index] ?? 0)) || undefined;
    });
    expect(await statusesOf(fleet.nodes, other.token)).toEqual([200, 200, 200]);
    expect((await nodeOf(fleet, 1).client.apiKeys.get(key.id)).revoked_at).toBe(null);
  } finally {
    await stalled.end();
  }
  const { revocation } = await nodeOf(fleet, 0).client.apiKeys.revoke(key.id);
  expect(revocation).toMatchObject({ acknowledged: 3, lapsed: 0 });
  expect(await statusesOf(fleet.nodes, key.token)).toEqual([401, 401, 401]);
});

/** Resolves to the key once its revocation is effective, as this node tells it. */
function effective(node: FleetNode, id: string) {
  return waitFor("the revocation to be effective", async () => {
    const key = await node.client.apiKeys.get(id);
    return key.revocation?.state === "effective" ? key : undefined;
  });
}

test("a revocation that nobody waits for is answered as pending, and is effective later", async () => {
  const [here, there, paused] = [nodeOf(fleet, 0), nodeOf(fleet, 1), nodeOf(fleet, 2)];
  const [key, urgent] = [await issueHeld(fleet), await issueHeld(fleet)];
  const revokeUnawaited = async (id: string) => {
    const response = await fetch(`${here.url}/v1/api_keys/${id}/revoke?wait=false`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${fleet.first.service_token}`,
        "Content-Type": "application/json",
      },
      body: "{}",
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({
      id,
      revoked_at: expect.any(String),
      revocation: { state: "pending", effective_at: null, took_ms: null },
    });
  };
  await revokeUnawaited(urgent.id);
  const soon = await effective(there, urgent.id);
  expect(soon.revocation).toMatchObject({ acknowledged: 3, lapsed: 0 });
  expect(await statusesOf(fleet.nodes, urgent.token)).toEqual([401, 401, 401]);

  paused.pause();
  try {
    await revokeUnawaited(key.id);
    const meanwhile = await there.client.apiKeys.get(key.id);
    expect(meanwhile.revocation).toMatchObject({ state: "pending", effective_at: null });
    const later = await effective(there, key.id);
    const [revokedMs, effectiveMs] = [later.revoked_at, later.revocation?.effective_at].map((at) =>
      Date.parse(at ?? ""),
    );
    expect(effectiveMs).toBeGreaterThanOrEqual((revokedMs ?? Number.NaN) + (LEASE_MS * 2) / 3);
    expect(await statusesOf([here, there], key.token)).toEqual([401, 401]);
  } finally {
    paused.resume();
  }
  expect(await statusOf(paused, key.token)).not.toBe(200);
});

test("a revocation whose node is killed before it could answer is completed by another, once", async () => {
  const [here, killed, paused] = [nodeOf(fleet, 0), nodeOf(fleet, 1), nodeOf(fleet, 2)];
  const key = await issueHeld(fleet);
  paused.pause();
  try {
    const answer = killed.client.apiKeys.revoke(key.id).catch((error: unknown) => error);
    const stored = await waitFor("the revocation to be stored", async () => {
      const read = await here.client.apiKeys.get(key.id);
      return read.revoked_at === null ? undefined : read;
    });
    expect(stored.revocation).toMatchObject({ state: "pending" });
    await killed.kill();
    expect(await answer).toMatchObject({ name: "ApiError", status: 0 }); // nobody was told anything

    const completed = await effective(here, key.id);
    expect(completed.revoked_at).toBe(stored.revoked_at);
    expect(await statusOf(here, key.token)).toBe(401);
    for (let round = 0; round < 3; round++) {
      expect(await here.client.apiKeys.revoke(key.id, { reason: "again" })).toEqual(completed);
      expect(await here.client.apiKeys.get(key.id)).toEqual(completed);
    }
  } finally {
    paused.resume();
    if (killed.server().hasEnded()) await killed.start();
  }
  expect(await statusOf(paused, key.token)).not.toBe(200);
  await settled(fleet);
  expect(await statusesOf(fleet.nodes, key.token)).toEqual([401, 401, 401]);
  const [first, ...others] = await Promise.all(
    fleet.nodes.map(({ client }) => client.apiKeys.revoke(key.id)),
  );
  for (const told of others) expect(told).toEqual(first);
});
