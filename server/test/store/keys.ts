import assert from "node:assert/strict";
import { digestToken } from "@latchkey/sdk/core";
import type { ApiKey } from "../../src/store/store.ts";
import { batch, counted } from "./usage.ts";
import { type Check, START_MS } from "./world.ts";

/** Strings that break what was put together by hand. */
const HOSTILE = [
  `'"; drop table api_key; --`,
  "100%_of\\it",
  "zażółć 🗝️ ключ \u202e\u2028",
  "line\nbreak\ttab",
  "__proto__",
];

export const keyPromises: Readonly<Record<string, Check>> = {
  "ids that differ only in case are different keys": async ({ acme, origin, store, stored }) => {
    const lower = await stored("production", { id: "key_a", digest: digestToken("sk_a") });
    const upper = await stored("production", { id: "key_A", digest: digestToken("sk_A") });
    await acme.revokeKey("key_a", null, origin(), null);
    assert.equal((await acme.findKey("key_A"))?.revokedAtMs, null);
    const { keys } = await store.loadKeys([upper.digest, lower.digest]);
    assert.deepEqual(
      keys.map((key) => [key?.id, key?.revokedAtMs]),
      [
        ["key_A", null],
        ["key_a", START_MS],
      ],
    );
  },

  "a key is found as it was given, to the millisecond": async ({ acme, newKey, origin }) => {
    const key = newKey({
      type: "public",
      description: "Storefront",
      metadata: { tier: "gold", region: "eu" },
      expiresAtMs: START_MS + 86_400_457,
    });
    const created = await acme.createKey("production", key, origin(START_MS + 1), null);
    assert.equal(created.outcome, "created");
    const environment = await acme.findEnvironment("production");
    const expected: ApiKey = {
      id: key.id,
      environment: { id: environment?.id ?? "", slug: "production" },
      type: "public",
      description: "Storefront",
      metadata: { tier: "gold", region: "eu" },
      hint: key.hint,
      token: key.token,
      createdAtMs: START_MS + 1,
      createdBy: { type: "person", id: "per_ada", name: "Ada Lovelace" },
      expiresAtMs: START_MS + 86_400_457,
      lastUsedAtMs: null,
      revokedAtMs: null,
      revokedBy: null,
      revokedReason: null,
      revocation: null,
      rotatedFrom: null,
      rotatedTo: null,
      overlap: null,
    };
    assert.deepEqual(await acme.findKey(key.id), expected);
  },

  "a secret token cannot be stored": async ({ acme, newKey, origin }) => {
    const key = newKey({ type: "secret", token: "sk_kept" });
    await assert.rejects(acme.createKey("production", key, origin(), null));
    assert.equal(await acme.findKey(key.id), undefined);
  },

  "a digest belongs to one key for ever": async ({ acme, newKey, origin, stored }) => {
    const key = await stored("production");
    const twin = newKey({ digest: key.digest });
    await assert.rejects(acme.createKey("development", twin, origin(), null));
    await acme.revokeKey(key.id, null, origin(), null);
    await assert.rejects(acme.createKey("development", twin, origin(), null), (error) => {
      assert(error instanceof Error);
      assert(!error.message.includes(key.digest));
      return true;
    });
  },

  "hostile strings come back as they were": async ({ acme, store, stored, origin }) => {
    for (const hostile of HOSTILE) {
      // Parsed, because a literal would set the prototype.
      const metadata: Record<string, string> = JSON.parse(
        `{"__proto__":${JSON.stringify(hostile)},"a\\u0000b":"\\ud800","constructor":"c"}`,
      );
      const key = await stored("production", { description: hostile, metadata });
      const found = await acme.findKey(key.id);
      assert.equal(found?.description, hostile);
      assert.equal(JSON.stringify(found.metadata), JSON.stringify(metadata));
      assert(Object.hasOwn(found.metadata, "__proto__"));
      const loaded = (await store.loadKeys([key.digest])).keys[0];
      assert.equal(JSON.stringify(loaded?.metadata), JSON.stringify(metadata));
      const revoked = await acme.revokeKey(key.id, hostile, origin(), null);
      assert(revoked.outcome === "revoked");
      assert.equal(revoked.key.revokedReason, hostile);
    }
  },

  "records are loaded in the order asked, with null for what is unknown": async (world) => {
    const known = [await world.stored("production"), await world.stored("development")] as const;
    const unknown = digestToken("sk_unknown");
    const asked = [known[1].digest, unknown, known[0].digest, known[1].digest];
    const { seq, keys } = await world.store.loadKeys(asked);
    assert.equal(seq, 0);
    assert.deepEqual(
      keys.map((key) => key?.id ?? null),
      [known[1].id, null, known[0].id, known[1].id],
    );
    assert.deepEqual(await world.store.loadKeys([]), { seq: 0, keys: [] });
  },

  "a batch larger than one statement is loaded whole": async ({ store, stored }) => {
    const first = await stored("production");
    const last = await stored("production");
    const unknown = Array.from({ length: 1_500 }, (_, index) => digestToken(`sk_${index}`));
    const { keys } = await store.loadKeys([first.digest, ...unknown, last.digest]);
    assert.equal(keys.length, 1_502);
    assert.equal(keys[0]?.id, first.id);
    assert.equal(keys.at(-1)?.id, last.id);
    assert.equal(keys.filter((key) => key !== null).length, 2);
  },

  "another spelling of a digest finds nothing": async ({ store, stored }) => {
    const { digest } = await stored("production");
    const last = digest.charCodeAt(42);
    // 43 characters carry 258 bits: the last two are of no account to a lenient decoder.
    const spellings = [1, 2, 3].map((add) => digest.slice(0, 42) + String.fromCharCode(last + add));
    const { keys } = await store.loadKeys([...spellings, `${digest}=`, "", "💥"]);
    assert.deepEqual(new Set(keys), new Set([null]));
  },

  "a loaded record names account and environment": async ({
    store,
    newAccount,
    newKey,
    origin,
  }) => {
    const account = newAccount("named", { externalId: "customer-17" });
    await store.createAccount(account, origin(), null);
    const key = newKey({ metadata: { plan: "pro" }, expiresAtMs: START_MS + 7 });
    await store.account(account.id).createKey("production", key, origin(), null);
    assert.deepEqual((await store.loadKeys([key.digest])).keys, [
      {
        id: key.id,
        type: "secret",
        metadata: { plan: "pro" },
        account: { id: account.id, slug: "named", externalId: "customer-17" },
        environment: { id: account.environments[1]?.id, slug: "production" },
        revokedAtMs: null,
        expiresAtMs: START_MS + 7,
      },
    ]);
  },

  "issuing a key writes no change": async ({
    acme,
    changes,
    newEnvironment,
    newKey,
    origin,
    stored,
  }) => {
    await stored("production");
    await acme.createEnvironment(newEnvironment("staging", [newKey()]), origin(), null);
    assert.deepEqual(await changes(), []);
  },

  "editing metadata writes a change, editing the description none": async (world) => {
    const { acme, origin } = world;
    const key = await world.stored("production", { metadata: { tier: "silver" } });
    const described = await acme.editKey(key.id, { description: "Billing" }, origin());
    assert(described.outcome === "edited");
    assert.equal(described.key.description, "Billing");
    assert.deepEqual(described.key.metadata, { tier: "silver" });
    assert.deepEqual(await world.changes(), []);

    const edited = await acme.editKey(key.id, { metadata: { tier: "gold" } }, origin());
    assert(edited.outcome === "edited");
    assert.equal(edited.key.description, "Billing");
    assert.deepEqual(
      (await world.changes()).map(({ kind, subject }) => [kind, subject]),
      [["key", key.digest]],
    );
    const loaded = await world.store.loadKeys([key.digest]);
    assert.equal(loaded.seq, 1);
    assert.deepEqual(loaded.keys[0]?.metadata, { tier: "gold" });
    assert.deepEqual(await acme.editKey("key_nobody", { description: "x" }, origin()), {
      outcome: "absent",
    });
  },

  "an edit that alters nothing writes nothing": async ({ acme, changes, db, origin, stored }) => {
    const key = await stored("production", { description: "same", metadata: { a: "b" } });
    const before = await db.selectFrom("audit_event").select("id").execute();
    await acme.editKey(key.id, { description: "same", metadata: { a: "b" } }, origin());
    assert.deepEqual(await changes(), []);
    assert.deepEqual(await db.selectFrom("audit_event").select("id").execute(), before);
  },

  "the last use of a key only moves forward": async ({ acme, changes, store, stored }) => {
    const key = await stored("production");
    const lastUsed = async () => (await acme.findKey(key.id))?.lastUsedAtMs;
    let number = 0;
    const use = (...atMs: number[]): Promise<void> => {
      const counts = atMs.map((lastAcceptedMs) => ({
        ...counted(key.id, { accepted: 1 }),
        lastAcceptedMs,
      }));
      number += 1;
      return store.recordUsage([batch("src_1", number, { counts })], START_MS + 9);
    };
    await use(START_MS + 5, START_MS + 3);
    assert.equal(await lastUsed(), START_MS + 5);
    await use(START_MS + 4);
    assert.equal(await lastUsed(), START_MS + 5);
    await use(START_MS + 6);
    assert.equal(await lastUsed(), START_MS + 6);
    assert.deepEqual(await changes(), []);
  },
};
