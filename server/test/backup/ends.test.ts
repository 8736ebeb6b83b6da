import { describe, expect, test } from "vitest";
import type { OpenStore } from "../../src/store/kysely-store.ts";
import { batch, counted } from "../store/usage.ts";
import { makeWorld, START_MS } from "../store/world.ts";
import { exportAll, load, lostDatabases, withStore } from "./lost-database.ts";

const DAY_MS = 24 * 60 * 60_000;

describe.each(Object.entries(lostDatabases()))("on %s", (_, engineOf) => {
  test("ends that a maximum age brought forward are brought forward again; younger ones stay", async () => {
    const engine = await engineOf();
    const opened = await engine.open();
    const world = await makeWorld(opened.store, opened.db);
    const eternal = await world.stored("production");
    const soon = await world.stored("production", { expiresAtMs: START_MS + 1 });
    await opened.store.close();
    await engine.backUp();
    const records = await withStore(engine.open(), async ({ store, db }) => {
      const account = store.account(world.acme.accountId);
      await account.setKeyMaxAge(30 * DAY_MS, world.origin(START_MS + 7));
      return exportAll({ db });
    });
    expect(records).toMatchObject([{ deed: "account.key_max_age", maxAgeDays: 30 }]);
    await engine.restore(records);
    await withStore(engine.openRestored(), async ({ store }) => {
      const keys = await load(store, [eternal, soon]);
      expect(keys.map((key) => key?.expiresAtMs)).toEqual([
        START_MS + 7 + 30 * DAY_MS,
        START_MS + 1,
      ]);
    });
    await withStore(engine.openRestored(), async ({ db }) => {
      // What was done again is exported again.
      expect(await exportAll({ db })).toMatchObject([
        { deed: "account.key_max_age", maxAgeDays: 30 },
      ]);
    });
  });

  test("a maximum age is set again with its time, bounds ends that wait for an overlap, and gives way to a shorter one", async () => {
    const engine = await engineOf();
    const opened = await engine.open();
    const { acme, other, ...world } = await makeWorld(opened.store, opened.db);
    const rotated = await world.stored("production");
    const rotation = world.rotation({ starts: "first_use", overlapMs: 90 * DAY_MS });
    await acme.rotateKey(rotated.id, rotation, world.origin(), world.nextEventId, null);
    await opened.store.account(other.accountId).setKeyMaxAge(10 * DAY_MS, world.origin());
    await opened.store.close();
    await engine.backUp();
    const records = await withStore(engine.open(), async ({ store, db }) => {
      await store.account(acme.accountId).setKeyMaxAge(30 * DAY_MS, world.origin(START_MS + 7));
      return exportAll({ db });
    });
    const longer = records.map((record) => ({ ...record, id: other.accountId }));
    const revival = await engine.restore([...records, ...longer]);
    expect(revival.applied["account.key_max_age"]).toBe(1);
    expect(revival.known).toBe(1);
    const latestMs = START_MS + 7 + 30 * DAY_MS;
    await withStore(engine.openRestored(), async ({ db }) => {
      const key = db.selectFrom("api_key").select(["expires_at", "expires_before"]);
      expect(await key.where("id", "=", rotated.id).execute()).toEqual([
        { expires_at: latestMs, expires_before: latestMs },
      ]);
      const ages = db.selectFrom("account").select(["key_max_age_ms", "key_max_age_from"]);
      expect(await ages.orderBy("slug").execute()).toEqual([
        { key_max_age_ms: 30 * DAY_MS, key_max_age_from: START_MS + 7 },
        { key_max_age_ms: 10 * DAY_MS, key_max_age_from: START_MS },
      ]);
    });
  });

  test("an overlap that started after the backup does not start again, and so puts no end off", async () => {
    const engine = await engineOf();
    const opened = await engine.open();
    const world = await makeWorld(opened.store, opened.db);
    const { acme } = world;
    const [old, waiting, plain] = [
      await world.stored("production"),
      await world.stored("production"),
      await world.stored("production"),
    ];
    const rotate = async (id: string) => {
      const rotation = world.rotation({ starts: "first_use", overlapMs: DAY_MS });
      await acme.rotateKey(id, rotation, world.origin(), world.nextEventId, null);
      return rotation.successor;
    };
    const [used, usedLater] = [await rotate(old.id), await rotate(waiting.id)];
    await opened.store.close();
    await engine.backUp();
    const { actor } = world.origin();
    const start = async (
      { store }: OpenStore,
      atMs: number,
      successor: { readonly id: string },
    ) => {
      const counts = [counted(successor.id, { accepted: 1 })];
      await store.recordUsage([batch(world.id("source"), 1, { counts })], atMs);
      return store.startOverlaps(
        { actor, atMs, requestId: null, address: null, userAgent: null },
        world.nextEventId,
      );
    };
    const records = await withStore(engine.open(), async (lost) => {
      expect(await start(lost, START_MS + 5, used)).toHaveLength(1);
      const edit = { expiresAtMs: START_MS + 9 };
      await lost.store.account(acme.accountId).editKey(plain.id, edit, world.origin());
      return exportAll(lost);
    });
    expect(records.map(({ id }) => id)).toEqual([old.id, plain.id]);
    await engine.restore(records);
    await withStore(engine.openRestored(), async (restored) => {
      const later = START_MS + DAY_MS / 2;
      expect(await start(restored, later, used)).toEqual([]);
      // One whose successor was not used before the loss still waits.
      expect(await start(restored, later, usedLater)).toHaveLength(1);
      const keys = await load(restored.store, [old, waiting, plain]);
      expect(keys.map((key) => key?.expiresAtMs)).toEqual([
        START_MS + 5 + DAY_MS,
        later + DAY_MS,
        START_MS + 9,
      ]);
      const overlaps = restored.db.selectFrom("api_key").select("overlap_from");
      expect(await overlaps.where("id", "=", plain.id).execute()).toEqual([{ overlap_from: null }]);
    });
  });
});
