import assert from "node:assert/strict";
import type { IssuedToken, NewAccessToken, PageAsk } from "../../src/store/store.ts";
import { type Check, START_MS, type World } from "./world.ts";

const RECEIPT = { effectiveAtMs: START_MS + 40, tookMs: 14, acknowledged: 3, lapsed: 0 };
const ABSENT = { outcome: "absent", pendingSeq: null };

export const tokenPromises: Readonly<Record<string, Check>> = {
  "the operator's tokens are listed newest first, and nobody else's": async (world) => {
    const { newAccount, newToken, origin, store } = world;
    const account = newAccount("tokens");
    const theirs = newToken("service", account.id);
    await store.createAccount({ ...account, tokens: [theirs] }, origin(), null);
    const older = await created(world, newToken("verifier", null));
    const newer = await created(world, newToken("operator", null));
    assert.deepEqual(await list(world), [newer, older]);
    assert.deepEqual(await store.operatorTokens.findIssuedToken(older.id), older);
    assert.equal(await store.operatorTokens.findIssuedToken(theirs.id), undefined);
    await store.recordTokenUsed(older.id, START_MS + 5);
    assert.equal((await list(world))[1]?.lastUsedAtMs, START_MS + 5);
  },

  "a new token is known from its creation on, and is no news to verifiers": async (world) => {
    const { changes, newToken, origin, store } = world;
    const token = newToken("verifier", null);
    assert.equal(await store.findToken(token.digest), undefined);
    const { digest, ...kept } = token;
    assert.deepEqual(await store.operatorTokens.createToken(token, origin(), null), {
      outcome: "created",
      token: {
        ...kept,
        createdAtMs: START_MS,
        createdBy: { type: "person", id: "per_ada", name: "Ada Lovelace" },
        lastUsedAtMs: null,
      },
    });
    assert.equal((await store.findToken(digest))?.id, token.id);
    assert.deepEqual(await changes(), []);
  },

  "a deleted token is found no more, and every verifier learns its digest": async (world) => {
    const { changes, newToken, nextEventId, origin, store } = world;
    const token = newToken("verifier", null);
    const bystander = newToken("verifier", null);
    for (const one of [token, bystander]) await created(world, one);
    const deleted = await store.operatorTokens.deleteToken(
      token.id,
      origin(START_MS + 9),
      nextEventId,
    );
    assert.deepEqual(deleted, { outcome: "deleted", seq: 1, keySeqs: [] });
    assert.equal(await store.findToken(token.digest), undefined);
    assert.equal(await store.operatorTokens.findIssuedToken(token.id), undefined);
    assert.deepEqual(
      (await list(world)).map(({ id }) => id),
      [bystander.id],
    );
    assert.deepEqual(
      (await changes()).map(({ kind, subject }) => [kind, subject]),
      [["key", token.digest]],
    );
    assert.deepEqual(await store.leases.pendingRevocations(), [{ seq: 1 }]);
    assert.equal((await store.findToken(bystander.digest))?.id, bystander.id);
  },

  "a deleted token is absent with its deletion, until that is effective": async (world) => {
    const { changes, newToken, nextEventId, origin, store } = world;
    const { operatorTokens } = store;
    const token = newToken("operator", null);
    await created(world, token);
    const first = origin();
    assert.deepEqual(await operatorTokens.deleteToken(token.id, first, nextEventId), {
      outcome: "deleted",
      seq: 1,
      keySeqs: [],
    });
    assert.deepEqual(await operatorTokens.deleteToken(token.id, origin(), nextEventId), {
      outcome: "absent",
      pendingSeq: 1,
    });
    // Its answer was lost, and so it is asked again.
    assert.deepEqual(await operatorTokens.deleteToken(token.id, first, nextEventId), {
      outcome: "deleted",
      seq: 1,
      keySeqs: [],
    });
    await store.leases.recordEffective(1, RECEIPT);
    assert.deepEqual(await operatorTokens.deleteToken(token.id, origin(), nextEventId), ABSENT);
    assert.deepEqual(await operatorTokens.deleteToken("tok_nobody", origin(), nextEventId), ABSENT);
    assert.equal((await changes()).length, 1);
  },

  "of many concurrent deletions of a token exactly one wins": async (world) => {
    const { changes, newToken, nextEventId, origin, store } = world;
    const token = newToken("verifier", null);
    await created(world, token);
    const calls = await Promise.all(
      Array.from({ length: 20 }, () =>
        store.operatorTokens.deleteToken(token.id, origin(), nextEventId),
      ),
    );
    const outcomes = calls.map((call) => JSON.stringify(call)).sort();
    const absent = JSON.stringify({ outcome: "absent", pendingSeq: 1 });
    const deleted = JSON.stringify({ outcome: "deleted", seq: 1, keySeqs: [] });
    assert.deepEqual(outcomes, [...Array(19).fill(absent), deleted].sort());
    assert.equal((await changes()).length, 1);
  },

  "nobody deletes or makes a token of somebody else": async (world) => {
    const { changes, newAccount, newToken, nextEventId, origin, store } = world;
    const account = newAccount("tokens");
    const theirs = newToken("service", account.id);
    await store.createAccount({ ...account, tokens: [theirs] }, origin(), null);
    assert.deepEqual(
      await store.operatorTokens.deleteToken(theirs.id, origin(), nextEventId),
      ABSENT,
    );
    await assert.rejects(
      store.operatorTokens.createToken(newToken("service", account.id), origin(), null),
    );
    await assert.rejects(
      store.operatorTokens.createToken(newToken("service", null), origin(), null),
    );
    assert.equal((await store.findToken(theirs.digest))?.id, theirs.id);
    assert.deepEqual(await list(world), []);
    assert.deepEqual(await changes(), []);
  },

  "whoever deletes tokens while paging meets every other one once": async (world) => {
    const { newToken, nextEventId, origin, store } = world;
    const made: string[] = [];
    for (let index = 0; index < 5; index++)
      made.unshift((await created(world, newToken("verifier", null))).id);
    const first = await page(world, { size: 2 });
    assert.deepEqual(idsOf(first), made.slice(0, 2));
    assert(first.after !== null);
    await store.operatorTokens.deleteToken(first.after, origin(), nextEventId);
    const second = await page(world, { size: 2, after: first.after });
    assert.deepEqual(idsOf(second), made.slice(2, 4));
    const last = await page(world, { size: 2, after: second.after ?? "" });
    assert.deepEqual(idsOf(last), made.slice(4));
    assert.equal(last.after, null);
    const back = await page(world, { size: 2, before: last.before ?? "" });
    assert.deepEqual(idsOf(back), made.slice(2, 4));
    const nobodys = await store.operatorTokens.listTokens({ size: 2, after: "tok_nobody" });
    assert.deepEqual(nobodys, { outcome: "invalid_cursor" });
  },

  "a repeated creation of a token is replayed, and another body is a mismatch": async (world) => {
    const { newToken, once, origin, store } = world;
    const create = (body?: string) =>
      store.operatorTokens.createToken(newToken("verifier", null), origin(), once("t", body));
    const first = await create();
    assert(first.outcome === "created");
    assert.deepEqual(await create(), { outcome: "replayed", id: first.token.id });
    assert.deepEqual(await create("another body"), { outcome: "mismatch" });
    assert.deepEqual(await list(world), [first.token]);
  },

  "the owner whom set-up makes is the operator, and nobody else is": async (world) => {
    const { newAccount, origin, store } = world;
    const person = (id: string) => ({ id, name: "P", email: `${id}@a.example`, passwordHash: "h" });
    await store.createAccount(newAccount("early", { owner: person("per_1") }), origin(), null);
    await store.completeSetup(newAccount("first", { owner: person("per_2") }), null, origin());
    await store.createAccount(newAccount("late", { owner: person("per_3") }), origin(), null);
    const operators = ["per_1", "per_2", "per_3", "per_nobody", ""].map(store.isOperator);
    assert.deepEqual(await Promise.all(operators), [false, true, false, false, false]);
  },
};

async function created(world: World, token: NewAccessToken): Promise<IssuedToken> {
  const done = await world.store.operatorTokens.createToken(token, world.origin(), null);
  assert(done.outcome === "created");
  return done.token;
}

async function page({ store }: World, ask: PageAsk) {
  const listed = await store.operatorTokens.listTokens(ask);
  assert(listed.outcome === "page");
  return listed;
}

async function list(world: World): Promise<readonly IssuedToken[]> {
  return (await page(world, { size: 200 })).entries;
}

function idsOf({ entries }: { readonly entries: readonly IssuedToken[] }): string[] {
  return entries.map(({ id }) => id);
}
