import assert from "node:assert/strict";
import { digestToken } from "@latchkey/sdk/core";
import { digestBytes } from "../../src/store/engine.ts";
import { rotated } from "./rotation.ts";
import { batch, counted } from "./usage.ts";
import { type Check, START_MS, type World } from "./world.ts";

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/** More than one statement shortens. */
const KEYS = 5_001;

/** What starts overlaps, as the audit log names it. */
const LATCHKEY = { type: "system", id: "latchkey", name: "Latchkey" } as const;

/** Starts what waits, as a node does. */
function start({ store, id }: World, atMs: number): Promise<readonly number[]> {
  const by = { actor: LATCHKEY, atMs, requestId: null, address: null, userAgent: null };
  return store.startOverlaps(by, () => id("evt"));
}

let batches = 0;

async function used(world: World, id: string, outcome: "accepted" | "type" = "accepted") {
  const counts = [counted(id, { [outcome]: 1 })];
  await world.store.recordUsage([batch("src_1", ++batches, { counts })], START_MS + DAY_MS);
}

/** A key of acme's that waits for the first use of its successor. */
async function waiting(world: World, given: Parameters<World["stored"]>[1] = {}) {
  const key = await world.stored("production", given);
  const { successor } = await rotated(world, key.id, { starts: "first_use" });
  return { ...key, successorId: successor.id };
}

async function startedEvents({ db }: World) {
  return db
    .selectFrom("audit_event")
    .selectAll()
    .where("action", "=", "api_key.overlap_started")
    .execute();
}

export const overlapPromises: Readonly<Record<string, Check>> = {
  "an overlap starts with the first use of the successor that is stored": async (world) => {
    const key = await waiting(world);
    assert.deepEqual(await start(world, START_MS + 1), []);
    await used(world, key.successorId, "type");
    await used(world, key.id);
    assert.deepEqual(await start(world, START_MS + 2), [], "only an accepted use is one");
    assert.equal((await world.acme.findKey(key.id))?.overlap?.startedAtMs, null);

    await used(world, key.successorId);
    const [seq, ...others] = await start(world, START_MS + 3);
    assert.deepEqual(others, []);
    const after = await world.acme.findKey(key.id);
    assert.deepEqual(after?.overlap, { lengthMs: HOUR_MS, startedAtMs: START_MS + 3 });
    assert.equal(after.expiresAtMs, START_MS + 3 + HOUR_MS);
    assert.deepEqual(
      (await world.changes()).map(({ seq, kind, subject }) => ({ seq, kind, subject })),
      [{ seq, kind: "key", subject: key.digest }],
    );
    assert.deepEqual(await world.store.leases.pendingRevocations(), [{ seq }]);
    const [event, ...more] = await startedEvents(world);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [event?.actor_type, event?.actor_id, event?.actor_name, event?.subject_id, event?.account_id],
      ["system", "latchkey", "Latchkey", key.id, world.acme.accountId],
    );
    assert.deepEqual(JSON.parse(event?.details ?? ""), {
      type: "secret",
      hint: after.hint,
      rotated_to: key.successorId,
      overlap_seconds: 3_600,
      expires_at: START_MS + 3 + HOUR_MS,
      expires_at_before: null,
    });
    assert.deepEqual(await start(world, START_MS + 4), []);
    assert.equal((await startedEvents(world)).length, 1);
  },

  "a use that was stored before the rotation waited is one": async (world) => {
    // The state tells, not the moment: whoever stored the use may have crashed right after.
    const key = await waiting(world);
    await used(world, key.successorId);
    assert.equal((await start(world, START_MS + HOUR_MS)).length, 1);
  },

  "an overlap that starts late ends no later than the key's own end, and then is no news": async (
    world,
  ) => {
    const key = await waiting(world, { expiresAtMs: START_MS + HOUR_MS });
    await used(world, key.successorId);
    assert.deepEqual(await start(world, START_MS + 5), []);
    const after = await world.acme.findKey(key.id);
    assert.deepEqual(
      [after?.expiresAtMs, after?.overlap?.startedAtMs],
      [START_MS + HOUR_MS, START_MS + 5],
    );
    assert.deepEqual(await world.changes(), []);
    assert.equal((await startedEvents(world)).length, 1);
  },

  "what has ended never starts, nor does what a revoked successor was to start": async (world) => {
    const { acme, origin } = world;
    const [revoked, orphan, expired, gone] = [
      await waiting(world),
      await waiting(world),
      await waiting(world, { expiresAtMs: START_MS + 10 }),
      await world.stored("development"),
    ];
    const inDevelopment = await rotated(world, gone.id, { starts: "first_use" });
    for (const id of [revoked, orphan, expired].map(({ successorId }) => successorId))
      await used(world, id);
    await used(world, inDevelopment.successor.id);
    await acme.revokeKey(revoked.id, null, origin(), null);
    await acme.revokeKey(orphan.successorId, null, origin(), null);
    await acme.deleteEnvironment("development", origin());
    const before = await world.changes();
    assert.deepEqual(await start(world, START_MS + 10), []);
    assert.deepEqual(await startedEvents(world), []);
    assert.deepEqual(await world.changes(), before);
    assert.equal(await world.revokedAtMs(orphan.digest), null, "the old key stays valid");

    // Rotated again it waits for the new successor, whom nobody has used.
    const again = await rotated(world, orphan.id, { starts: "first_use" }, START_MS + 11);
    assert.deepEqual(await start(world, START_MS + 12), []);
    await used(world, again.successor.id);
    assert.equal((await start(world, START_MS + 13)).length, 1);
  },

  "of many that start an overlap at once one does": async (world) => {
    const keys = [await waiting(world), await waiting(world), await waiting(world)];
    for (const { successorId } of keys) await used(world, successorId);
    const calls = await Promise.all(
      Array.from({ length: 6 }, (_, index) => start(world, START_MS + index)),
    );
    assert.equal(new Set(calls.flat()).size, 3);
    assert.equal(calls.flat().length, 3);
    assert.equal((await startedEvents(world)).length, 3);
    assert.equal((await world.changes()).length, 3);
  },

  "an overlap that starts while its key is revoked leaves a revoked key": async (world) => {
    for (let round = 0; round < 5; round++) {
      const key = await waiting(world);
      await used(world, key.successorId);
      await Promise.all([
        start(world, START_MS + 1),
        world.acme.revokeKey(key.id, null, world.origin(START_MS + 1), null),
      ]);
      assert.equal(await world.revokedAtMs(key.digest), START_MS + 1);
      assert.deepEqual(await start(world, START_MS + 2), []);
    }
  },
};

/** How many living keys of the account end later than that, or never. */
async function laterThan({ db }: World, ms: number): Promise<number> {
  const rows = await db.selectFrom("api_key").select(["expires_at", "revoked_at"]).execute();
  return rows.filter((row) => row.revoked_at === null && (row.expires_at ?? Infinity) > ms).length;
}

async function setMaxAge({ acme, origin }: World, days: number | null, atMs = START_MS) {
  const done = await acme.setKeyMaxAge(days === null ? null : days * DAY_MS, origin(atMs));
  assert(done.outcome === "set");
  return done;
}

export const maxAgePromises: Readonly<Record<string, Check>> = {
  "a maximum age brings forward the ends of all keys that would live longer": async (world) => {
    const { acme, origin, other } = world;
    const eternal = await world.stored("production");
    const long = await world.stored("development", { expiresAtMs: START_MS + 90 * DAY_MS });
    const short = await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
    const revoked = await world.stored("production");
    await acme.revokeKey(revoked.id, null, origin(), null);
    const expired = await world.stored("production", { expiresAtMs: START_MS + 5 });
    const overlapping = await world.stored("production");
    await rotated(world, overlapping.id);
    const theirs = world.newKey();
    await other.createKey("production", theirs, origin(), null);
    const before = (await world.changes()).length;

    const atMs = START_MS + HOUR_MS / 2;
    const { account, seq } = await setMaxAge(world, 30, atMs);
    assert.deepEqual(account, await acme.findOwnAccount());
    assert.equal(account.keyMaxAgeMs, 30 * DAY_MS);
    const latestMs = atMs + 30 * DAY_MS;
    const end = async (id: string) => (await acme.findKey(id))?.expiresAtMs;
    assert.deepEqual(
      [await end(eternal.id), await end(long.id), await end(short.id), await end(expired.id)],
      [latestMs, latestMs, START_MS + DAY_MS, START_MS + 5],
    );
    assert.equal(await end(revoked.id), null);
    assert.equal(await end(overlapping.id), START_MS + HOUR_MS);
    assert.equal((await other.findKey(theirs.id))?.expiresAtMs, null);
    const rows = await world.db
      .selectFrom("api_key")
      .select(["expires_before"])
      .where("id", "=", overlapping.id)
      .execute();
    assert.deepEqual(rows, [{ expires_before: latestMs }], "its own end too");
    assert.deepEqual(
      (await world.changes()).slice(before).map(({ seq, kind, subject }) => [seq, kind, subject]),
      [[seq, "account", acme.accountId]],
    );
    const events = await world.db
      .selectFrom("audit_event")
      .select("details")
      .where("action", "=", "account.updated")
      .execute();
    assert.deepEqual(
      events.map(({ details }) => JSON.parse(details)),
      [{ api_key_max_age_days: 30, api_key_max_age_days_before: null }],
    );
    assert.deepEqual(await setMaxAge(world, 30, atMs + 1), { outcome: "set", account, seq });
    const receipt = { effectiveAtMs: atMs, tookMs: 1, acknowledged: 1, lapsed: 0 };
    await world.store.leases.recordEffective(seq ?? 0, receipt);
    assert.equal((await setMaxAge(world, 30, atMs + 2)).seq, null);
  },

  "raising and clearing a maximum age put nobody's end off, lowering counts anew": async (
    world,
  ) => {
    const { acme } = world;
    const key = await world.stored("production");
    const end = async () => (await acme.findKey(key.id))?.expiresAtMs;
    await setMaxAge(world, 10);
    assert.equal(await end(), START_MS + 10 * DAY_MS);
    const before = (await world.changes()).length;
    assert.equal((await setMaxAge(world, 20, START_MS + DAY_MS)).seq, null);
    assert.equal(await end(), START_MS + 10 * DAY_MS);
    assert.equal((await setMaxAge(world, null, START_MS + DAY_MS)).seq, null);
    assert.equal((await acme.findOwnAccount())?.keyMaxAgeMs, null);
    assert.equal(await end(), START_MS + 10 * DAY_MS);
    assert.equal((await world.changes()).length, before);
    await setMaxAge(world, 8, START_MS + DAY_MS);
    assert.equal(await end(), START_MS + 9 * DAY_MS);
    await setMaxAge(world, 1, START_MS + DAY_MS);
    assert.equal(await end(), START_MS + 2 * DAY_MS);
  },

  "whatever writes an end keeps to the maximum age": async (world) => {
    const { acme, newEnvironment, newKey, origin } = world;
    const old = await world.stored("production", { expiresAtMs: START_MS + 5 * DAY_MS });
    await setMaxAge(world, 10);
    const atMs = START_MS + DAY_MS;
    const latestMs = atMs + 10 * DAY_MS;
    const key = newKey();
    const created = await acme.createKey("production", key, origin(atMs), null);
    assert(created.outcome === "created");
    assert.equal(created.key.expiresAtMs, latestMs);
    const refused = { outcome: "too_late", latestMs };
    const later = newKey({ expiresAtMs: latestMs + 1 });
    assert.deepEqual(
      await acme.createKey("production", later, origin(atMs), world.once("k")),
      refused,
    );
    const atLast = newKey({ expiresAtMs: latestMs });
    const again = await acme.createKey("production", atLast, origin(atMs), world.once("k"));
    assert.equal(again.outcome, "created", "a deed that came to nothing may be repeated");
    const first = newKey();
    await acme.createEnvironment(newEnvironment("staging", [first]), origin(atMs), null);
    assert.equal((await acme.findKey(first.id))?.expiresAtMs, latestMs);

    // Of a key that was there the maximum counts from when it was set.
    for (const expiresAtMs of [null, START_MS + 10 * DAY_MS + 1])
      assert.deepEqual(await acme.editKey(old.id, { expiresAtMs }, origin(atMs)), {
        outcome: "too_late",
        latestMs: START_MS + 10 * DAY_MS,
      });
    const edit = { expiresAtMs: START_MS + 10 * DAY_MS };
    assert.equal((await acme.editKey(old.id, edit, origin(atMs))).outcome, "edited");

    const rotate = (expiresAtMs: number | null) => {
      const rotation = world.rotation({ expiresAtMs });
      return acme.rotateKey(key.id, rotation, origin(atMs), () => world.id("evt"), null);
    };
    assert.deepEqual(await rotate(null), refused);
    assert.deepEqual(await rotate(latestMs + 1), refused);
    const { successor } = await rotated(world, old.id, {}, atMs);
    assert.equal(successor.expiresAtMs, latestMs, "as long as the old one, or as long as it may");
    assert.equal(await laterThan(world, latestMs), 0);
  },

  "keys that are made while a maximum age is set keep to it": async (world) => {
    const { acme, origin } = world;
    const key = await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
    const rotation = world.rotation({ expiresAtMs: null });
    await Promise.all([
      ...Array.from({ length: 10 }, () => world.stored("production")),
      setMaxAge(world, 10),
      ...Array.from({ length: 10 }, () => world.stored("production")),
      acme.rotateKey(key.id, rotation, origin(), () => world.id("evt"), null),
      acme.editKey(key.id, { expiresAtMs: null }, origin()),
    ]);
    assert.equal(await laterThan(world, START_MS + 10 * DAY_MS), 0);
  },

  "a maximum age shortens more keys than one statement may, and goes on after a crash": async (
    world,
  ) => {
    const { acme, db, other } = world;
    const [own, theirs] = [await world.stored("production"), world.newKey()];
    await other.createKey("production", theirs, world.origin(), null);
    const row = await db
      .selectFrom("api_key")
      .selectAll()
      .where("id", "=", own.id)
      .executeTakeFirstOrThrow();
    const { number: _, ...copied } = row;
    const copies = Array.from({ length: KEYS - 1 }, (_, index) => ({
      ...copied,
      id: `key_copy_${`${index}`.padStart(5, "0")}`,
      digest: digestBytes(digestToken(`sk_${index}`)),
    }));
    for (let start = 0; start < copies.length; start += 1_000)
      await db
        .insertInto("api_key")
        .values(copies.slice(start, start + 1_000))
        .execute();

    const { seq } = await setMaxAge(world, 10);
    assert.equal(await laterThan(world, START_MS + 10 * DAY_MS), 1, "the other account's alone");
    assert.equal((await other.findKey(theirs.id))?.expiresAtMs, null);
    const changes = await world.changes();
    assert.deepEqual([changes.length, changes.at(-1)?.seq], [2, seq]);
    const events = await db
      .selectFrom("audit_event")
      .select("id")
      .where("action", "=", "account.updated")
      .execute();
    assert.equal(events.length, 1);

    // As a crash between two statements leaves it.
    await db.updateTable("api_key").set({ expires_at: null }).where("id", "=", own.id).execute();
    const again = await setMaxAge(world, 10, START_MS + 1);
    assert.equal((await acme.findKey(own.id))?.expiresAtMs, START_MS + 10 * DAY_MS);
    assert.equal(again.seq, 3);
  },

  "a maximum age that shortens nothing is no news": async (world) => {
    await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
    assert.equal((await setMaxAge(world, 10)).seq, null);
    assert.deepEqual(await world.changes(), []);
  },
};
