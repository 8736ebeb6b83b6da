import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { type Fleet, startFleet } from "../fleet.ts";
import { ask, issueHeld, nodeOf, nodeRows, settled, statusesOf, statusOf } from "./probe.ts";

/** For a machine that is busy with something else. */
const NOISE_MS = 2_000;

/** Leases of a second and of three, and leases of a minute, the longest that there are. */
let mixed: Fleet;
let patient: Fleet;
beforeAll(async () => {
  mixed = await startFleet({ leaseSeconds: [1, 3] });
  patient = await startFleet({ leaseSeconds: [60, 60, 60] });
});
afterAll(async () => {
  await mixed?.stop();
  await patient?.stop();
});

test("nodes with different leases confirm a revocation like any others", async () => {
  for (const { client } of mixed.nodes) {
    const key = await issueHeld(mixed);
    const { revocation } = await client.apiKeys.revoke(key.id);
    expect(revocation).toMatchObject({ state: "effective", acknowledged: 2, lapsed: 0 });
    expect(await statusesOf(mixed.nodes, key.token)).toEqual([401, 401]);
  }
});

test("a lost node is waited for as long as its own lease, however short the revoking node's is", async () => {
  const [short, long] = [nodeOf(mixed, 0), nodeOf(mixed, 1)];
  const key = await issueHeld(mixed);
  long.pause();
  try {
    const { revocation } = await short.client.apiKeys.revoke(key.id);
    expect(revocation).toMatchObject({ state: "effective", acknowledged: 1, lapsed: 1 });
    // It had renewed a third of its lease before at the latest.
    expect(revocation?.took_ms).toBeGreaterThanOrEqual((long.leaseMs * 2) / 3);
    expect(revocation?.took_ms).toBeLessThanOrEqual(long.leaseMs * 1.01 + NOISE_MS);
    expect(await statusOf(short, key.token)).toBe(401);
  } finally {
    long.resume();
  }
  expect(await statusOf(long, key.token)).not.toBe(200);
  await settled(mixed);
});

test("a lost node with the shorter lease is waited for no longer than the longest lease", async () => {
  const [short, long] = [nodeOf(mixed, 0), nodeOf(mixed, 1)];
  const key = await issueHeld(mixed);
  short.pause();
  try {
    const { revocation } = await long.client.apiKeys.revoke(key.id);
    expect(revocation).toMatchObject({ state: "effective", acknowledged: 1, lapsed: 1 });
    expect(revocation?.took_ms).toBeGreaterThanOrEqual((short.leaseMs * 2) / 3);
    expect(revocation?.took_ms).toBeLessThanOrEqual(long.leaseMs * 1.01 + NOISE_MS);
    expect(await statusOf(long, key.token)).toBe(401);
  } finally {
    short.resume();
  }
  expect(await statusOf(short, key.token)).not.toBe(200);
});

test("leases of a minute make no healthy revocation wait, nor does a node that was stopped", async () => {
  const [here, there, stopped] = [nodeOf(patient, 0), nodeOf(patient, 1), nodeOf(patient, 2)];
  for (let round = 0; round < 3; round++) {
    const key = await issueHeld(patient);
    const { revocation } = await here.client.apiKeys.revoke(key.id);
    expect(revocation).toMatchObject({ state: "effective", acknowledged: 3, lapsed: 0 });
    expect(await statusesOf(patient.nodes, key.token)).toEqual([401, 401, 401]);
  }
  const key = await issueHeld(patient);
  expect(await stopped.terminate()).toEqual({ code: 0, signal: null });
  const { revocation } = await there.client.apiKeys.revoke(key.id);
  expect(revocation).toMatchObject({ state: "effective", acknowledged: 2, lapsed: 0 });
  expect(await statusesOf([here, there], key.token)).toEqual([401, 401]);
});

test("a node that is behind the oldest change still kept drops all that it held", async () => {
  const [here, behind] = [nodeOf(patient, 0), nodeOf(patient, 1)];
  const [kept, revoked] = [
    await issueHeld(patient, [here, behind]),
    await issueHeld(patient, [here, behind]),
  ];
  const before = await nodeRows(patient);

  behind.link.cut("both");
  try {
    await here.client.apiKeys.revoke(revoked.id, {}, { wait: false });
    await here.client.apiKeys.update(kept.id, { metadata: { plan: "edited meanwhile" } });
    // It has the lease of a minute, and nobody's word yet that anything changed: the revocation still waits for it.
    expect(await statusesOf([behind], revoked.token)).toEqual([200]);
    expect((await here.client.apiKeys.get(revoked.id)).revocation?.state).toBe("pending");
    await patient.postgres.run(
      "delete from change where seq < (select seq from change_clock)",
      patient.database,
    );
  } finally {
    behind.link.heal();
  }

  await waitFor(
    "the node to join anew",
    async () =>
      (await nodeRows(patient)).some(
        (row) => row.startsWith(behind.label) && !before.includes(row),
      ) || undefined,
  );
  expect(await statusOf(behind, revoked.token)).toBe(401);
  const whoami = await ask(behind, "/v1/whoami", kept.token);
  expect(await whoami.json()).toMatchObject({ metadata: { plan: "edited meanwhile" } });
  // What it was granted before is still outlived: its old row stands until a minute has passed.
  expect(await nodeRows(patient)).toEqual(expect.arrayContaining(before));
});
