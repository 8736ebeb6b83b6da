import assert from "node:assert/strict";
import { batch, counted } from "./usage.ts";
import { type Check, KEPT, START_MS } from "./world.ts";

const RECEIPT = { effectiveAtMs: START_MS + 40, tookMs: 14.4, acknowledged: 3, lapsed: 1 };

export const revocationPromises: Readonly<Record<string, Check>> = {
  "of many concurrent revocations exactly one wins, and all see its time": async (world) => {
    const key = await world.stored("production");
    const calls = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        world.acme.revokeKey(key.id, `reason ${index}`, world.origin(START_MS + index), null),
      ),
    );
    assert.equal(calls.filter((call) => call.outcome === "revoked").length, 1);
    assert.equal(calls.filter((call) => call.outcome === "already_revoked").length, 49);
    const winner = calls.find((call) => call.outcome === "revoked");
    assert(winner?.outcome === "revoked");
    for (const call of calls) assert.deepEqual("key" in call && call.key, winner.key);
    assert.equal((await world.changes()).length, 1);
    assert.equal(await world.revokedAtMs(key.digest), winner.key.revokedAtMs);
  },

  "a revocation is one change, and is pending until its effect is recorded": async (world) => {
    const { acme, origin, store } = world;
    const key = await world.stored("production");
    const revoked = await acme.revokeKey(key.id, "leaked", origin(START_MS + 5), null);
    assert(revoked.outcome === "revoked");
    assert.deepEqual(
      (await world.changes()).map(({ seq, kind, subject }) => ({ seq, kind, subject })),
      [{ seq: revoked.seq, kind: "key", subject: key.digest }],
    );
    assert.deepEqual(revoked.key.revocation, {
      seq: revoked.seq,
      effectiveAtMs: null,
      tookMs: null,
      acknowledged: 0,
      lapsed: 0,
    });
    assert.deepEqual(await store.leases.pendingRevocations(), [{ seq: revoked.seq }]);

    const effective = await store.leases.recordEffective(revoked.seq, RECEIPT);
    assert.deepEqual(effective, {
      seq: revoked.seq,
      effectiveAtMs: START_MS + 40,
      tookMs: 14,
      acknowledged: 3,
      lapsed: 1,
    });
    assert.deepEqual((await acme.findKey(key.id))?.revocation, effective);
    assert.deepEqual(await store.leases.pendingRevocations(), []);
  },

  "the first revocation's time, actor, reason and receipt stand": async (world) => {
    const { acme, origin, store } = world;
    const key = await world.stored("production");
    const first = await acme.revokeKey(key.id, "leaked", origin(START_MS + 5), null);
    assert(first.outcome === "revoked");
    const receipt = await store.leases.recordEffective(first.seq, RECEIPT);
    const actor = { type: "operator", id: "tok_other", name: "Another" } as const;
    const again = await acme.revokeKey(key.id, "other", { ...origin(START_MS + 9), actor }, null);
    assert(again.outcome === "already_revoked");
    assert.equal(again.seq, first.seq);
    assert.deepEqual(again.key, { ...first.key, revocation: receipt });
    assert.equal(again.key.revokedBy?.id, "per_ada");
    const later = { effectiveAtMs: START_MS + 99, tookMs: 99, acknowledged: 9, lapsed: 9 };
    assert.deepEqual(await store.leases.recordEffective(first.seq, later), receipt);
  },

  "an effect is never recorded before its revocation": async ({ acme, origin, store, stored }) => {
    const key = await stored("production");
    const revoked = await acme.revokeKey(key.id, null, origin(START_MS + 500), null);
    assert(revoked.outcome === "revoked");
    const recorded = await store.leases.recordEffective(revoked.seq, RECEIPT);
    assert.equal(recorded.effectiveAtMs, START_MS + 500);
    await assert.rejects(store.leases.recordEffective(revoked.seq + 1, RECEIPT));
  },

  "no method brings a revoked key back": async (world) => {
    const { acme, newEnvironment, newKey, origin, store } = world;
    const key = await world.stored("production", { expiresAtMs: START_MS + 1_000 });
    const revoked = await acme.revokeKey(key.id, "leaked", origin(), null);
    assert(revoked.outcome === "revoked");
    const late = () => origin(START_MS + 10);
    const attempts: Record<string, () => Promise<unknown>> = {
      editKey: () => acme.editKey(key.id, { description: "x", metadata: { x: "y" } }, late()),
      revokeKey: () => acme.revokeKey(key.id, null, late(), null),
      "createKey, same id": () =>
        acme.createKey("production", newKey({ id: key.id }), late(), null),
      "createKey, same digest": () =>
        acme.createKey("production", newKey({ digest: key.digest }), late(), null),
      renameEnvironment: () => acme.renameEnvironment("production", "Live", late()),
      recordUsage: () => {
        const counts = [counted(key.id, { accepted: 1, revoked: 1 })];
        return store.recordUsage([batch("src_1", 1, { counts })], START_MS + 10);
      },
      recordEffective: () => store.leases.recordEffective(revoked.seq, RECEIPT),
      trimChanges: () => store.leases.trimChanges(0),
      sweep: () => store.sweep(START_MS * 2, KEPT),
      suspend: () => store.updateAccount("acme", { suspended: true }, late()),
      unsuspend: () => store.updateAccount("acme", { suspended: false }, late()),
      deleteEnvironment: () => acme.deleteEnvironment("production", late()),
      createEnvironment: () =>
        acme.createEnvironment(newEnvironment("production", [newKey()]), late(), null),
      deleteAccount: () => store.deleteAccount("acme", late()),
      createAccount: () => store.createAccount(world.newAccount("acme"), late(), null),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      await attempt().catch(() => {});
      assert.equal(await world.revokedAtMs(key.digest), START_MS, name);
    }
  },

  "suspending an account refuses its keys until it is lifted": async (world) => {
    const { origin, store } = world;
    const key = await world.stored("production");
    const dead = await world.stored("production");
    await world.acme.revokeKey(dead.id, null, origin(START_MS + 1), null);
    const suspended = await store.updateAccount("acme", { suspended: true }, origin(START_MS + 2));
    assert(suspended.outcome === "updated");
    assert.equal(suspended.account.suspendedAtMs, START_MS + 2);
    assert.equal(suspended.account.revocation?.seq, suspended.seq);
    assert.equal(await world.revokedAtMs(key.digest), START_MS + 2);
    assert.equal(await world.revokedAtMs(dead.digest), START_MS + 1);
    assert.deepEqual(
      (await store.leases.pendingRevocations()).map(({ seq }) => seq),
      [1, suspended.seq],
    );

    const again = await store.updateAccount("acme", { suspended: true }, origin(START_MS + 3));
    assert.deepEqual(again, suspended);

    const lifted = await store.updateAccount("acme", { suspended: false }, origin(START_MS + 4));
    assert(lifted.outcome === "updated");
    assert.equal(lifted.seq, undefined);
    assert.deepEqual([lifted.account.suspendedAtMs, lifted.account.revocation], [null, null]);
    assert.equal(await world.revokedAtMs(key.digest), null);
    assert.equal(await world.revokedAtMs(dead.digest), START_MS + 1);
    assert.deepEqual(
      (await world.changes()).map(({ kind, subject }) => [kind, subject]),
      [
        ["key", dead.digest],
        ["account", world.acme.accountId],
        ["account", world.acme.accountId],
      ],
    );
  },

  "deleting an environment refuses its keys, and its slug is never given again": async (world) => {
    const { acme, newEnvironment, origin, store } = world;
    const key = await world.stored("production");
    const kept = await world.stored("development");
    const id = (await acme.findEnvironment("production"))?.id;
    const deleted = await acme.deleteEnvironment("production", origin(START_MS + 3));
    assert(deleted.outcome === "deleted");
    assert.deepEqual(
      (await world.changes()).map(({ seq, kind, subject }) => ({ seq, kind, subject })),
      [{ seq: deleted.seq, kind: "environment", subject: id }],
    );
    assert.deepEqual(await store.leases.pendingRevocations(), [{ seq: deleted.seq }]);
    assert.equal(await world.revokedAtMs(key.digest), START_MS + 3);
    assert.equal(await world.revokedAtMs(kept.digest), null);
    assert.equal(await acme.findKey(key.id), undefined);
    assert.equal(await acme.findEnvironment("production"), undefined);
    for (const gone of [
      await acme.deleteEnvironment("production", origin()),
      await acme.renameEnvironment("production", "Live", origin()),
      await acme.createKey("production", world.newKey(), origin(), null),
      await acme.editKey(key.id, { description: "x" }, origin()),
      await acme.revokeKey(key.id, null, origin(), null),
    ])
      assert.equal(gone.outcome, "absent");
    const again = newEnvironment("production", [world.newKey()]);
    assert.deepEqual(await acme.createEnvironment(again, origin(), null), {
      outcome: "slug_taken",
    });
  },

  "deleting an account refuses everything that was its own": async (world) => {
    const { newAccount, newKey, newToken, origin, store } = world;
    const draft = newAccount("doomed", { externalId: "customer-1" });
    const token = newToken("service", draft.id);
    const person = { id: "per_1", name: "P", email: "p@example.com", passwordHash: "hash" };
    await store.createAccount({ ...draft, tokens: [token], owner: person }, origin(), null);
    const doomed = store.account(draft.id);
    const key = newKey();
    await doomed.createKey("production", key, origin(), null);

    const deleted = await store.deleteAccount("doomed", origin(START_MS + 8));
    assert(deleted.outcome === "deleted");
    assert.equal(await world.revokedAtMs(key.digest), START_MS + 8);
    assert.deepEqual(
      (await world.changes()).map(({ kind, subject }) => [kind, subject]),
      [["account", draft.id]],
    );
    assert.equal(await store.findToken(token.digest), undefined);
    assert.equal(await store.findAccount("doomed"), undefined);
    assert.equal(await store.findMembership("per_1", "doomed"), undefined);
    assert.deepEqual(await store.listMemberships("per_1"), []);
    assert.equal(await doomed.findKey(key.id), undefined);
    assert.equal(await doomed.findEnvironment("production"), undefined);
    for (const gone of [
      await store.deleteAccount("doomed", origin()),
      await store.updateAccount("doomed", { suspended: false }, origin()),
    ])
      assert.equal(gone.outcome, "absent");
    assert.deepEqual(await store.createAccount(newAccount("doomed"), origin(), null), {
      outcome: "slug_taken",
    });
    const heir = newAccount("heir", { externalId: "customer-1" });
    assert.equal((await store.createAccount(heir, origin(), null)).outcome, "created");
  },

  "seq is gapless, and a seq that is visible has no unseen seq below it": async (world) => {
    const { acme, origin, store } = world;
    const keys = await Promise.all(Array.from({ length: 30 }, () => world.stored("production")));
    const deeds = keys.flatMap((key, index) => [
      acme.editKey(key.id, { metadata: { index: `${index}` } }, origin()),
      acme.revokeKey(key.id, null, origin(), null),
      store.updateAccount("acme", { name: `Acme ${index}` }, origin()),
    ]);
    const seen: number[] = [];
    const watch = async () => {
      for (let look = 0; look < 40; look++) {
        const read = await store.leases.readChanges(0, null);
        assert(read.outcome === "changes");
        assert.deepEqual(
          read.changes.map((change) => change.seq),
          Array.from({ length: read.seq }, (_, index) => index + 1),
        );
        seen.push(read.seq);
      }
    };
    await Promise.all([watch(), ...deeds]);
    assert.deepEqual(
      seen,
      seen.toSorted((left, right) => left - right),
    );
    const changes = await world.changes();
    assert.equal(changes.length, 90);
    assert.equal(new Set(changes.map((change) => change.id)).size, 90);
    for (const key of keys) {
      const seq = (await acme.findKey(key.id))?.revocation?.seq;
      assert.equal(changes.find((change) => change.seq === seq)?.subject, key.digest);
    }
  },
};
