import assert from "node:assert/strict";
import { digestToken } from "@latchkey/sdk/core";
import { type Check, START_MS, type World } from "./world.ts";

const LINK = digestToken("a set-up secret");

export const setupPromises: Readonly<Record<string, Check>> = {
  "of many concurrent set-ups one wins, and it is the only owner": async (world) => {
    const { origin, store } = world;
    await store.openSetup(LINK, START_MS + 1);
    assert.equal(await store.isSetUp(), false);
    const calls = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.completeSetup(firstAccount(world, index), index % 2 ? LINK : null, origin()),
      ),
    );
    const outcomes = calls.map(({ outcome }) => outcome).sort();
    assert.deepEqual(outcomes, [...Array(19).fill("already_set_up"), "created"]);
    assert.equal(await store.isSetUp(), true);
    assert.equal((await world.db.selectFrom("member").selectAll().execute()).length, 1);
    assert.equal((await world.db.selectFrom("person").selectAll().execute()).length, 1);
  },

  "only the newest link opens set-up, until it expires": async (world) => {
    const { origin, store } = world;
    const complete = async (link: string, atMs: number) =>
      (await store.completeSetup(firstAccount(world, 1), link, origin(atMs))).outcome;
    assert.equal(await complete(LINK, START_MS), "link_unknown");
    const newer = digestToken("another secret");
    await store.openSetup(LINK, START_MS + 1_000);
    await store.openSetup(newer, START_MS + 2_000);
    assert.equal(await complete(LINK, START_MS), "link_unknown");
    assert.equal(await complete(newer, START_MS + 2_000), "link_expired");
    assert.equal(await store.isSetUp(), false);
    assert.equal(await complete(newer, START_MS + 1_999), "created");
    assert.equal(await complete(newer, START_MS + 1_999), "already_set_up");
  },

  "a set-up that is refused may be tried again with the same link": async (world) => {
    const { origin, store } = world;
    await store.openSetup(LINK, START_MS + 1);
    const taken = { ...firstAccount(world, 1), slug: "acme" };
    assert.equal((await store.completeSetup(taken, LINK, origin())).outcome, "slug_taken");
    assert.deepEqual(await world.db.selectFrom("person").selectAll().execute(), []);
    const free = firstAccount(world, 2);
    assert.equal((await store.completeSetup(free, LINK, origin())).outcome, "created");
  },

  "whoever signed up before cannot become the owner by an e-mail address": async (world) => {
    const { newAccount, origin, store } = world;
    const first = firstAccount(world, 1);
    await store.createAccount(newAccount("early", { owner: first.owner }), origin(), null);
    assert.equal((await store.completeSetup(first, null, origin())).outcome, "person_exists");
    assert.equal(await store.isSetUp(), false);
  },

  "set-up never opens again, whatever is deleted": async (world) => {
    const { origin, store } = world;
    const first = firstAccount(world, 1);
    await store.completeSetup(first, null, origin());
    await store.deleteAccount(first.slug, origin());
    await store.openSetup(LINK, START_MS + 1_000);
    assert.equal(await store.isSetUp(), true);
    const again = await store.completeSetup(firstAccount(world, 2), LINK, origin());
    assert.equal(again.outcome, "already_set_up");
  },
};

function firstAccount(world: World, index: number) {
  return world.newAccount(`first-${index}`, {
    owner: {
      id: world.id("per"),
      name: "Ada",
      email: `ada-${index}@example.com`,
      passwordHash: "a-hash",
    },
  });
}
