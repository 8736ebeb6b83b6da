import assert from "node:assert/strict";
import { betterAuth } from "better-auth";
import { hashPassword } from "better-auth/crypto";
import { getMigrations } from "better-auth/db/migration";
import { twoFactor } from "better-auth/plugins/two-factor";
import { test } from "vitest";
import type { OpenStore } from "../../src/store/kysely-store.ts";
import { SIGN_IN_SCHEMA, TWO_FACTOR_SCHEMA } from "../../src/store/sign-in-schema.ts";
import { KEPT, makeWorld, START_MS } from "./world.ts";

/** Holds an engine to being a database for better-auth as well. */
export function testSignIn(type: "sqlite" | "postgres", open: () => Promise<OpenStore>): void {
  test(`${type}: better-auth has nothing to add to the migrated schema`, async () => {
    const { store, db } = await open();
    const complaints: string[] = [];
    const plan = await getMigrations({
      ...SIGN_IN_SCHEMA,
      database: { db, type },
      plugins: [twoFactor({ schema: TWO_FACTOR_SCHEMA })],
      logger: { level: "warn", log: (_level, message) => complaints.push(message) },
    });
    assert.deepEqual(
      [plan.toBeCreated, plan.toBeAdded, plan.toBeAddedIndexes, plan.unsafeChanges],
      [[], [], [], []],
    );
    assert.deepEqual(plan.schemaProblems, []);
    assert.deepEqual(complaints, []);
    await store.close();
  });

  test(`${type}: the owner whom set-up made signs in, and the session is swept when it has ended`, async () => {
    const { store, db } = await open();
    const world = await makeWorld(store, db);
    const password = "correct horse battery staple";
    const owner = {
      id: "per_1",
      name: "Ada",
      email: "ada@example.com",
      passwordHash: await hashPassword(password),
    };
    await store.completeSetup(world.newAccount("first", { owner }), null, world.origin());
    const auth = betterAuth({
      ...SIGN_IN_SCHEMA,
      baseURL: "http://127.0.0.1:4400",
      secret: "a secret of the tests, of more than 32 characters",
      database: { db, type },
      logger: { disabled: true },
      emailAndPassword: { enabled: true, requireEmailVerification: true },
      plugins: [twoFactor({ schema: TWO_FACTOR_SCHEMA })],
    });
    const { user } = await auth.api.signInEmail({ body: { email: owner.email, password } });
    assert.equal(user.id, owner.id);
    assert.equal(user.createdAt.getTime(), START_MS);
    await assert.rejects(auth.api.signInEmail({ body: { email: owner.email, password: "guess" } }));
    const sessions = () => db.selectFrom("session").select("person_id").execute();
    assert.deepEqual(await sessions(), [{ person_id: "per_1" }]);
    await store.sweep(START_MS * 2, KEPT);
    assert.deepEqual(await sessions(), []);
    await store.close();
  });
}
