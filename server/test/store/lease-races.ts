import assert from "node:assert/strict";
import { type Check, KEPT, type World } from "./world.ts";

const NODE = { id: "node_1", leaseMs: 10_000, label: "blue" };

export const leaseRacePromises: Readonly<Record<string, Check>> = {
  "a record is loaded with the seq of its own moment, while it is changed": async (world) => {
    const { acme, origin, store } = world;
    const key = await world.stored("production", { metadata: { seq: "0" } });
    const edit = async () => {
      for (let seq = 1; seq <= 60; seq++)
        await acme.editKey(key.id, { metadata: { seq: `${seq}` } }, origin());
    };
    const seen = new Set<number>();
    const load = async () => {
      const { seq, keys } = await store.loadKeys([key.digest]);
      assert.deepEqual(keys[0]?.metadata, { seq: `${seq}` });
      seen.add(seq);
    };
    await during(edit(), [load, load, load]);
    assert(seen.size > 1);
  },

  "nodes that join while changes are made start where they say": async (world) => {
    const { leases } = world.store;
    const joined: { seq: number; changeId: string | null }[] = [];
    const join = async () => {
      joined.push(await leases.joinNode({ ...NODE, id: world.id("node") }));
    };
    const readNodes = async () => {
      const { seq, nodes } = await leases.readNodes();
      for (const node of nodes) assert(node.appliedSeq <= seq);
    };
    await during(makeChanges(world, 60), [join, readNodes]);
    const changes = await world.changes();
    assert.equal(changes.length, 60);
    for (const { seq, changeId } of joined) assert.equal(changeId, changes[seq - 1]?.id ?? null);
    assert(new Set(joined.map(({ seq }) => seq)).size > 1);
    const { nodes } = await leases.readNodes();
    assert.deepEqual(
      nodes.map(({ appliedSeq }) => appliedSeq).sort((a, b) => a - b),
      joined.map(({ seq }) => seq).sort((a, b) => a - b),
    );
  },

  "a node that joins while the log is trimmed finds the change at its seq": async (world) => {
    const { leases } = world.store;
    await makeChanges(world, 1);
    const join = async () => {
      const joined = await leases.joinNode({ ...NODE, id: world.id("node") });
      assert.notEqual(joined.changeId, null, `at ${joined.seq}`);
    };
    const trim = async () => {
      await leases.trimChanges(1);
    };
    await during(makeChanges(world, 100), [join, trim]);
  },

  "of a renewal and a reaping at once exactly one succeeds": async ({ store: { leases } }) => {
    for (let round = 0; round < 60; round++) {
      const id = `node_${round}`;
      await leases.joinNode({ ...NODE, id });
      const both = [() => leases.renewNode(id, 1, 0, 0), () => leases.reapNode(id, 0)] as const;
      const [renewed, reaped] =
        round % 2 === 0
          ? await Promise.all([both[0](), both[1]()])
          : (await Promise.all([both[1](), both[0]()])).reverse();
      assert.notEqual(renewed, reaped);
      const { nodes } = await leases.readNodes();
      assert.deepEqual(
        nodes.filter((node) => node.id === id).map(({ renewals }) => renewals),
        renewed ? [1] : [],
      );
    }
  },

  "of many that record one effect the first stands, and all are told of it": async (world) => {
    const key = await world.stored("production");
    await world.acme.revokeKey(key.id, null, world.origin(), null);
    const receipts = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        world.store.leases.recordEffective(1, {
          effectiveAtMs: world.origin().atMs + index,
          tookMs: index,
          acknowledged: index,
          lapsed: 0,
        }),
      ),
    );
    for (const receipt of receipts) assert.deepEqual(receipt, receipts[0]);
    assert.deepEqual((await world.acme.findKey(key.id))?.revocation, receipts[0]);
  },

  "nodes that trim and sweep at once take turns": async (world) => {
    const { db, origin, store } = world;
    await makeChanges(world, 50);
    const old = { body_digest: "b", subject_id: "key_1", created_at: 0 };
    for (let index = 0; index < 50; index++)
      await db
        .insertInto("idempotency")
        .values({ scope: `old ${index}`, ...old })
        .execute();
    const trimmed = await Promise.all([
      ...Array.from({ length: 6 }, () => store.leases.trimChanges(10)),
      ...Array.from({ length: 6 }, () => store.sweep(origin().atMs, KEPT).then(() => 0)),
    ]);
    assert.equal(
      trimmed.reduce((sum, count) => sum + count, 0),
      40,
    );
    assert.deepEqual(await db.selectFrom("idempotency").select("scope").execute(), []);
  },
};

/** Repeats each of `others`, one after another by itself, for as long as `work` goes on. */
async function during(work: Promise<void>, others: readonly (() => Promise<void>)[]) {
  let working = true;
  const ended = work.finally(() => {
    working = false;
  });
  const repeat = async (other: () => Promise<void>) => {
    while (working) await other();
  };
  await Promise.all([ended, ...others.map(repeat)]);
}

async function makeChanges(world: World, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await world.store.updateAccount("acme", { name: `Acme ${world.id("name")}` }, world.origin());
}
