import assert from "node:assert/strict";
import fc from "fast-check";
import type { KeyFilter, Listed, PageAsk } from "../../src/store/store.ts";
import { batch, counted } from "./usage.ts";
import { type Check, START_MS } from "./world.ts";

const DAY_MS = 24 * 60 * 60_000;

const EVERYTHING = {
  status: "all",
  lastUsed: "any",
  expires: "any",
  text: "",
  nowMs: START_MS,
} as const;

/** Pages walked before a test gives up: more than any list here has. */
const PAGES_MAX = 100;

export const listPromises: Readonly<Record<string, Check>> = {
  "paging forwards and backwards meets every key once": async (world) => {
    const { acme, newEnvironment, origin } = world;
    const keys = fc.array(fc.boolean(), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 1, max: 5 }), async (revoked, size) => {
        const slug = world.id("e").replace("_", "-");
        await acme.createEnvironment(newEnvironment(slug), origin(), null);
        const active: string[] = [];
        for (const isRevoked of revoked) {
          const { id } = await world.stored(slug);
          if (isRevoked) await acme.revokeKey(id, null, origin(), null);
          else active.unshift(id);
        }
        const filter: KeyFilter = { ...EVERYTHING, environment: slug, status: "active" };
        const { forwards, backwards } = await walk((page) => acme.listKeys(filter, page), size);
        assert.deepEqual(forwards, active);
        assert.deepEqual(backwards, active.slice(0, backwards.length));
        assert(
          active.length <= size || backwards.length === active.length - lastPage(active, size),
        );
      }),
      { numRuns: 25 },
    );
  },

  "accounts and environments are paged alike": async (world) => {
    const { acme, newAccount, newEnvironment, origin, store } = world;
    for (let index = 0; index < 7; index++) {
      await acme.createEnvironment(newEnvironment(`more-${index}`), origin(), null);
      await store.createAccount(newAccount(`account-${index}`), origin(), null);
    }
    for (const list of [store.listAccounts, acme.listEnvironments]) {
      const { forwards, backwards } = await walk(list, 2);
      assert.equal(forwards.length, 9);
      assert.deepEqual(forwards, [...new Set(forwards)].sort().reverse());
      assert.deepEqual(backwards, forwards.slice(0, 8));
    }
  },

  "a page's cursors are null at the ends": async ({ acme, stored }) => {
    await stored("production");
    const filter = { ...EVERYTHING, environment: "production" };
    const only = await acme.listKeys(filter, { size: 1 });
    assert(only.outcome === "page");
    assert.deepEqual([only.after, only.before], [null, null]);
    const none = await acme.listKeys({ ...filter, status: "revoked" }, { size: 1 });
    assert.deepEqual(none, { outcome: "page", entries: [], after: null, before: null });
  },

  "a cursor from elsewhere is refused": async ({ acme, newKey, origin, other, store, stored }) => {
    const development = await stored("development");
    const foreign = newKey();
    await other.createKey("production", foreign, origin(), null);
    const filter = { ...EVERYTHING, environment: "production" };
    for (const cursor of [development.id, foreign.id, "", "key_%", "' or 1=1 --"])
      for (const page of [{ after: cursor }, { before: cursor }])
        assert.deepEqual(await acme.listKeys(filter, { size: 5, ...page }), {
          outcome: "invalid_cursor",
        });
    const environment = await other.findEnvironment("production");
    assert.deepEqual(await acme.listEnvironments({ size: 5, after: environment?.id ?? "" }), {
      outcome: "invalid_cursor",
    });
    assert.deepEqual(await store.listAccounts({ size: 5, after: development.id }), {
      outcome: "invalid_cursor",
    });
  },

  "a key is listed under the status it has": async ({ acme, origin, stored }) => {
    const active = await stored("production", { expiresAtMs: START_MS + 1 });
    const expired = await stored("production", { expiresAtMs: START_MS });
    const revoked = await stored("production", { expiresAtMs: START_MS });
    await acme.revokeKey(revoked.id, null, origin(), null);
    const listed = async (status: KeyFilter["status"]) => {
      const filter = { ...EVERYTHING, environment: "production", status };
      return ids(await acme.listKeys(filter, { size: 10 }));
    };
    assert.deepEqual(await listed("active"), [active.id]);
    assert.deepEqual(await listed("expired"), [expired.id]);
    assert.deepEqual(await listed("revoked"), [revoked.id]);
    assert.deepEqual(await listed("all"), [revoked.id, expired.id, active.id]);
  },

  "a key is listed by when it was last used": async (world) => {
    const { acme, store, stored } = world;
    const nowMs = START_MS + 100 * DAY_MS;
    const longAgoMs = nowMs - 90 * DAY_MS;
    const old = await stored("production", {}, longAgoMs - 1);
    const young = await stored("production", {}, longAgoMs);
    const usedAt = async (atMs: number) => {
      const key = await stored("production", {}, START_MS);
      const counts = [{ ...counted(key.id, { accepted: 1 }), lastAcceptedMs: atMs }];
      await store.recordUsage([batch(world.id("source"), 1, { counts })], nowMs);
      return key;
    };
    const stale = await usedAt(longAgoMs - 1);
    const fresh = await usedAt(longAgoMs);
    const refused = await stored("production", {}, nowMs);
    const counts = [counted(refused.id, { revoked: 1 })];
    await store.recordUsage([batch("refusing", 1, { counts })], nowMs);
    const found = async (lastUsed: KeyFilter["lastUsed"]) => {
      const filter = { ...EVERYTHING, environment: "production", lastUsed, nowMs };
      return ids(await acme.listKeys(filter, { size: 10 }));
    };
    assert.deepEqual(await found("never"), [refused.id, young.id, old.id]);
    assert.deepEqual(await found("over_90_days_ago"), [stale.id, old.id]);
    assert.deepEqual(
      await found("any"),
      [refused, fresh, stale, young, old].map(({ id }) => id),
    );
  },

  "a search is literal and minds no case": async ({ acme, origin, stored }) => {
    const percent = await stored("production", { description: "100% Off" });
    const under = await stored("production", { description: "a_b ŻÓŁĆ" });
    const plain = await stored("production", { description: "100 off axb" });
    const search = async (text: string) => {
      const filter = { ...EVERYTHING, environment: "production", text };
      return ids(await acme.listKeys(filter, { size: 10 }));
    };
    assert.deepEqual(await search("%"), [percent.id]);
    assert.deepEqual(await search("0% o"), [percent.id]);
    assert.deepEqual(await search("a_b"), [under.id]);
    assert.deepEqual(await search("żółć"), [under.id]);
    assert.deepEqual(await search("\\"), []);
    assert.deepEqual(await search("' or ''='"), []);
    assert.deepEqual(await search("OFF"), [plain.id, percent.id]);
    assert.deepEqual(await search(plain.id.toUpperCase()), [plain.id]);
    assert.deepEqual(await search(under.hint.slice(-4)), [under.id]);
    await acme.editKey(plain.id, { description: "renamed" }, origin());
    assert.deepEqual(await search("Renamed"), [plain.id]);
    assert.deepEqual(await search("axb"), []);
  },

  "a list of an unknown or deleted environment is absent": async ({ acme, origin }) => {
    const list = (environment: string) =>
      acme.listKeys({ ...EVERYTHING, environment }, { size: 10 });
    assert.deepEqual(await list("nowhere"), { outcome: "absent" });
    await acme.deleteEnvironment("production", origin());
    assert.deepEqual(await list("production"), { outcome: "absent" });
  },
};

function lastPage(entries: readonly unknown[], size: number): number {
  return entries.length % size === 0 ? size : entries.length % size;
}

type AnyListed = Listed<{ readonly id: string }> | { readonly outcome: "absent" };

function ids(listed: AnyListed): readonly string[] {
  assert(listed.outcome === "page");
  return listed.entries.map((entry) => entry.id);
}

/**
 * Walks a list to its oldest page and back again.
 *
 * @returns All ids met on the way there, newest first; and those of the pages met on the way back, the oldest page's
 *   not among them.
 */
async function walk(
  list: (page: PageAsk) => Promise<AnyListed>,
  size: number,
): Promise<{ forwards: readonly string[]; backwards: readonly string[] }> {
  const forwards: string[] = [];
  const backwards: string[] = [];
  let ask: PageAsk | null = { size };
  let before: string | null = null;
  for (let page = 0; ask !== null && page < PAGES_MAX; page++) {
    const listed = await list(ask);
    assert(listed.outcome === "page");
    assert(listed.entries.length <= size);
    assert.equal(listed.before === null, page === 0 || listed.entries.length === 0);
    forwards.push(...ids(listed));
    before = listed.before;
    ask = listed.after === null ? null : { size, after: listed.after };
  }
  for (let page = 0; before !== null && page < PAGES_MAX; page++) {
    const listed = await list({ size, before });
    assert(listed.outcome === "page");
    assert.notEqual(listed.after, null);
    backwards.unshift(...ids(listed));
    before = listed.before;
  }
  return { forwards, backwards };
}
