import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { type Fleet, type FleetNode, startFleet } from "../fleet.ts";
import { ask, issueHeld, nodeOf, nodeRows, settled, statusesOf, statusOf } from "./probe.ts";

const LEASE_MS = 1_000;

/** A wait ends this much later than the lease that it outlives: the allowance for clocks that run apart. */
const ALLOWANCE = 1.01;

/** For a machine that is busy with something else. */
const NOISE_MS = 2_000;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ leaseSeconds: [1, 1, 1] });
});
beforeEach(() => settled(fleet));
afterAll(() => fleet?.stop());

/** Ways to lose a node, and to have it back. */
const LOSSES: [string, Record<"lose" | "restore", (node: FleetNode) => unknown>][] = [
  ["paused", { lose: (node) => node.pause(), restore: (node) => node.resume() }],
  ["cut off", { lose: (node) => node.link.cut("both"), restore: (node) => node.link.heal() }],
  ["killed", { lose: (node) => node.kill(), restore: (node) => node.start() }],
];

test.each(LOSSES)(
  "a node that is %s delays a revocation by a lease at most, and none once its row was deleted",
  async (_, { lose, restore }) => {
    const [here, there, lost] = [nodeOf(fleet, 0), nodeOf(fleet, 1), nodeOf(fleet, 2)];
    const keys = [await issueHeld(fleet), await issueHeld(fleet), await issueHeld(fleet)] as const;
    const healthy = await here.client.apiKeys.revoke(keys[0].id);
    expect(healthy.revocation).toMatchObject({ state: "effective", acknowledged: 3, lapsed: 0 });
    expect(await statusesOf(fleet.nodes, keys[0].token)).toEqual([401, 401, 401]);

    await lose(lost);
    try {
      const { revocation } = await here.client.apiKeys.revoke(keys[1].id);
      expect(revocation).toMatchObject({ state: "effective", acknowledged: 2, lapsed: 1 });
      // It had renewed a third of a lease before at the latest.
      expect(revocation?.took_ms).toBeGreaterThanOrEqual((LEASE_MS * 2) / 3);
      expect(revocation?.took_ms).toBeLessThanOrEqual(LEASE_MS * ALLOWANCE + NOISE_MS);
      expect(await statusesOf([here, there], keys[1].token)).toEqual([401, 401]);

      await settled(fleet, [here, there]); // the others delete it by themselves
      const next = await there.client.apiKeys.revoke(keys[2].id);
      // None had to lapse, so that it cannot have waited for a lease.
      expect(next.revocation).toMatchObject({ state: "effective", acknowledged: 2, lapsed: 0 });
    } finally {
      await restore(lost);
    }
    // Its very first answers: what it held when it was lost it does not believe.
    for (const { token } of keys) expect(await statusOf(lost, token)).not.toBe(200);
    await settled(fleet);
    const whole = await here.client.apiKeys.revoke((await issueHeld(fleet)).id);
    expect(whole.revocation).toMatchObject({ acknowledged: 3, lapsed: 0 });
  },
);

test("a node without its database for three leases decides nothing, and then serves from an empty cache", async () => {
  const [here, lost] = [nodeOf(fleet, 0), nodeOf(fleet, 2)];
  const [kept, revoked] = [await issueHeld(fleet), await issueHeld(fleet)];
  const before = await nodeRows(fleet);

  lost.link.cut("both");
  const cutMs = performance.now();
  try {
    await here.client.apiKeys.revoke(revoked.id);
    const metadata = { plan: "edited meanwhile" };
    await waitFor("the edit", () => here.client.apiKeys.update(kept.id, { metadata }));
    await waitFor(
      "three leases to pass",
      () => performance.now() > cutMs + 3 * LEASE_MS || undefined,
    );
    const [undecided, unknown, notReady] = await Promise.all([
      ask(lost, "/v1/authenticate", kept.token),
      statusOf(lost, revoked.token),
      ask(lost, "/readyz"),
    ]);
    expect([undecided.status, undecided.headers.get("Retry-After")]).toEqual([503, "1"]);
    expect(await undecided.json()).toMatchObject({ code: "verification_unavailable" });
    expect([unknown, notReady.status]).toEqual([503, 503]);
    expect(await statusesOf([here], kept.token)).toEqual([200]);
  } finally {
    lost.link.heal();
  }

  const healedMs = performance.now();
  await waitFor("the node to decide again", async () => {
    expect(await statusOf(lost, revoked.token)).not.toBe(200);
    return (await statusOf(lost, kept.token)) === 200 || undefined;
  });
  expect(performance.now() - healedMs).toBeLessThan(LEASE_MS / 3 + NOISE_MS);
  expect(await statusOf(lost, revoked.token)).toBe(401);
  expect((await ask(lost, "/readyz")).status).toBe(200);
  const whoami = await ask(lost, "/v1/whoami", kept.token);
  expect(await whoami.json()).toMatchObject({ metadata: { plan: "edited meanwhile" } });

  await settled(fleet);
  const after = await nodeRows(fleet);
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(after[2]).not.toBe(before[2]); // nobody takes an old row up again
});
