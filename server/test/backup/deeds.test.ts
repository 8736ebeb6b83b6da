import { describe, expect, test } from "vitest";
import type { OpenStore } from "../../src/store/kysely-store.ts";
import { makeWorld, START_MS } from "../store/world.ts";
import { exportAll, load, lostDatabases, withStore } from "./lost-database.ts";

const DAY_MS = 24 * 60 * 60_000;

/** The clock and the rows of nodes, as a node would see them that joins. */
const clockOf = async ({ store }: OpenStore) => (await store.leases.readNodes()).seq;

const engines = lostDatabases();

describe.each(Object.entries(engines))("on %s", (_, engineOf) => {
  test("whatever was taken away before or after the backup is gone after the restore, and nothing else", async () => {
    const engine = await engineOf();
    const opened = await engine.open();
    const world = await makeWorld(opened.store, opened.db);
    const { acme, other, store, origin, stored } = world;
    const before = await stored("production");
    await acme.revokeKey(before.id, "old", origin(START_MS + 1), null);
    const [after, kept, ending, inDeleted] = [
      await stored("production"),
      await stored("production"),
      await stored("production"),
      await stored("development"),
    ];
    const othersKey = world.newKey();
    await other.createKey("production", othersKey, origin(), null);
    const token = world.newToken("verifier", null);
    await store.operatorTokens.createToken(token, origin(), null);
    await store.close();
    await engine.backUp();

    const lost = await withStore(engine.open(), async ({ store, db }) => {
      const account = store.account(acme.accountId);
      await account.revokeKey(after.id, "leaked", origin(START_MS + 10), null);
      const issued = world.newKey();
      await account.createKey("production", issued, origin(START_MS + 11), null);
      await account.revokeKey(issued.id, null, origin(START_MS + 12), null);
      await account.editKey(ending.id, { expiresAtMs: START_MS + DAY_MS }, origin());
      await account.deleteEnvironment("development", origin(START_MS + 13));
      await store.operatorTokens.deleteToken(token.id, origin(START_MS + 14), world.nextEventId);
      await store.updateAccount("other", { suspended: true }, origin(START_MS + 15));
      const records = await exportAll({ db });
      expect(await exportAll({ db }, records[2]?.seq)).toEqual(records.slice(3));
      return { records, issued, seq: (await store.ping()).seq };
    });
    expect(lost.records.map(({ deed, id }) => [deed, id])).toEqual([
      ["api_key.revoked", before.id],
      ["api_key.revoked", after.id],
      ["api_key.revoked", lost.issued.id],
      ["api_key.expires", ending.id],
      ["environment.deleted", expect.stringMatching(/^env_/)],
      ["access_token.deleted", token.id],
      ["account.suspended", other.accountId],
    ]);

    const revival = await engine.restore(lost.records);
    expect(revival).toMatchObject({
      known: 1,
      unknown: 1,
      unknownIds: [lost.issued.id],
      suspended: ["other"],
      waitMs: 60_000,
    });
    expect(revival.applied).toEqual({
      "api_key.revoked": 1,
      "api_key.expires": 1,
      "access_token.deleted": 1,
      "environment.deleted": 1,
      "account.key_max_age": 0,
      "account.suspended": 1,
      "account.deleted": 0,
    });

    await withStore(engine.openRestored(), async (restored) => {
      const { store } = restored;
      const keys = await load(store, [before, after, kept, inDeleted, othersKey, lost.issued]);
      expect(keys.map((key) => (key === null ? "unknown" : key.revokedAtMs))).toEqual([
        START_MS + 1,
        START_MS + 10,
        null,
        START_MS + 13,
        START_MS + 15,
        "unknown",
      ]);
      const revoked = await store.account(acme.accountId).findKey(after.id);
      expect(revoked).toMatchObject({
        revokedAtMs: START_MS + 10,
        revokedReason: "leaked",
        revokedBy: { type: "person", id: "per_ada", name: "Ada Lovelace" },
      });
      expect((await load(store, [ending]))[0]?.expiresAtMs).toBe(START_MS + DAY_MS);
      expect(await store.findToken(token.digest)).toBeUndefined();
      expect(await store.account(acme.accountId).findEnvironment("development")).toBeUndefined();
      // Above all that the lost life can have reached, so that no seq of it comes again.
      expect(await clockOf(restored)).toBeGreaterThan(lost.seq + 999_999_999);
      expect(revival.seq).toBe(await clockOf(restored));
    });
  });

  test("whoever revoked what is told again, and its audit event with it", async () => {
    const engine = await engineOf();
    const opened = await engine.open();
    const world = await makeWorld(opened.store, opened.db);
    const key = await world.stored("production");
    await opened.store.close();
    await engine.backUp();
    const records = await withStore(engine.open(), async ({ store, db }) => {
      await store.deleteAccount("other", world.origin(START_MS + 5));
      await store.account(world.acme.accountId).revokeKey(key.id, "r", world.origin(), null);
      return exportAll({ db });
    });
    expect(records.map(({ actor }) => actor?.id)).toEqual(["per_ada", "per_ada"]);
    await engine.restore(records);
    await withStore(engine.openRestored(), async ({ db }) => {
      const events = await db
        .selectFrom("audit_event")
        .select(["action", "actor_id", "at", "subject_id"])
        .where("action", "in", ["api_key.revoked", "account.deleted"])
        .orderBy("action")
        .execute();
      expect(events).toEqual([
        {
          action: "account.deleted",
          actor_id: "per_ada",
          at: START_MS + 5,
          subject_id: world.other.accountId,
        },
        { action: "api_key.revoked", actor_id: "per_ada", at: START_MS, subject_id: key.id },
      ]);
      // Where it happened, and not where the restore did: the log is read in the order of ids.
      const [told] = await db
        .selectFrom("audit_event")
        .select("id")
        .where("action", "=", "account.deleted")
        .execute();
      expect(told?.id.slice(0, 16)).toBe(`evt_${(START_MS + 5).toString(16).padStart(12, "0")}`);
    });
  });

  test("a suspension that was lifted, and an end that was moved again, are not exported", async () => {
    const engine = await engineOf();
    await withStore(engine.open(), async ({ store, db }) => {
      const world = await makeWorld(store, db);
      const key = await world.stored("production");
      await store.updateAccount("other", { suspended: true }, world.origin());
      await store.updateAccount("other", { suspended: false }, world.origin());
      await world.acme.editKey(key.id, { expiresAtMs: START_MS + DAY_MS }, world.origin());
      await world.acme.editKey(key.id, { expiresAtMs: START_MS + 5 }, world.origin());
      expect(await exportAll({ db })).toMatchObject([
        { deed: "api_key.expires", id: key.id, expiresAtMs: START_MS + 5 },
      ]);
    });
  });

  test("restoring again changes nothing but the clock", async () => {
    const engine = await engineOf();
    const opened = await engine.open();
    const world = await makeWorld(opened.store, opened.db);
    const key = await world.stored("production");
    await opened.store.close();
    await engine.backUp();
    const records = await withStore(engine.open(), async ({ store, db }) => {
      await store.account(world.acme.accountId).revokeKey(key.id, "r", world.origin(), null);
      return exportAll({ db });
    });
    const first = await engine.restore(records);
    const again = await engine.restore(records);
    expect(again.seq).toBeGreaterThan(first.seq + 999_999_999);
    await withStore(engine.openRestored(), async ({ store, db }) => {
      expect(await store.account(world.acme.accountId).findKey(key.id)).toMatchObject({
        revokedAtMs: START_MS,
        revokedReason: "r",
      });
      expect(await exportAll({ db })).toMatchObject([{ deed: "api_key.revoked", id: key.id }]);
    });
  });

  test("a revocation whose end nobody saw waits for the leases of before", async () => {
    const engine = await engineOf();
    const opened = await engine.open();
    const world = await makeWorld(opened.store, opened.db);
    const key = await world.stored("production");
    await opened.store.close();
    await engine.backUp();
    const records = await withStore(engine.open(), async ({ store, db }) => {
      await store.account(world.acme.accountId).revokeKey(key.id, null, world.origin(), null);
      return exportAll({ db });
    });
    const { seq } = await engine.restore(records);
    await withStore(engine.openRestored(), async ({ store }) => {
      expect(await store.leases.pendingRevocations()).toEqual([{ seq }]);
      const { nodes } = await store.leases.readNodes();
      expect(nodes).toMatchObject([{ leaseMs: 60_000, appliedSeq: 0, renewals: 0 }]);
    });
  });
});

test("nodes that renew their leases keep a restore of PostgreSQL out; rows of dead ones do not", async () => {
  const engine = await engines.postgres();
  await withStore(engine.open(), ({ store }) =>
    store.leases.joinNode({ id: "node_dead", leaseMs: 200, label: "dead" }),
  );
  await engine.backUp();
  await withStore(engine.openRestored(), async ({ store }) => {
    await store.leases.joinNode({ id: "node_alive", leaseMs: 200, label: "alive" });
    let renewals = 0;
    const timer = setInterval(() => {
      void store.leases.renewNode("node_alive", ++renewals, 0, 0);
    }, 20);
    await expect(engine.restore([])).rejects.toMatchObject({ labels: ["alive"] });
    clearInterval(timer);
    expect((await store.ping()).seq).toBe(0);
    await store.leases.releaseNode("node_alive");
  });
  expect((await engine.restore([])).seq).toBe(1_000_000_000);
});
