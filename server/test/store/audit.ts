import assert from "node:assert/strict";
import { type Check, START_MS, type World } from "./world.ts";

export const auditPromises: Readonly<Record<string, Check>> = {
  "every deed writes one audit event, which says who did it": async (world) => {
    const { acme, db, newEnvironment, newKey, origin, store } = world;
    const setUp = world.newAccount("first", {
      owner: { id: "per_1", name: "P", email: "p@example.com", passwordHash: "hash" },
    });
    const key = newKey();
    const token = world.newToken("verifier", null);
    const environment = newEnvironment("staging", [newKey()]);
    const deeds: [string, () => Promise<unknown>][] = [
      ["setup.completed", () => store.completeSetup(setUp, null, origin())],
      ["account.created", () => store.createAccount(world.newAccount("new"), origin(), null)],
      ["account.updated", () => store.updateAccount("acme", { name: "A" }, origin())],
      ["account.suspended", () => store.updateAccount("acme", { suspended: true }, origin())],
      ["account.unsuspended", () => store.updateAccount("acme", { suspended: false }, origin())],
      ["environment.created", () => acme.createEnvironment(environment, origin(), null)],
      ["environment.renamed", () => acme.renameEnvironment("staging", "S", origin())],
      ["api_key.created", () => acme.createKey("staging", key, origin(), null)],
      ["api_key.edited", () => acme.editKey(key.id, { description: "d" }, origin())],
      ["api_key.revoked", () => acme.revokeKey(key.id, "r", origin(), null)],
      ["environment.deleted", () => acme.deleteEnvironment("staging", origin())],
      ["account.deleted", () => store.deleteAccount("acme", origin())],
      ["access_token.created", () => store.operatorTokens.createToken(token, origin(), null)],
      [
        "access_token.deleted",
        () => store.operatorTokens.deleteToken(token.id, origin(), world.nextEventId),
      ],
    ];
    for (const [action, deed] of deeds) {
      const before = await events(world);
      await deed();
      const written = (await events(world)).slice(before.length);
      assert.deepEqual(
        written.map((event) => event.action),
        [action],
      );
      assert.deepEqual(
        [written[0]?.actor_id, written[0]?.actor_name, written[0]?.at, written[0]?.address],
        ["per_ada", "Ada Lovelace", START_MS, "192.0.2.7"],
      );
    }
    const revoked = await db
      .selectFrom("audit_event")
      .selectAll()
      .where("action", "=", "api_key.revoked")
      .executeTakeFirstOrThrow();
    assert.deepEqual(
      [revoked.account_id, revoked.environment_id, revoked.subject_type, revoked.subject_id],
      [acme.accountId, environment.id, "api_key", key.id],
    );
    const ofNoAccount = await db
      .selectFrom("audit_event")
      .select(["action", "subject_id", "details"])
      .where("account_id", "is", null)
      .execute();
    const { hint, id: subject_id, kind, name } = token;
    assert.deepEqual(
      ofNoAccount.map((event) => ({ ...event, details: JSON.parse(event.details) })),
      ["access_token.created", "access_token.deleted"].map((action) => ({
        action,
        subject_id,
        details: { kind, name, hint, expires_at: null },
      })),
    );
  },

  "a deed that came to nothing writes no audit event": async (world) => {
    const { acme, newEnvironment, newKey, origin, store } = world;
    const key = await world.stored("production");
    await acme.revokeKey(key.id, null, origin(), null);
    const before = await events(world);
    await acme.revokeKey(key.id, null, origin(), null);
    await acme.createKey("nowhere", newKey(), origin(), null);
    await acme.createEnvironment(newEnvironment("production"), origin(), null);
    await acme.deleteEnvironment("nowhere", origin());
    await acme.editKey("key_nobody", { description: "x" }, origin());
    await store.deleteAccount("nobody", origin());
    await store.operatorTokens.deleteToken("tok_nobody", origin(), world.nextEventId);
    await store.createAccount(world.newAccount("acme"), origin(), null);
    assert.deepEqual(await events(world), before);
  },

  "no audit event or idempotency record holds a token or a digest": async (world) => {
    const { acme, newEnvironment, newKey, newToken, once, origin, store } = world;
    const draft = world.newAccount("secretive");
    const token = newToken("service", draft.id);
    const verifier = newToken("verifier", null);
    const keys = [newKey(), newKey({ type: "public" }), newKey({ type: "public" })] as const;
    const environments = [newEnvironment("production", [keys[0]])];
    const account = { ...draft, environments, tokens: [token] };
    await store.createAccount(account, origin(), once("a"));
    await acme.createEnvironment(newEnvironment("staging", [keys[1]]), origin(), once("e"));
    await acme.createKey("production", keys[2], origin(), once("k"));
    await acme.editKey(keys[2].id, { metadata: { a: "b" } }, origin());
    await acme.revokeKey(keys[2].id, "leaked", origin(), once("r"));
    await store.operatorTokens.createToken(verifier, origin(), once("t"));
    await store.operatorTokens.deleteToken(verifier.id, origin(), world.nextEventId);
    const written = JSON.stringify([
      await events(world),
      await world.db.selectFrom("idempotency").selectAll().execute(),
    ]);
    assert(written.includes(keys[2].id));
    for (const { digest } of [token, verifier, ...keys]) {
      assert(!written.includes(digest));
      assert(!written.includes(Buffer.from(digest, "base64url").toString("hex")));
    }
    for (const key of keys) assert(key.token === null || !written.includes(key.token));
  },
};

function events({ db }: World) {
  return db.selectFrom("audit_event").selectAll().orderBy("id").execute();
}
