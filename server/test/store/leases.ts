import assert from "node:assert/strict";
import type { Check, World } from "./world.ts";

const NODE = { id: "node_1", leaseMs: 10_000, label: "blue" };

export const leasePromises: Readonly<Record<string, Check>> = {
  "a node joins at the current seq, with the change found there": async (world) => {
    const { leases } = world.store;
    assert.deepEqual(await leases.joinNode(NODE), { seq: 0, changeId: null });
    const [first, second] = await makeChanges(world, 2);
    assert.notEqual(first?.id, second?.id);
    const joined = await leases.joinNode({ ...NODE, id: "node_2" });
    assert.deepEqual(joined, { seq: 2, changeId: second?.id });
    assert.deepEqual(await leases.readNodes(), {
      seq: 2,
      nodes: [
        { ...NODE, renewals: 0, appliedSeq: 0, below: 0 },
        { ...NODE, id: "node_2", renewals: 0, appliedSeq: 2, below: 0 },
      ],
    });
    await assert.rejects(leases.joinNode(NODE));
  },

  "changes are read from the last one applied, that one included": async (world) => {
    const { leases } = world.store;
    assert.deepEqual(await leases.readChanges(0, null), {
      outcome: "changes",
      seq: 0,
      changes: [],
    });
    const all = await makeChanges(world, 3);
    assert.deepEqual(await leases.readChanges(0, null), {
      outcome: "changes",
      seq: 3,
      changes: all,
    });
    assert.deepEqual(await leases.readChanges(2, all[1]?.id ?? ""), {
      outcome: "changes",
      seq: 3,
      changes: all.slice(1),
    });
    assert.deepEqual(await leases.readChanges(3, all[2]?.id ?? ""), {
      outcome: "changes",
      seq: 3,
      changes: all.slice(2),
    });
  },

  "a trimmed log and a restored database are told apart from no news": async (world) => {
    const { leases } = world.store;
    const all = await makeChanges(world, 4);
    const gap = { outcome: "gap", seq: 4 };
    assert.deepEqual(await leases.readChanges(2, "another id"), gap);
    assert.deepEqual(await leases.readChanges(2, null), gap);
    assert.deepEqual(await leases.readChanges(5, "ahead of the clock"), gap);
    assert.deepEqual(await leases.readChanges(0, "of no change"), gap);
    assert.equal(await leases.trimChanges(2), 2);
    assert.equal(await leases.trimChanges(2), 0);
    assert.deepEqual(await leases.readChanges(0, null), gap);
    assert.deepEqual(await leases.readChanges(2, all[1]?.id ?? ""), gap);
    assert.equal((await leases.readChanges(3, all[2]?.id ?? "")).outcome, "changes");
  },

  "trimming leaves the newest change, so that nodes still recognise the log": async (world) => {
    const { leases } = world.store;
    assert.equal(await leases.trimChanges(0), 0);
    const all = await makeChanges(world, 3);
    assert.equal(await leases.trimChanges(0), 2);
    const joined = await leases.joinNode(NODE);
    assert.deepEqual(joined, { seq: 3, changeId: all[2]?.id });
    assert.equal((await leases.readChanges(joined.seq, joined.changeId)).outcome, "changes");
    assert.equal((await makeChanges(world, 1)).at(-1)?.seq, 4);
  },

  "a renewal writes the row, and says when it is gone": async ({ store: { leases } }) => {
    await leases.joinNode(NODE);
    assert.equal(await leases.renewNode(NODE.id, 7, 0, 3), true);
    assert.deepEqual((await leases.readNodes()).nodes, [
      { ...NODE, renewals: 7, appliedSeq: 0, below: 3 },
    ]);
    await leases.releaseNode(NODE.id);
    assert.equal(await leases.renewNode(NODE.id, 8, 0, 3), false);
    assert.deepEqual(await leases.readNodes(), { seq: 0, nodes: [] });
    await leases.releaseNode(NODE.id);
  },

  "a node is reaped only while its renewals stand still": async ({ store: { leases } }) => {
    await leases.joinNode(NODE);
    await leases.renewNode(NODE.id, 1, 0, 0);
    assert.equal(await leases.reapNode(NODE.id, 0), false);
    assert.equal((await leases.readNodes()).nodes.length, 1);
    assert.equal(await leases.reapNode(NODE.id, 1), true);
    assert.equal(await leases.reapNode(NODE.id, 1), false);
    assert.deepEqual((await leases.readNodes()).nodes, []);
  },

  "pending revocations are read oldest first, a hundred at most": async (world) => {
    for (let index = 0; index < 102; index++) {
      const { id } = await world.stored("production");
      await world.acme.revokeKey(id, null, world.origin(), null);
    }
    const { leases } = world.store;
    const receipt = { effectiveAtMs: 0, tookMs: 0, acknowledged: 0, lapsed: 0 };
    await leases.recordEffective(1, receipt);
    const pending = await leases.pendingRevocations();
    assert.deepEqual(
      pending.map(({ seq }) => seq),
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
  },

  "every read says the seq it was made at": async (world) => {
    const { store } = world;
    await makeChanges(world, 2);
    assert.deepEqual(await store.ping(), { seq: 2 });
    assert.equal((await store.loadKeys(["A".repeat(43)])).seq, 2);
    assert.equal((await store.leases.readNodes()).seq, 2);
  },
};

/** Writes `count` changes; returns all that there are. */
async function makeChanges(world: World, count: number) {
  const { seq } = await world.store.ping();
  for (let index = 0; index < count; index++)
    await world.store.updateAccount("acme", { name: `Acme ${seq + index}` }, world.origin());
  const nodes = await world.db.selectFrom("change").selectAll().orderBy("seq").execute();
  return nodes.map(({ seq, id, kind, subject }) => ({ seq, id, kind, subject }));
}
