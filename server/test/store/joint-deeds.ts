import assert from "node:assert/strict";
import { sql } from "kysely";
import { GroundsChanged } from "../../src/store/store.ts";
import { type Check, START_MS, type World } from "./world.ts";

const ADA = "ada@example.com";

/** What engines promise of deeds of which better-auth does a part. */
export const jointDeedPromises: Readonly<Record<string, Check>> = {
  "what two write in a joint deed is there together, and both see it before": async (world) => {
    const { store, db } = await withAda(world);
    const outcome = await store.jointly(null, async ({ hasWritten }) => {
      assert.equal(hasWritten(), false);
      await rename(world, "Grace");
      assert.equal(hasWritten(), true);
      await store.recordPersonDeed("person.sessions_ended", "per_1", world.origin());
      assert.equal((await store.findPerson(ADA))?.name, "Grace");
      return "done";
    });
    assert.equal(outcome, "done");
    assert.deepEqual(await told(world), ["Grace", 1]);
    // Over, its place is free for others, and for itself.
    await Promise.all([rename(world, "Lin"), store.findPerson(ADA)]);
    assert.equal((await db.selectFrom("person").select("name").executeTakeFirst())?.name, "Lin");
  },

  "nothing of a joint deed stays that was undone, or that threw, or of which one statement failed":
    async (world) => {
      const { store, db } = await withAda(world);
      const both = async () => {
        await rename(world, "Grace");
        await store.recordPersonDeed("person.sessions_ended", "per_1", world.origin());
      };
      const undone = await store.jointly<string>(null, async ({ undo }) => {
        await both();
        return undo("undone");
      });
      assert.equal(undone, "undone");
      const thrown = store.jointly(null, async () => {
        await both();
        throw new Error("in the middle");
      });
      await assert.rejects(thrown, /in the middle/);
      // A transaction in it is a part of it, and fails the whole, though nobody says so.
      const partly = store.jointly(null, async () => {
        await both();
        await db
          .transaction()
          .execute(async (trx) => {
            await trx.updateTable("person").set({ name: "Lin" }).execute();
            throw new Error("in a part");
          })
          .catch(() => {});
      });
      await assert.rejects(partly, /a part of a joint deed was undone/);
      const refused = store.jointly(null, async () => {
        await both();
        await sql`insert into person (id) values (null)`.execute(db);
      });
      await assert.rejects(refused);
      assert.deepEqual(await told(world), ["Ada", 0]);
    },

  "a joint deed tells others once it is kept, and nobody when it is undone": async (world) => {
    const { store } = await withAda(world);
    const told: string[] = [];
    store.whenKept(() => void told.push("at once"));
    await store.jointly(null, async () => {
      await rename(world, "Grace");
      store.whenKept(() => void told.push("kept"));
      assert.deepEqual(told, ["at once"]);
    });
    await store.jointly<void>(null, async ({ undo }) => {
      store.whenKept(() => void told.push("undone"));
      undo();
    });
    assert.deepEqual(told, ["at once", "kept"]);
  },

  "a statement that failed fails the whole, though nobody minds, and one that altered nothing wrote nothing":
    async (world) => {
      const { store, db } = await withAda(world);
      const swallowed = store.jointly(null, async () => {
        await rename(world, "Grace");
        await sql`insert into person (id) values (null)`.execute(db).catch(() => {});
        return "fine";
      });
      await assert.rejects(swallowed);
      assert.deepEqual(await told(world), ["Ada", 0]);
      const nothing = await store.jointly(null, async ({ hasWritten }) => {
        await db.deleteFrom("session").execute();
        await db.updateTable("person").set({ name: "Lin" }).where("id", "=", "nobody").execute();
        return hasWritten();
      });
      assert.equal(nothing, false);
    },

  "what comes after the end of a joint deed is refused, and so is one within another": async (
    world,
  ) => {
    const { store } = await withAda(world);
    let late: Promise<unknown> = Promise.resolve();
    await store.jointly(null, async () => {
      late = new Promise((resolve) => setImmediate(resolve))
        .then(() => rename(world, "Grace"))
        .then(
          () => "done",
          (error: unknown) => String(error),
        );
    });
    assert.match(String(await late), /a joint deed that is over/);
    const nested = store.jointly(null, () => store.jointly(null, async () => "within"));
    await assert.rejects(nested, /a joint deed within a joint deed/);
    assert.deepEqual(await told(world), ["Ada", 0]);
  },

  "joint deeds to one person wait for each other": async (world) => {
    const { store, db } = await withAda(world);
    const add = (letter: string) =>
      store.jointly({ personId: "per_1" }, async () => {
        await store.recordPersonDeed("person.sessions_ended", "per_1", world.origin());
        const name = (await store.findPerson(ADA))?.name ?? "";
        await db
          .updateTable("person")
          .set({ name: `${name}${letter}` })
          .execute();
      });
    await Promise.all(["b", "c", "d", "e", "f", "g"].map(add));
    const [name = "", entries] = await told(world);
    assert.deepEqual([[...name.slice(3)].toSorted().join(""), entries], ["bcdefg", 6]);
  },

  "a joint deed that has only read holds nobody up": async (world) => {
    const { store } = await withAda(world);
    await store.jointly(null, async ({ hasWritten }) => {
      await store.findPerson(ADA);
      // As while a password is hashed: another deed comes and goes.
      await world.acme.setTwoFactorRequired(true, world.origin());
      assert.equal(hasWritten(), false);
      await rename(world, "Grace");
    });
    assert.equal((await store.findPerson(ADA))?.name, "Grace");
  },

  "of joint deeds on the same grounds one is done, and the others learn that these are others now":
    async (world) => {
      const { store } = await withAda(world);
      const grounds = await store.findGrounds({ email: ADA });
      assert(grounds !== undefined);
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          store
            .jointly(grounds, async () => {
              await world.db
                .updateTable("credential")
                .set({ password: `hash ${index}` })
                .execute();
              await store.recordPasswordSet("person.password_changed", "per_1", world.origin());
              return "done";
            })
            .catch((error: unknown) => (error instanceof GroundsChanged ? "too late" : error)),
        ),
      );
      assert.deepEqual(outcomes.toSorted(), ["done", ...Array(5).fill("too late")]);
      const events = await world.db
        .selectFrom("audit_event")
        .select("id")
        .where("action", "=", "person.password_changed")
        .execute();
      assert.equal(events.length, 1);
    },

  "that a joint deed could not begin is what it ends with, whatever is made of it": async (
    world,
  ) => {
    const { store } = await withAda(world);
    const grounds = await store.findGrounds({ email: ADA });
    assert(grounds !== undefined);
    await world.db.updateTable("credential").set({ password: "another" }).execute();
    const swallowed = store.jointly(grounds, () => rename(world, "Grace").catch(() => "fine"));
    await assert.rejects(swallowed, GroundsChanged);
    const undone = store.jointly<string>(grounds, async ({ undo }) => {
      await rename(world, "Grace").catch(() => {});
      return undo("undone");
    });
    await assert.rejects(undone, GroundsChanged);
    assert.deepEqual(await told(world), ["Ada", 0]);
  },
};

async function withAda(world: World): Promise<World> {
  const owner = { id: "per_1", name: "Ada", email: ADA, passwordHash: "a hash" };
  await world.store.createAccount(world.newAccount("hers", { owner }), world.origin(), null);
  return world;
}

/** As better-auth writes: by the database that it was given. */
async function rename({ db }: World, name: string): Promise<void> {
  await sql`update person set name = ${name}, updated_at = ${new Date(START_MS).toISOString()}`.execute(
    db,
  );
}

/** The name that Ada has, and how often the log tells of her. */
async function told({ store, db }: World): Promise<[string | undefined, number]> {
  const events = await db
    .selectFrom("audit_event")
    .select("id")
    .where("action", "=", "person.sessions_ended")
    .execute();
  return [(await store.findPerson(ADA))?.name, events.length];
}
