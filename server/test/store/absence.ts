import assert from "node:assert/strict";
import type { AccountStore } from "../../src/store/store.ts";
import { type Check, START_MS, type World } from "./world.ts";

const RECEIPT = { effectiveAtMs: START_MS + 40, tookMs: 14, acknowledged: 3, lapsed: 0 };
const ABSENT = { outcome: "absent", pendingSeq: null };

/** Every way to take away a key that is in `production`, by somebody who finds it gone. */
async function takeAway(world: World, account: AccountStore, keyId: string) {
  const { id, once, origin } = world;
  return [
    await account.deleteEnvironment("production", origin()),
    await account.revokeKey(keyId, null, origin(), null),
    await account.revokeKey(keyId, null, origin(), once(id("once"))),
  ];
}

export const absencePromises: Readonly<Record<string, Check>> = {
  "a deleted environment is absent with its deletion, until that is effective": async (world) => {
    const { acme, origin, other, store } = world;
    const key = await world.stored("production");
    const deleted = await acme.deleteEnvironment("production", origin());
    assert(deleted.outcome === "deleted");
    const before = await written(world);
    const pending = { outcome: "absent", pendingSeq: deleted.seq };
    assert.deepEqual(await takeAway(world, acme, key.id), [pending, pending, pending]);
    assert.deepEqual(await acme.deleteEnvironment("nowhere", origin()), ABSENT);
    assert.deepEqual(await acme.revokeKey("key_nobody", null, origin(), null), ABSENT);
    assert.deepEqual(await other.revokeKey(key.id, null, origin(), null), ABSENT);

    const receipt = await store.leases.recordEffective(deleted.seq, RECEIPT);
    assert.deepEqual(await takeAway(world, acme, key.id), [ABSENT, ABSENT, ABSENT]);
    assert.deepEqual(await store.leases.recordEffective(deleted.seq, RECEIPT), receipt);
    assert.deepEqual(await written(world), before);
  },

  "all of a deleted account is absent with its deletion, until that is effective": async (
    world,
  ) => {
    const { acme, origin, other, store } = world;
    const key = await world.stored("production");
    const deleted = await store.deleteAccount("acme", origin());
    assert(deleted.outcome === "deleted");
    const before = await written(world);
    const attempts = async () => [
      await store.deleteAccount("acme", origin()),
      await store.updateAccount("acme", { suspended: true }, origin()),
      ...(await takeAway(world, acme, key.id)),
    ];
    const pending = { outcome: "absent", pendingSeq: deleted.seq };
    assert.deepEqual(await attempts(), Array(5).fill(pending));
    assert.deepEqual(await store.deleteAccount("nobody", origin()), ABSENT);
    assert.deepEqual(await other.deleteEnvironment("nowhere", origin()), ABSENT);

    await store.leases.recordEffective(deleted.seq, RECEIPT);
    assert.deepEqual(await attempts(), Array(5).fill(ABSENT));
    assert.deepEqual(await written(world), before);
  },

  "what was taken away more than once is waited for by the first": async (world) => {
    const { acme, origin, store } = world;
    const [revoked, standing] = [
      await world.stored("production"),
      await world.stored("production"),
    ];
    await acme.revokeKey(revoked.id, null, origin(), null);
    await acme.deleteEnvironment("production", origin());
    await store.deleteAccount("acme", origin());
    const pendingSeqs = async () =>
      [
        await acme.revokeKey(revoked.id, null, origin(), null),
        await acme.revokeKey(standing.id, null, origin(), null),
        await acme.deleteEnvironment("production", origin()),
        await acme.deleteEnvironment("development", origin()),
        await store.deleteAccount("acme", origin()),
      ].map((found) => (found.outcome === "absent" ? found.pendingSeq : found.outcome));
    assert.deepEqual(await pendingSeqs(), [1, 2, 2, 3, 3]);
    await store.leases.recordEffective(1, RECEIPT);
    assert.deepEqual(await pendingSeqs(), [null, 2, 2, 3, 3]);
    await store.leases.recordEffective(3, RECEIPT);
    assert.deepEqual(await pendingSeqs(), [null, 2, 2, null, null]);
  },

  "of many concurrent deletions one deletes, and the others find its seq": async (world) => {
    const { acme, origin, store } = world;
    for (const remove of [
      () => acme.deleteEnvironment("production", origin()),
      () => store.deleteAccount("acme", origin()),
    ]) {
      const before = (await written(world)).length;
      const calls = await Promise.all(Array.from({ length: 20 }, remove));
      const seqs = calls.flatMap((call) => (call.outcome === "deleted" ? [call.seq] : []));
      assert.equal(seqs.length, 1);
      assert.deepEqual(
        calls.flatMap((call) => (call.outcome === "absent" ? [call.pendingSeq] : [])),
        Array(19).fill(seqs[0]),
      );
      assert.equal((await written(world)).length, before + 2);
    }
  },

  "a deletion repeated under its own origin is the same deletion": async (world) => {
    const { acme, origin, store } = world;
    for (const remove of [
      (own: ReturnType<typeof origin>) => acme.deleteEnvironment("production", own),
      (own: ReturnType<typeof origin>) => store.deleteAccount("acme", own),
    ]) {
      const own = origin();
      const deleted = await remove(own);
      assert(deleted.outcome === "deleted");
      const before = await written(world);
      assert.deepEqual(await remove(own), deleted);
      await store.leases.recordEffective(deleted.seq, RECEIPT);
      assert.deepEqual(await remove(own), deleted);
      assert.deepEqual(await written(world), before);
    }
  },

  "an edit repeated under its own origin does not undo what came after it": async (world) => {
    const { origin, store } = world;
    const own = origin();
    const suspend = () => store.updateAccount("acme", { suspended: true, name: "Ours" }, own);
    const suspended = await suspend();
    assert.deepEqual(await suspend(), suspended);
    const lifted = await store.updateAccount("acme", { suspended: false, name: "New" }, origin());
    const before = await written(world);
    assert.deepEqual(await suspend(), lifted);
    assert.deepEqual(await written(world), before);
  },
};

/** All that a deed would leave behind. */
async function written({ changes, db }: World) {
  const events = await db
    .selectFrom("audit_event")
    .select(["id", "action"])
    .orderBy("id")
    .execute();
  return [...(await changes()), ...events];
}
