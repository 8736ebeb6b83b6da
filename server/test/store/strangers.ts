import assert from "node:assert/strict";
import { joined, stored } from "./people.ts";
import { type Check, KEPT, START_MS } from "./world.ts";

const DAY_MS = 24 * 60 * 60_000;

export const strangerPromises: Readonly<Record<string, Check>> = {
  "an address that nobody proved is free again after 7 days, unless it belongs somewhere or is signed in":
    async (world) => {
      const { db, store } = world;
      for (const id of ["per_stranger", "per_signed_in", "per_proved"]) await stored(world, id);
      await joined(world, { id: "per_member", accountId: world.acme.accountId });
      await db
        .updateTable("person")
        .set((eb) => ({ email_verified: eb.not("email_verified") }))
        .where("id", "!=", "per_proved")
        .execute();
      const at = new Date(START_MS).toISOString();
      await db
        .insertInto("session")
        .values({
          id: "ses_1",
          person_id: "per_signed_in",
          token: "of-a-test",
          expires_at: new Date(START_MS + 20 * DAY_MS).toISOString(),
          created_at: at,
          updated_at: at,
        })
        .execute();
      const left = async (atMs: number) => {
        await store.sweep(atMs, KEPT);
        const { eventId: _, ...by } = world.origin(atMs);
        await Promise.all([1, 2, 3].map(() => store.deleteStrangers(by, world.nextEventId)));
        const rows = await db.selectFrom("person").select("id").orderBy("id").execute();
        return rows.map(({ id }) => id);
      };
      const others = ["per_member", "per_proved", "per_signed_in"];
      assert.deepEqual(await left(START_MS + 7 * DAY_MS - 1), [...others, "per_stranger"]);
      assert.deepEqual(await left(START_MS + 7 * DAY_MS), others);
      // The session has ended by then.
      assert.deepEqual(await left(START_MS + 20 * DAY_MS), ["per_member", "per_proved"]);
      // One entry each, though three swept at once.
      const entries = await db
        .selectFrom("audit_event")
        .select(["subject_id", "account_id", "details"])
        .where("action", "=", "person.deleted")
        .orderBy("id")
        .execute();
      const told = entries.map(({ subject_id, account_id, details }) => [
        subject_id,
        account_id,
        Object.keys(JSON.parse(details)),
      ]);
      assert.deepEqual(told, [
        ["per_stranger", null, ["name", "email"]],
        ["per_signed_in", null, ["name", "email"]],
      ]);
    },
};
