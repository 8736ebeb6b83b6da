import assert from "node:assert/strict";
import type { ApiKey, KeyEdit, Rotation } from "../../src/store/store.ts";
import { type Check, START_MS, type World } from "./world.ts";

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/** Rotates a key of acme's, which must succeed. */
export async function rotated(
  world: World,
  id: string,
  given: Partial<Rotation> = {},
  atMs = START_MS,
) {
  const nextEventId = () => world.id("evt");
  const rotation = world.rotation(given);
  const done = await world.acme.rotateKey(id, rotation, world.origin(atMs), nextEventId, null);
  assert(done.outcome === "rotated", done.outcome);
  return { ...done, digest: rotation.successor.digest };
}

/** What a rotation that is not done answers. */
async function refused(world: World, id: string, given: Partial<Rotation> = {}, atMs = START_MS) {
  const before = await traces(world);
  const nextEventId = () => world.id("evt");
  const rotation = world.rotation(given);
  const done = await world.acme.rotateKey(id, rotation, world.origin(atMs), nextEventId, null);
  assert.deepEqual(await traces(world), before, "it left something behind");
  return done;
}

/** Everything that a deed writes, but for what it does to keys that were there. */
async function traces({ db }: World) {
  const keys = await db.selectFrom("api_key").select(["id", "expires_at", "rotated_to"]).execute();
  const events = await db.selectFrom("audit_event").select(["id", "action"]).execute();
  const changes = await db.selectFrom("change").select(["seq", "kind", "subject"]).execute();
  const pending = await db.selectFrom("revocation").select(["seq", "subject_id"]).execute();
  return { keys, events, changes, pending };
}

/** What of a key's row no reader shows. */
async function rowOf({ db }: World, id: string) {
  return db
    .selectFrom("api_key")
    .select(["expires_before", "expiry_seq"])
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
}

async function actionsOf({ db }: World, subjectId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("audit_event")
    .select("action")
    .where("subject_id", "=", subjectId)
    .orderBy("id")
    .execute();
  return rows.map(({ action }) => action);
}

async function found({ acme }: World, id: string): Promise<ApiKey> {
  const key = await acme.findKey(id);
  assert(key !== undefined);
  return key;
}

async function expiresAtMs({ store }: World, digest: string): Promise<number | null> {
  return (await store.loadKeys([digest])).keys[0]?.expiresAtMs ?? null;
}

export const rotationPromises: Readonly<Record<string, Check>> = {
  "a rotated key ends after its overlap, and its successor takes over what it was": async (
    world,
  ) => {
    const given = { description: "Billing", metadata: { team: "billing" } };
    const key = await world.stored("production", given);
    const { successor, predecessor, seq, digest } = await rotated(world, key.id, {}, START_MS + 5);

    assert.deepEqual(
      [predecessor.expiresAtMs, predecessor.rotatedTo, predecessor.overlap],
      [START_MS + 5 + HOUR_MS, successor.id, { lengthMs: HOUR_MS, startedAtMs: START_MS + 5 }],
    );
    const { type, description, metadata, environment, rotatedFrom, createdAtMs } = successor;
    assert.deepEqual(
      { type, description, metadata: { ...metadata }, slug: environment.slug, rotatedFrom },
      { type: "secret", ...given, slug: "production", rotatedFrom: key.id },
    );
    assert.deepEqual(
      [createdAtMs, successor.expiresAtMs, successor.rotatedTo, successor.overlap],
      [START_MS + 5, null, null, null],
    );
    assert.deepEqual(await found(world, key.id), predecessor);
    assert.deepEqual(await found(world, successor.id), successor);

    assert.equal(await expiresAtMs(world, key.digest), START_MS + 5 + HOUR_MS);
    assert.equal(await expiresAtMs(world, digest), null);
    assert.deepEqual(
      (await world.changes()).map(({ seq, kind, subject }) => ({ seq, kind, subject })),
      [{ seq, kind: "key", subject: key.digest }],
    );
    assert.deepEqual(await world.store.leases.pendingRevocations(), [{ seq }]);
    assert.deepEqual(await rowOf(world, key.id), {
      expires_before: null,
      expiry_seq: seq,
    });
    assert.deepEqual(await actionsOf(world, key.id), ["api_key.created", "api_key.rotated"]);
    assert.deepEqual(await actionsOf(world, successor.id), ["api_key.created"]);
    assert.equal(predecessor.revokedAtMs, null);
  },

  "an overlap never puts a key's own end off, and then is no news": async (world) => {
    const key = await world.stored("production", { expiresAtMs: START_MS + HOUR_MS });
    const { predecessor, seq } = await rotated(world, key.id, { overlapMs: DAY_MS });
    assert.equal(predecessor.expiresAtMs, START_MS + HOUR_MS);
    assert.equal(seq, null);
    assert.deepEqual(await world.changes(), []);
    assert.equal((await rowOf(world, key.id)).expires_before, START_MS + HOUR_MS);
  },

  "without an overlap the old key is revoked by the same deed": async (world) => {
    const key = await world.stored("production");
    const { successor, predecessor, seq } = await rotated(world, key.id, { overlapMs: 0 });
    assert.deepEqual(predecessor, await found(world, key.id));
    assert.deepEqual(
      [predecessor.revokedAtMs, predecessor.revokedBy?.id, predecessor.rotatedTo],
      [START_MS, "per_ada", successor.id],
    );
    assert.equal(predecessor.revocation?.seq, seq);
    assert.equal(predecessor.overlap, null);
    assert.equal(await world.revokedAtMs(key.digest), START_MS);
    assert.deepEqual(await actionsOf(world, key.id), [
      "api_key.created",
      "api_key.rotated",
      "api_key.revoked",
    ]);
    assert.equal((await world.changes()).length, 1);
  },

  "a rotation that waits for the first use moves no end": async (world) => {
    const key = await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
    const { predecessor, seq } = await rotated(world, key.id, { starts: "first_use" });
    assert.equal(seq, null);
    assert.equal(predecessor.expiresAtMs, START_MS + DAY_MS);
    assert.deepEqual(predecessor.overlap, { lengthMs: HOUR_MS, startedAtMs: null });
    assert.deepEqual(await world.changes(), []);
  },

  "a successor lives as long as the old key was made for, unless told": async (world) => {
    const end = async (given: Partial<Rotation>) => {
      const { id } = await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
      return (await rotated(world, id, given, START_MS + HOUR_MS)).successor.expiresAtMs;
    };
    assert.equal(await end({}), START_MS + HOUR_MS + DAY_MS);
    assert.equal(await end({ expiresAtMs: null }), null);
    assert.equal(await end({ expiresAtMs: START_MS + 2 * HOUR_MS }), START_MS + 2 * HOUR_MS);

    // There is no later date.
    const lastMs = Date.parse("9999-12-31T23:59:59.999Z");
    const lasting = await world.stored("production", { expiresAtMs: lastMs });
    const heir = (await rotated(world, lasting.id, {}, START_MS + 1)).successor;
    assert.equal(heir.expiresAtMs, lastMs);

    // One that is in its overlap already is judged by its own end.
    const key = await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
    const first = await rotated(world, key.id, {}, START_MS + 1);
    await world.acme.revokeKey(first.successor.id, null, world.origin(START_MS + 2), null);
    const again = await rotated(world, key.id, {}, START_MS + 3);
    assert.equal(again.successor.expiresAtMs, START_MS + 3 + DAY_MS);
  },

  "only a key that lives can be rotated, and only once": async (world) => {
    const revoked = await world.stored("production");
    await world.acme.revokeKey(revoked.id, null, world.origin(), null);
    const gone = { outcome: "ended", how: "revoked" };
    assert.deepEqual(await refused(world, revoked.id), gone);
    const expired = await world.stored("production", { expiresAtMs: START_MS + 10 });
    const late = await refused(world, expired.id, {}, START_MS + 10);
    assert.deepEqual(late, { outcome: "ended", how: "expired" });
    assert.deepEqual(await refused(world, "key_nobody"), { outcome: "absent" });
    const key = await world.stored("production");
    await rotated(world, key.id);
    assert.deepEqual(await refused(world, key.id, {}, START_MS + 1), {
      outcome: "already_rotated",
    });
  },

  "a key whose successor has ended can be rotated again, from its own end": async (world) => {
    const key = await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
    const first = await rotated(world, key.id);
    await world.acme.revokeKey(first.successor.id, "lost", world.origin(START_MS + 1), null);
    const before = (await world.changes()).length;
    // Longer than the first overlap: the end is put off, which is news and no barrier.
    const given = { overlapMs: 2 * HOUR_MS, expiresAtMs: START_MS + 100 };
    const second = await rotated(world, key.id, given, START_MS + 2);
    assert.equal(second.predecessor.expiresAtMs, START_MS + 2 + 2 * HOUR_MS);
    assert.equal(second.predecessor.rotatedTo, second.successor.id);
    assert.equal(second.seq, null);
    assert.equal((await world.changes()).length, before + 1);
    assert.equal((await rowOf(world, key.id)).expires_before, START_MS + DAY_MS);
    assert.equal((await found(world, first.successor.id)).rotatedFrom, key.id);

    assert.equal((await refused(world, key.id, {}, START_MS + 99)).outcome, "already_rotated");
    const third = await rotated(world, key.id, { starts: "first_use" }, START_MS + 100);
    assert.equal(third.predecessor.expiresAtMs, START_MS + DAY_MS, "it waits for its own end");
    assert.deepEqual(third.predecessor.overlap, { lengthMs: HOUR_MS, startedAtMs: null });
  },

  "of many concurrent rotations exactly one is done": async (world) => {
    const key = await world.stored("production");
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const nextEventId = () => world.id("evt");
        return world.acme.rotateKey(key.id, world.rotation(), world.origin(), nextEventId, null);
      }),
    );
    const done = outcomes.flatMap((each) => (each.outcome === "rotated" ? [each] : []));
    assert.equal(done.length, 1);
    assert.equal(outcomes.filter(({ outcome }) => outcome === "already_rotated").length, 19);
    const keys = await world.db.selectFrom("api_key").select("id").execute();
    assert.equal(keys.length, 2);
    assert.equal((await found(world, key.id)).rotatedTo, done[0]?.successor.id);
    assert.equal((await world.changes()).length, 1);
  },

  "a rotation and a revocation at once leave a revoked key, and a successor or none": async (
    world,
  ) => {
    for (let round = 0; round < 10; round++) {
      const key = await world.stored("production");
      const nextEventId = () => world.id("evt");
      const rotate = () =>
        world.acme.rotateKey(key.id, world.rotation(), world.origin(), nextEventId, null);
      const revoke = () => world.acme.revokeKey(key.id, null, world.origin(), null);
      const [first, second] = round % 2 === 0 ? [rotate, revoke] : [revoke, rotate];
      const outcomes = [first(), second()];
      const rotation = await outcomes[round % 2];
      const revocation = await outcomes[1 - (round % 2)];
      assert.equal(revocation?.outcome, "revoked");
      const after = await found(world, key.id);
      assert.equal(after.revokedAtMs, START_MS);
      if (rotation?.outcome === "rotated") assert.equal(after.rotatedTo, rotation.successor.id);
      else {
        assert.deepEqual(rotation, { outcome: "ended", how: "revoked" });
        assert.equal(after.rotatedTo, null);
      }
    }
  },

  "a repeated rotation is replayed with both keys as they are": async (world) => {
    const key = await world.stored("production");
    const nextEventId = () => world.id("evt");
    const rotate = (body?: string) => {
      const once = world.once("rotate", body);
      return world.acme.rotateKey(key.id, world.rotation(), world.origin(), nextEventId, once);
    };
    const first = await rotate();
    assert(first.outcome === "rotated");
    assert.deepEqual(await rotate(), { ...first, outcome: "replayed" });
    assert.deepEqual(await rotate("another body"), { outcome: "mismatch" });
    await world.store.leases.recordEffective(first.seq ?? 0, {
      effectiveAtMs: START_MS,
      tookMs: 1,
      acknowledged: 1,
      lapsed: 0,
    });
    assert.deepEqual(await rotate(), { ...first, outcome: "replayed", seq: null });
    assert.equal((await world.db.selectFrom("api_key").select("id").execute()).length, 2);
  },

  "a rotation whose answer was lost is found done, and its token is good": async (world) => {
    const key = await world.stored("production");
    const nextEventId = () => world.id("evt");
    const once = world.once("rotate");
    const [rotation, origin] = [world.rotation(), world.origin()];
    const first = await world.acme.rotateKey(key.id, rotation, origin, nextEventId, once);
    const again = await world.acme.rotateKey(key.id, rotation, origin, nextEventId, once);
    assert.equal(first.outcome, "rotated");
    assert.deepEqual(again, first);
  },

  "a rotation that is repeated while it is being done is one rotation, and its token is good":
    async (world) => {
      const { acme, nextEventId } = world;
      for (const once of [null, world.once("rotate")]) {
        const key = await world.stored("production");
        const [rotation, origin] = [world.rotation(), world.origin()];
        const rotate = () => acme.rotateKey(key.id, rotation, origin, nextEventId, once);
        const [first, ...others] = await Promise.all([rotate(), rotate(), rotate()]);
        assert.equal(first.outcome, "rotated");
        for (const other of others) assert.deepEqual(other, first);
        assert.deepEqual(await actionsOf(world, key.id), ["api_key.created", "api_key.rotated"]);
        assert.deepEqual(await actionsOf(world, rotation.successor.id), ["api_key.created"]);
      }
    },

  "a key whose end comes while its row is waited for has ended": async (world) => {
    const { acme, nextEventId } = world;
    const key = await world.stored("production", { expiresAtMs: START_MS + 10 });
    const before = await traces(world);
    const later = () => START_MS + 10;
    const [rotation, ended] = [world.rotation(), { outcome: "ended", how: "expired" }];
    assert.deepEqual(
      await acme.rotateKey(key.id, rotation, world.origin(), nextEventId, null, later),
      ended,
    );
    const edit = { expiresAtMs: null };
    assert.deepEqual(await acme.editKey(key.id, edit, world.origin(), later), ended);
    // A clock that was set back brings nothing back.
    const [late, set] = [world.origin(START_MS + 10), () => START_MS];
    assert.deepEqual(await acme.editKey(key.id, edit, late, set), ended);
    assert.deepEqual(await traces(world), before);
    const justInTime = await acme.editKey(key.id, edit, world.origin(), () => START_MS + 9);
    assert.equal(justInTime.outcome, "edited");
  },
};

async function edited(world: World, id: string, edit: KeyEdit, atMs = START_MS + 1) {
  const done = await world.acme.editKey(id, edit, world.origin(atMs));
  assert(done.outcome === "edited", done.outcome);
  return done;
}

export const expiryPromises: Readonly<Record<string, Check>> = {
  "an end that is brought forward opens a barrier, one that is put off does not": async (world) => {
    const key = await world.stored("production");
    const sooner = await edited(world, key.id, { expiresAtMs: START_MS + HOUR_MS });
    assert.equal(sooner.key.expiresAtMs, START_MS + HOUR_MS);
    assert.deepEqual(await world.store.leases.pendingRevocations(), [{ seq: sooner.seq }]);
    assert.equal((await rowOf(world, key.id)).expiry_seq, sooner.seq);
    assert.equal(await expiresAtMs(world, key.digest), START_MS + HOUR_MS);

    for (const expiresAtMs of [START_MS + DAY_MS, null]) {
      const later = await edited(world, key.id, { expiresAtMs });
      assert.deepEqual([later.key.expiresAtMs, later.seq], [expiresAtMs, null]);
    }
    assert.deepEqual(
      (await world.changes()).map(({ subject }) => subject),
      [key.digest, key.digest, key.digest],
    );
    assert.equal((await world.store.leases.pendingRevocations()).length, 1);
  },

  "saying the same end again writes nothing, and goes on waiting for the first": async (world) => {
    const key = await world.stored("production");
    const first = await edited(world, key.id, { expiresAtMs: START_MS + HOUR_MS });
    const before = await traces(world);
    const again = await edited(world, key.id, { expiresAtMs: START_MS + HOUR_MS });
    assert.deepEqual(again, first);
    const described = await edited(world, key.id, { description: "" });
    assert.equal(described.seq, null, "no end was named");
    const receipt = { effectiveAtMs: START_MS + 9, tookMs: 1, acknowledged: 1, lapsed: 0 };
    await world.store.leases.recordEffective(first.seq ?? 0, receipt);
    assert.equal((await edited(world, key.id, { expiresAtMs: START_MS + HOUR_MS })).seq, null);
    assert.deepEqual(await traces(world), before);
  },

  "everything that an edit alters is one change and one audit event": async (world) => {
    const key = await world.stored("production", { metadata: { tier: "silver" } });
    const expiresAtMs = START_MS + HOUR_MS;
    const edit = { description: "CI", metadata: { tier: "gold" }, expiresAtMs };
    await edited(world, key.id, edit);
    assert.equal((await world.changes()).length, 1);
    const events = await world.db
      .selectFrom("audit_event")
      .select("details")
      .where("action", "=", "api_key.edited")
      .execute();
    assert.deepEqual(
      events.map(({ details }) => JSON.parse(details)),
      [
        {
          type: "secret",
          hint: key.hint,
          fields: ["description", "metadata", "expires_at"],
          description: "CI",
          description_before: "",
          metadata: { tier: "gold" },
          metadata_before: { tier: "silver" },
          expires_at: expiresAtMs,
          expires_at_before: null,
        },
      ],
    );
  },

  "a key that has ended gets no other end, and may be described": async (world) => {
    const expired = await world.stored("production", { expiresAtMs: START_MS + 10 });
    const revoked = await world.stored("production");
    await world.acme.revokeKey(revoked.id, null, world.origin(), null);
    for (const [id, how] of [
      [expired.id, "expired"],
      [revoked.id, "revoked"],
    ] as const) {
      const before = await traces(world);
      for (const edit of [{ expiresAtMs: null, description: "x" }, { overlapMs: 1_000 }])
        assert.deepEqual(await world.acme.editKey(id, edit, world.origin(START_MS + 10)), {
          outcome: "ended",
          how,
        });
      assert.deepEqual(await traces(world), before);
      const described = await edited(world, id, { description: "over" }, START_MS + 11);
      assert.equal(described.key.description, "over");
    }
  },

  "an overlap can be changed from when it started, up to the key's own end": async (world) => {
    const key = await world.stored("production", { expiresAtMs: START_MS + DAY_MS });
    assert.deepEqual(await world.acme.editKey(key.id, { overlapMs: HOUR_MS }, world.origin()), {
      outcome: "not_in_rotation",
    });
    await rotated(world, key.id, { overlapMs: 2 * HOUR_MS });
    const at = (ms: number) => world.origin(START_MS + ms);
    assert.deepEqual(await world.acme.editKey(key.id, { expiresAtMs: null }, at(1)), {
      outcome: "in_rotation",
    });
    const shorter = await edited(world, key.id, { overlapMs: HOUR_MS }, START_MS + 5);
    assert.equal(shorter.key.expiresAtMs, START_MS + HOUR_MS);
    assert.notEqual(shorter.seq, null);
    const longer = await edited(world, key.id, { overlapMs: 30 * DAY_MS }, START_MS + 6);
    assert.equal(longer.key.expiresAtMs, START_MS + DAY_MS);
    assert.equal(longer.seq, null);
    assert.deepEqual(await world.acme.editKey(key.id, { overlapMs: 1_000 }, at(1_000)), {
      outcome: "in_the_past",
    });
  },

  "an overlap that waits has another length from then on, and that is all": async (world) => {
    const key = await world.stored("production");
    await rotated(world, key.id, { starts: "first_use" });
    const { key: after, seq } = await edited(world, key.id, { overlapMs: DAY_MS });
    assert.deepEqual(after.overlap, { lengthMs: DAY_MS, startedAtMs: null });
    assert.deepEqual([after.expiresAtMs, seq], [null, null]);
    assert.deepEqual(await world.changes(), []);
  },
};
