import assert from "node:assert/strict";
import { sql } from "kysely";
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
  },

  "an id is a node's once: whoever joins under it again is refused, and changes nothing": async ({
    store: { leases },
  }) => {
    await leases.joinNode(NODE);
    await leases.renewNode(NODE.id, 7, 0, 3);
    await assert.rejects(leases.joinNode({ ...NODE, leaseMs: 20_000, label: "green" }));
    assert.deepEqual((await leases.readNodes()).nodes, [
      { ...NODE, renewals: 7, appliedSeq: 0, below: 3 },
    ]);
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

  "a database that was restored is known by its last change": async (world) => {
    const { db, store } = world;
    const [, second] = await makeChanges(world, 2);
    const was = second?.id ?? "";
    const read = async () => (await store.leases.readChanges(2, was)).outcome;
    assert.equal(await read(), "changes");
    await db
      .updateTable("change")
      .set({ id: "made after the restore" })
      .where("seq", "=", 2)
      .execute();
    assert.equal(await read(), "gap");
    await db.updateTable("change").set({ id: was }).where("seq", "=", 2).execute();
    assert.equal(await read(), "changes");
    await db.updateTable("change_clock").set({ seq: 1_000 }).execute();
    assert.equal(await read(), "gap");
    await db.deleteFrom("change").where("seq", "=", 2).execute();
    await db.updateTable("change_clock").set({ seq: 1 }).execute();
    assert.equal(await read(), "gap");
  },

  "a node that joins where the clock was raised goes on from there": async (world) => {
    const { leases } = world.store;
    await makeChanges(world, 2);
    await world.db.updateTable("change_clock").set({ seq: 1_000 }).execute();
    const joined = await leases.joinNode(NODE);
    assert.deepEqual(joined, { seq: 1_000, changeId: null });
    const read = () => leases.readChanges(joined.seq, joined.changeId);
    assert.deepEqual(await read(), { outcome: "changes", seq: 1_000, changes: [] });
    const all = await makeChanges(world, 2);
    assert.deepEqual(await read(), { outcome: "changes", seq: 1_002, changes: all.slice(2) });
    await leases.trimChanges(1);
    assert.deepEqual(await read(), { outcome: "gap", seq: 1_002 });
    const another = { seq: 1_000, id: "of another history", kind: "key", subject: "x" } as const;
    await world.db.insertInto("change").values(another).execute();
    assert.deepEqual(await read(), { outcome: "gap", seq: 1_002 });
  },

  "a long log is trimmed oldest first, a part by each call, and others work meanwhile": async (
    world,
  ) => {
    const { db, store } = world;
    for (let from = 0; from < 120_000; from += 10_000)
      await sql`insert into change (seq, id, kind, subject)
        with recursive n (n) as (select 1 union all select n + 1 from n where n < 10000)
        select n + ${sql.lit(from)}, 'chg_' || (n + ${sql.lit(from)}), 'key', 'x' from n`.execute(
        db,
      );
    await db.updateTable("change_clock").set({ seq: 120_000 }).execute();
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      turning = setImmediate(turn);
    };
    let turning = setImmediate(turn);
    assert.equal(await store.leases.trimChanges(10), 100_000);
    clearImmediate(turning);
    assert(turns >= 19, `${turns} turns`);
    const oldest = async () =>
      (await db.selectFrom("change").select("seq").orderBy("seq").limit(1).execute())[0]?.seq;
    assert.equal(await oldest(), 100_001);
    assert.equal(await store.leases.trimChanges(10), 19_990);
    assert.equal(await store.leases.trimChanges(10), 0);
    const last = await store.leases.readChanges(119_991, "chg_119991");
    assert(last.outcome === "changes");
    assert.equal(last.changes.length, 10);
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

  "an acknowledgement writes the row and renews nothing, and says when it is gone": async ({
    store: { leases },
  }) => {
    await leases.joinNode(NODE);
    await leases.renewNode(NODE.id, 7, 0, 3);
    assert.equal(await leases.acknowledge(NODE.id, 5, 2), true);
    assert.deepEqual((await leases.readNodes()).nodes, [
      { ...NODE, renewals: 7, appliedSeq: 5, below: 2 },
    ]);
    assert.equal(await leases.reapNode(NODE.id, 7), true);
    assert.equal(await leases.acknowledge(NODE.id, 6, 2), false);
    assert.deepEqual((await leases.readNodes()).nodes, []);
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
