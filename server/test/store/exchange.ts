import assert from "node:assert/strict";
import type { NewAccessToken, NewKey } from "../../src/store/store.ts";
import { type Check, START_MS, type World } from "./world.ts";

const HOUR_MS = 60 * 60_000;
const LIVE_MAX = 3;

export const exchangePromises: Readonly<Record<string, Check>> = {
  "an exchanged key is like any other, is no news to verifiers, and is told in the audit log":
    async (world) => {
      const { acme, changes, db, store } = world;
      const token = await issued(world);
      const { key, done } = await exchange(world, token);
      assert.deepEqual(done, { outcome: "created" });
      const found = await acme.findKey(key.id);
      assert.deepEqual(
        [found?.environment.slug, found?.expiresAtMs, found?.createdBy.id],
        ["production", START_MS + HOUR_MS, "per_ada"],
      );
      assert.equal((await store.loadKeys([key.digest])).keys[0]?.id, key.id);
      assert.deepEqual(await changes(), []);
      const events = db.selectFrom("audit_event").select(["action", "details"]).orderBy("id");
      const { action, details } = (await events.execute()).at(-1) ?? { action: "", details: "{}" };
      assert.equal(action, "api_key.created");
      assert.deepEqual(JSON.parse(details), {
        type: "secret",
        hint: key.hint,
        expires_at: START_MS + HOUR_MS,
        exchanged_for: token.id,
      });
    },

  "of many concurrent exchanges no more keys live than may": async (world) => {
    const { acme } = world;
    const token = await issued(world);
    const all = Array.from({ length: 12 }, () => exchange(world, token));
    const outcomes = (await Promise.all(all)).map(({ done }) => done);
    const made = outcomes.filter(({ outcome }) => outcome === "created");
    assert.equal(made.length, LIVE_MAX);
    for (const done of outcomes)
      if (done.outcome !== "created")
        assert.deepEqual(done, { outcome: "too_many", untilMs: START_MS + HOUR_MS });
    const counted = await acme.countExchangedKeys([token.id], START_MS);
    assert.deepEqual([...counted], [[token.id, LIVE_MAX]]);
  },

  "keys that ended, of another environment or of another token leave room": async (world) => {
    const { acme, origin } = world;
    const token = await issued(world);
    const first = await exchange(world, token, "production", START_MS + 1_000);
    const second = await exchange(world, token);
    for (let count = 2; count < LIVE_MAX; count += 1) await exchange(world, token);
    const full = await exchange(world, token);
    assert.deepEqual(full.done, { outcome: "too_many", untilMs: START_MS + 1_000 });
    assert.equal(await acme.findKey(full.key.id), undefined);
    assert.equal((await exchange(world, token, "development")).done.outcome, "created");
    assert.equal((await exchange(world, await issued(world))).done.outcome, "created");
    await acme.revokeKey(second.key.id, null, origin(), null);
    assert.equal((await exchange(world, token)).done.outcome, "created");
    assert.equal((await exchange(world, token)).done.outcome, "too_many");
    const later = START_MS + 1_000;
    const { done } = await exchange(world, token, "production", later + HOUR_MS, later);
    assert.equal(done.outcome, "created");
    assert.notEqual(await acme.findKey(first.key.id), undefined);
    const counted = await acme.countExchangedKeys([token.id, "tok_nobody"], later);
    assert.deepEqual([...counted], [[token.id, LIVE_MAX + 1]]);
  },

  "an exchange names what is not there: the environment, or the token": async (world) => {
    const { acme, nextEventId, origin, other } = world;
    const token = await issued(world);
    assert.deepEqual((await exchange(world, token, "nowhere")).done, { outcome: "absent" });
    const theirs = world.newToken("service", other.accountId);
    await other.tokens.createToken(theirs, origin(), null);
    assert.deepEqual((await exchange(world, theirs)).done, { outcome: "token_absent" });
    await acme.tokens.deleteToken(token.id, origin(), nextEventId);
    const late = await exchange(world, token);
    assert.deepEqual(late.done, { outcome: "token_absent" });
    assert.equal(await acme.findKey(late.key.id), undefined);
  },

  "deleting a service token revokes its living keys with it, each with change, end and event":
    async (world) => {
      const { acme, changes, db, nextEventId, origin, store } = world;
      const token = await issued(world);
      const bystander = await issued(world);
      const [one, two] = [
        await exchange(world, token),
        await exchange(world, token, "development"),
      ];
      const expired = await exchange(world, token, "production", START_MS + 5);
      const other = await exchange(world, bystander);
      const atMs = START_MS + 9;
      const first = origin(atMs);
      assert.deepEqual(await acme.tokens.deleteToken(token.id, first, nextEventId), {
        outcome: "deleted",
        seq: 3,
        keySeqs: [1, 2],
      });
      assert.deepEqual(
        (await changes()).map(({ kind, subject }) => [kind, subject]),
        [one.key.digest, two.key.digest, token.digest].map((subject) => ["key", subject]),
      );
      assert.deepEqual(await store.leases.pendingRevocations(), [
        { seq: 1 },
        { seq: 2 },
        { seq: 3 },
      ]);
      for (const [{ key }, seq] of [
        [one, 1],
        [two, 2],
      ] as const) {
        assert.equal(await world.revokedAtMs(key.digest), atMs);
        const found = await acme.findKey(key.id);
        assert.deepEqual(
          [found?.revokedAtMs, found?.revokedBy?.id, found?.revocation?.seq],
          [atMs, "per_ada", seq],
        );
        assert.match(found?.revokedReason ?? "", /service token/);
      }
      for (const { key } of [expired, other])
        assert.equal(await world.revokedAtMs(key.digest), null);
      const events = await db
        .selectFrom("audit_event")
        .select(["id", "action", "subject_id"])
        .where("at", "=", atMs)
        .orderBy("id")
        .execute();
      assert.deepEqual(
        events.map(({ action, subject_id }) => [action, subject_id]),
        [
          ["access_token.deleted", token.id],
          ["api_key.revoked", one.key.id],
          ["api_key.revoked", two.key.id],
        ],
      );
      assert.equal(events[0]?.id, first.eventId);
      // Its answer was lost, and so it is asked again.
      assert.deepEqual(await acme.tokens.deleteToken(token.id, first, nextEventId), {
        outcome: "deleted",
        seq: 3,
        keySeqs: [],
      });
      assert.equal((await changes()).length, 3);
    },

  "no key comes out of a token that is deleted at the same time": async (world) => {
    const { acme, nextEventId, origin } = world;
    for (let round = 0; round < 10; round += 1) {
      const token = await issued(world);
      const asked = [exchange(world, token), exchange(world, token)];
      const [deleted, ...exchanged] = await Promise.all([
        acme.tokens.deleteToken(token.id, origin(), nextEventId),
        ...asked,
      ]);
      assert(deleted.outcome === "deleted");
      for (const { key, done } of exchanged)
        if (done.outcome === "created") assert.equal(await world.revokedAtMs(key.digest), START_MS);
        else
          assert.deepEqual([done.outcome, await acme.findKey(key.id)], ["token_absent", undefined]);
      assert.equal((await acme.countExchangedKeys([token.id], START_MS)).size, 0);
    }
  },

  "an exchanged key is not rotated, and its end is brought forward alone": async (world) => {
    const { acme, changes, db, nextEventId, origin } = world;
    const token = await issued(world);
    const { key } = await exchange(world, token);
    const row = () =>
      db.selectFrom("api_key").selectAll().where("id", "=", key.id).executeTakeFirst();
    const before = await row();
    for (const overlapMs of [0, HOUR_MS]) {
      const rotation = world.rotation({ overlapMs });
      const once = world.once("rotate");
      const done = await acme.rotateKey(key.id, rotation, origin(), nextEventId, once);
      assert.deepEqual(done, { outcome: "exchanged" });
      assert.equal(await acme.findKey(rotation.successor.id), undefined);
    }
    const edit = (expiresAtMs: number | null) =>
      acme.editKey(key.id, { expiresAtMs, description: "x" }, origin());
    for (const endMs of [START_MS + HOUR_MS + 1, null])
      assert.deepEqual(await edit(endMs), { outcome: "exchanged" });
    assert.deepEqual([await row(), await changes()], [before, []]);
    for (const endMs of [START_MS + HOUR_MS, START_MS + 5]) {
      const done = await edit(endMs);
      assert(done.outcome === "edited", done.outcome);
      assert.equal(done.key.expiresAtMs, endMs);
    }
    assert.deepEqual(await edit(START_MS + 6), { outcome: "exchanged" });
    const late = await acme.editKey(key.id, { expiresAtMs: null }, origin(START_MS + 5));
    assert.deepEqual(late, { outcome: "ended", how: "expired" });
  },

  "a token that is deleted while its keys are rotated and edited leaves none that lives": async (
    world,
  ) => {
    const { acme, nextEventId, origin } = world;
    for (let round = 0; round < 10; round += 1) {
      const token = await issued(world);
      const keys = [await exchange(world, token), await exchange(world, token)];
      const [deleted] = await Promise.all([
        acme.tokens.deleteToken(token.id, origin(), nextEventId),
        ...keys.flatMap(({ key }) => [
          acme.rotateKey(key.id, world.rotation(), origin(), nextEventId, null),
          acme.editKey(key.id, { description: "x", expiresAtMs: START_MS + 99 }, origin()),
          acme.editKey(key.id, { expiresAtMs: null }, origin()),
        ]),
      ]);
      assert(deleted.outcome === "deleted");
      assert.equal(deleted.keySeqs.length, 2);
      for (const { key } of keys) assert.equal(await world.revokedAtMs(key.digest), START_MS);
      assert.equal((await acme.countExchangedKeys([token.id], START_MS)).size, 0);
    }
  },

  "a service token's end is kept, and it is found past it": async (world) => {
    const { acme, newToken, origin, store } = world;
    const token = { ...newToken("service", acme.accountId), expiresAtMs: START_MS + 5 };
    const created = await acme.tokens.createToken(token, origin(), null);
    assert(created.outcome === "created");
    assert.equal(created.token.expiresAtMs, START_MS + 5);
    assert.equal((await store.findToken(token.digest))?.expiresAtMs, START_MS + 5);
  },
};

async function issued(world: World): Promise<NewAccessToken> {
  const token = world.newToken("service", world.acme.accountId);
  await world.acme.tokens.createToken(token, world.origin(), null);
  return token;
}

async function exchange(
  world: World,
  token: NewAccessToken,
  environmentSlug = "production",
  expiresAtMs = START_MS + HOUR_MS,
  atMs = START_MS,
): Promise<{ key: NewKey; done: Awaited<ReturnType<World["acme"]["exchangeToken"]>> }> {
  const key = world.newKey({ expiresAtMs });
  const exchanged = { environmentSlug, key, tokenId: token.id, liveMax: LIVE_MAX };
  return { key, done: await world.acme.exchangeToken(exchanged, world.origin(atMs)) };
}
