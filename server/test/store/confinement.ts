import assert from "node:assert/strict";
import type { AccountStore } from "../../src/store/store.ts";
import type { Check, World } from "./world.ts";

type Attempts = Readonly<Record<Exclude<keyof AccountStore, "accountId">, () => Promise<unknown>>>;

export const confinementPromises: Readonly<Record<string, Check>> = {
  "what belongs to another account answers like what is not there": async (world) => {
    const { acme, newEnvironment, newKey, origin, other } = world;
    const key = newKey({ description: "theirs" });
    await other.createEnvironment(newEnvironment("theirs", [key]), origin(), null);
    const before = await snapshot(world);

    const attempts = attemptsOf(world, key.id, "theirs");
    assert.deepEqual(
      Object.keys(attempts).sort(),
      Object.keys(acme)
        .filter((name) => name !== "accountId")
        .sort(),
    );
    const nothing = attemptsOf(world, "key_nothing", "nothing");
    for (const name of Object.keys(attempts) as (keyof Attempts)[])
      assert.deepEqual(await attempts[name](), await nothing[name](), name);

    assert.deepEqual(await snapshot(world), before);
  },

  "an environment's slug is free in every other account": async ({
    acme,
    newEnvironment,
    origin,
    other,
  }) => {
    const mine = await acme.createEnvironment(newEnvironment("shared"), origin(), null);
    const theirs = await other.createEnvironment(newEnvironment("shared"), origin(), null);
    assert.deepEqual([mine.outcome, theirs.outcome], ["created", "created"]);
    await acme.deleteEnvironment("shared", origin());
    assert.notEqual(await other.findEnvironment("shared"), undefined);
  },
};

/** Every method of acme's store, aimed at a key and an environment by name. */
function attemptsOf(world: World, keyId: string, slug: string): Attempts {
  const { acme, origin } = world;
  const filter = { environment: slug, status: "all", text: "", nowMs: 0 } as const;
  return {
    listEnvironments: async () => {
      const listed = await acme.listEnvironments({ size: 200 });
      assert(listed.outcome === "page");
      return listed.entries.map((environment) => environment.slug).sort();
    },
    // Creating takes nothing of another account; that a slug is free there is a promise of its own.
    createEnvironment: async () => {
      const taken = world.newEnvironment("production");
      return acme.createEnvironment(taken, origin(), null);
    },
    findEnvironment: () => acme.findEnvironment(slug),
    renameEnvironment: () => acme.renameEnvironment(slug, "Mine", origin()),
    deleteEnvironment: () => acme.deleteEnvironment(slug, origin()),
    listKeys: () => acme.listKeys(filter, { size: 200 }),
    createKey: () => acme.createKey(slug, world.newKey(), origin(), null),
    findKey: () => acme.findKey(keyId),
    editKey: () => acme.editKey(keyId, { description: "mine", metadata: { a: "b" } }, origin()),
    revokeKey: () => acme.revokeKey(keyId, "mine", origin(), null),
  };
}

/** Every row that a deed could have altered. */
async function snapshot({ db }: World): Promise<unknown> {
  const tables = ["environment", "api_key", "change", "revocation", "audit_event"] as const;
  return Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()));
}
