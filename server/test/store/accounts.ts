import assert from "node:assert/strict";
import { type Check, START_MS } from "./world.ts";

const ADA = { id: "per_ada", name: "Ada", email: "ada@example.com", passwordHash: "a-hash" };

export const accountPromises: Readonly<Record<string, Check>> = {
  "an account starts whole: environments, keys, tokens and owner": async (world) => {
    const { newAccount, newEnvironment, newKey, newToken, origin, store } = world;
    const key = newKey();
    const draft = newAccount("whole", {
      externalId: "customer-9",
      environments: [newEnvironment("development", [key])],
      owner: ADA,
    });
    const token = newToken("service", draft.id);
    const created = await store.createAccount({ ...draft, tokens: [token] }, origin(), null);
    assert(created.outcome === "created");
    assert.deepEqual(created.account, {
      id: draft.id,
      slug: "whole",
      name: "whole, Inc.",
      externalId: "customer-9",
      createdAtMs: START_MS,
      suspendedAtMs: null,
      revocation: null,
    });
    assert.deepEqual(await store.findAccount("whole"), created.account);
    assert.deepEqual(await store.findAccount(draft.id), created.account);
    assert.equal((await store.account(draft.id).findKey(key.id))?.environment.slug, "development");
    const { digest: _digest, hint: _hint, ...kept } = token;
    assert.deepEqual(await store.findToken(token.digest), kept);
    assert.deepEqual(await store.findMembership(ADA.id, "whole"), {
      account: created.account,
      role: "owner",
      twoFactorRequired: false,
    });
    assert.equal(await store.findMembership(ADA.id, "acme"), undefined);
    assert.equal(await store.findMembership("per_nobody", "whole"), undefined);
    const { passwordHash: _hash, ...person } = ADA;
    assert.deepEqual(await store.findPerson(ADA.email), { ...person, isProved: true });
    assert.equal(await store.findPerson("nobody@example.com"), undefined);
  },

  "one person may own several accounts": async ({ newAccount, origin, store }) => {
    await store.createAccount(newAccount("first", { owner: ADA }), origin(), null);
    await store.createAccount(newAccount("second", { owner: { id: ADA.id } }), origin(), null);
    const memberships = await store.listMemberships(ADA.id);
    assert.deepEqual(
      memberships.map(({ account, role }) => [account.slug, role]),
      [
        ["first", "owner"],
        ["second", "owner"],
      ],
    );
  },

  "an account that cannot be created leaves nothing behind": async (world) => {
    const { newAccount, newEnvironment, newKey, origin, store } = world;
    await store.createAccount(newAccount("taken", { externalId: "x", owner: ADA }), origin(), null);
    const rows = async () => [
      await world.db.selectFrom("account").select("id").execute(),
      await world.db.selectFrom("api_key").select("id").execute(),
      await world.db.selectFrom("person").select("id").execute(),
    ];
    const before = await rows();
    const environments = [newEnvironment("development", [newKey()])];
    const owner = { ...ADA, id: "per_2" };
    const outcomes = [
      await store.createAccount(newAccount("taken", { environments }), origin(), null),
      await store.createAccount(newAccount("free", { externalId: "x" }), origin(), null),
      await store.createAccount(newAccount("free", { environments, owner }), origin(), null),
    ].map(({ outcome }) => outcome);
    assert.deepEqual(outcomes, ["slug_taken", "external_id_taken", "person_exists"]);
    assert.deepEqual(await rows(), before);
  },

  "of many concurrent claims of one external id one is granted": async (world) => {
    const { newAccount, origin, store } = world;
    const claims = await Promise.all([
      ...Array.from({ length: 8 }, (_, index) =>
        store.createAccount(newAccount(`new-${index}`, { externalId: "x" }), origin(), null),
      ),
      store.updateAccount("acme", { externalId: "x" }, origin()),
      store.updateAccount("other", { externalId: "x" }, origin()),
    ]);
    const outcomes = claims.map(({ outcome }) => outcome);
    assert.equal(outcomes.filter((outcome) => outcome === "external_id_taken").length, 9);
    const accounts = await store.listAccounts({ size: 200 });
    assert(accounts.outcome === "page");
    assert.equal(accounts.entries.filter(({ externalId }) => externalId === "x").length, 1);
  },

  "name and external id change, and verifiers learn of it": async (world) => {
    const { changes, newAccount, origin, store } = world;
    await store.createAccount(newAccount("rival", { externalId: "theirs" }), origin(), null);
    const updated = await store.updateAccount(
      "acme",
      { name: "Acme Ltd", externalId: "ours" },
      origin(),
    );
    assert(updated.outcome === "updated");
    assert.deepEqual([updated.account.name, updated.account.externalId], ["Acme Ltd", "ours"]);
    assert.equal(updated.seq, undefined);
    assert.equal((await changes()).length, 1);
    assert.deepEqual(await store.leases.pendingRevocations(), []);

    assert.deepEqual(await store.updateAccount("acme", { externalId: "theirs" }, origin()), {
      outcome: "external_id_taken",
    });
    const cleared = await store.updateAccount("acme", { externalId: null }, origin());
    assert(cleared.outcome === "updated");
    assert.deepEqual([cleared.account.name, cleared.account.externalId], ["Acme Ltd", null]);
    assert.equal((await changes()).length, 2);
    const nothing = { name: "Acme Ltd", externalId: null, suspended: false };
    assert.deepEqual(await store.updateAccount("acme", nothing, origin()), cleared);
    assert.equal((await changes()).length, 2);
    assert.deepEqual(await store.updateAccount("nobody", { name: "x" }, origin()), {
      outcome: "absent",
      pendingSeq: null,
    });
  },

  "an environment is found by slug and id, renamed, and keeps its slug": async ({
    acme,
    changes,
    origin,
  }) => {
    const before = await acme.findEnvironment("production");
    assert.notEqual(before, undefined);
    const renamed = await acme.renameEnvironment("production", "Live", origin());
    assert.deepEqual(renamed, { outcome: "renamed", environment: { ...before, name: "Live" } });
    assert.deepEqual(await acme.findEnvironment(before?.id ?? ""), { ...before, name: "Live" });
    assert.deepEqual(await changes(), []);
  },

  "a token is found by its digest alone, and its last use only moves forward": async (world) => {
    const { db, newAccount, newToken, origin, store } = world;
    const draft = newAccount("tokens");
    const tokens = [newToken("service", draft.id), newToken("verifier", null)] as const;
    await store.createAccount({ ...draft, tokens }, origin(), null);
    for (const { digest, hint: _, ...kept } of tokens)
      assert.deepEqual(await store.findToken(digest), kept);
    assert.equal(await store.findToken("A".repeat(43)), undefined);
    assert.equal(await store.findToken(""), undefined);
    for (const atMs of [START_MS + 2, START_MS + 1, START_MS + 3, START_MS])
      await store.recordTokenUsed(tokens[0].id, atMs);
    const used = await db.selectFrom("access_token").select("last_used_at").orderBy("id").execute();
    assert.deepEqual(
      used.map((row) => row.last_used_at),
      [START_MS + 3, null],
    );
  },

  "a service token without an account, or another token with one, cannot be stored": async (
    world,
  ) => {
    const { newAccount, newToken, origin, store } = world;
    const draft = newAccount("tokens");
    for (const token of [newToken("service", null), newToken("operator", draft.id)])
      await assert.rejects(store.createAccount({ ...draft, tokens: [token] }, origin(), null));
    assert.equal(await store.findAccount("tokens"), undefined);
  },
};
