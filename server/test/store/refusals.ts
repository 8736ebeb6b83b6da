import assert from "node:assert/strict";
import { REFUSAL_REASONS } from "@latchkey/sdk/core";
import { CorruptRow } from "../../src/store/row.ts";
import type { PageAsk, RefusalFilter, Refused } from "../../src/store/store.ts";
import { batch, refusal } from "./usage.ts";
import { type Check, START_MS, type World } from "./world.ts";

const ANY: RefusalFilter = { environment: null, keyId: null, reason: null };

/** Records refusals in one batch. */
async function record(world: World, ...refusals: readonly ReturnType<typeof refusal>[]) {
  await world.store.recordUsage([batch(world.id("source"), 1, { refusals })], START_MS);
}

async function listed(
  world: World,
  filter: Partial<RefusalFilter> = {},
  page: PageAsk = { size: 50 },
): Promise<readonly string[]> {
  const list = await world.acme.listRefusals({ ...ANY, ...filter }, page);
  assert(list.outcome === "page");
  return ids(list.entries);
}

function ids(entries: readonly Refused[]): readonly string[] {
  return entries.map(({ requestId }) => requestId);
}

export const refusalPromises: Readonly<Record<string, Check>> = {
  "a refusal is found by its request id, with its key as it is now": async (world) => {
    const key = await world.stored("production", { description: "Old server" });
    await record(
      world,
      refusal({
        requestId: "req_1",
        reason: "environment",
        keyId: key.id,
        types: ["secret", "public"],
        environment: "staging",
        userAgent: null,
      }),
    );
    await world.acme.revokeKey(key.id, "leaked", world.origin(), null);
    assert.deepEqual(await world.acme.findRefusal("req_1"), {
      requestId: "req_1",
      atMs: START_MS,
      reason: "environment",
      types: ["secret", "public"],
      environment: "staging",
      address: "203.0.113.7",
      userAgent: null,
      key: await world.acme.findKey(key.id),
    });
    assert.equal(await world.acme.findRefusal("req_2"), undefined);
    assert.equal(await world.store.findUnattributedRefusal("req_1"), undefined);
  },

  "every reason is stored as it was given": async (world) => {
    const key = await world.stored("production");
    await record(
      world,
      ...REFUSAL_REASONS.map((reason) =>
        refusal({ requestId: `req_${reason}`, reason, keyId: key.id, types: [] }),
      ),
    );
    for (const reason of REFUSAL_REASONS) {
      const found = await world.acme.findRefusal(`req_${reason}`);
      assert.deepEqual([found?.reason, found?.types], [reason, []]);
      assert.deepEqual(await listed(world, { reason }), [`req_${reason}`]);
    }
  },

  "of two refusals with one request id the first stands": async (world) => {
    const key = await world.stored("production");
    const first = refusal({ requestId: "req_1", reason: "expired", keyId: key.id });
    await record(world, first, { ...first, reason: "revoked" });
    await record(world, { ...first, reason: "revoked" });
    assert.equal((await world.acme.findRefusal("req_1"))?.reason, "expired");
    assert.deepEqual(await listed(world), ["req_1"]);
  },

  "refusals are listed newest first, by environment, key and reason": async (world) => {
    const [a, b] = [await world.stored("production"), await world.stored("development")];
    await record(
      world,
      refusal({ requestId: "req_z", atMs: START_MS, keyId: a.id, reason: "revoked" }),
      refusal({ requestId: "req_y", atMs: START_MS + 2, keyId: b.id, reason: "expired" }),
      refusal({ requestId: "req_x", atMs: START_MS + 1, keyId: a.id, reason: "type" }),
      refusal({ requestId: "req_w", atMs: START_MS + 1, keyId: b.id, reason: "type" }),
      refusal({ requestId: "req_nobody", atMs: START_MS + 9, reason: "unknown" }),
    );
    assert.deepEqual(await listed(world), ["req_y", "req_x", "req_w", "req_z"]);
    assert.deepEqual(await listed(world, { environment: "production" }), ["req_x", "req_z"]);
    assert.deepEqual(await listed(world, { keyId: b.id }), ["req_y", "req_w"]);
    assert.deepEqual(await listed(world, { reason: "type" }), ["req_x", "req_w"]);
    assert.deepEqual(await listed(world, { reason: "type", keyId: a.id }), ["req_x"]);
    assert.deepEqual(await listed(world, { keyId: b.id, environment: "production" }), []);
    assert.deepEqual(await listed(world, { keyId: "key_nobody" }), []);
    const absent = { ...ANY, environment: "nowhere" };
    assert.deepEqual(await world.acme.listRefusals(absent, { size: 1 }), { outcome: "absent" });
  },

  "paging meets every refusal once, forwards and backwards, though many are of one moment": async (
    world,
  ) => {
    const key = await world.stored("production");
    const notes = Array.from({ length: 23 }, (_, index) => {
      // Ids tell nothing of time, and every third is of the same moment as the one before.
      const requestId = `req_${(index * 7) % 23}`;
      return refusal({ requestId, atMs: START_MS + index - (index % 3), keyId: key.id });
    });
    await record(world, ...notes);
    const all = notes
      .toSorted((l, r) => r.atMs - l.atMs || (r.requestId > l.requestId ? 1 : -1))
      .map(({ requestId }) => requestId);
    const forwards: string[] = [];
    const backwards: string[] = [];
    let page: PageAsk | null = { size: 4 };
    let before: string | null = null;
    while (page !== null) {
      const list = await world.acme.listRefusals(ANY, page);
      assert(list.outcome === "page");
      forwards.push(...ids(list.entries));
      before = list.before;
      page = list.after === null ? null : { size: 4, after: list.after };
    }
    while (before !== null) {
      const list = await world.acme.listRefusals(ANY, { size: 4, before });
      assert(list.outcome === "page");
      backwards.unshift(...ids(list.entries));
      before = list.before;
    }
    assert.deepEqual(forwards, all);
    assert.deepEqual(backwards, all.slice(0, 20));
    for (const cursor of ["req_none", "", "' or 1=1 --"])
      assert.deepEqual(await world.acme.listRefusals(ANY, { size: 4, after: cursor }), {
        outcome: "invalid_cursor",
      });
  },

  "refusals of a deleted environment are gone with its keys": async (world) => {
    const [gone, stays] = [await world.stored("production"), await world.stored("development")];
    await record(
      world,
      refusal({ requestId: "req_gone", keyId: gone.id }),
      refusal({ requestId: "req_stays", keyId: stays.id }),
    );
    await world.acme.deleteEnvironment("production", world.origin());
    assert.deepEqual(await listed(world), ["req_stays"]);
    assert.equal(await world.acme.findRefusal("req_gone"), undefined);
    assert.equal(await world.store.findUnattributedRefusal("req_gone"), undefined);
  },

  "what belongs to no account is the operator's, and nobody else's": async (world) => {
    const { acme, other, store } = world;
    const key = await world.stored("production");
    const foreign = world.newKey();
    await other.createKey("production", foreign, world.origin(), null);
    await record(
      world,
      refusal({ requestId: "req_1", atMs: START_MS, reason: "malformed", address: null }),
      refusal({ requestId: "req_2", atMs: START_MS + 1, reason: "unknown" }),
      refusal({ requestId: "req_3", atMs: START_MS + 2, reason: "unknown" }),
      refusal({ requestId: "req_mine", keyId: key.id }),
      refusal({ requestId: "req_theirs", keyId: foreign.id }),
    );
    const list = async (reason: RefusalFilter["reason"], page: PageAsk) => {
      const found = await store.listUnattributedRefusals({ reason }, page);
      assert(found.outcome === "page");
      return ids(found.entries);
    };
    assert.deepEqual(await list(null, { size: 9 }), ["req_3", "req_2", "req_1"]);
    assert.deepEqual(await list("unknown", { size: 9 }), ["req_3", "req_2"]);
    assert.deepEqual(await list(null, { size: 2, after: "req_3" }), ["req_2", "req_1"]);
    assert.deepEqual(await list(null, { size: 2, before: "req_2" }), ["req_3"]);
    assert.deepEqual(
      await store.listUnattributedRefusals({ reason: null }, { size: 2, after: "req_mine" }),
      {
        outcome: "invalid_cursor",
      },
    );
    const { keyId: _, ...told } = refusal({
      requestId: "req_1",
      reason: "malformed",
      address: null,
    });
    assert.deepEqual(await store.findUnattributedRefusal("req_1"), { ...told, key: null });
    assert.equal(await store.findUnattributedRefusal("req_mine"), undefined);
    for (const id of ["req_1", "req_2", "req_theirs"])
      assert.equal(await acme.findRefusal(id), undefined);
    assert.deepEqual(await listed(world), ["req_mine"]);
  },

  "a refusal that is damaged is named, not believed": async (world) => {
    await record(world, refusal({ requestId: "req_1", reason: "unknown" }));
    for (const damage of [{ types: "secret,root" }, { types: "secret", reason: "bored" }]) {
      await world.db.updateTable("refusal").set(damage).execute();
      await assert.rejects(world.store.findUnattributedRefusal("req_1"), CorruptRow);
    }
  },
};
