import assert from "node:assert/strict";
import { digestToken } from "@latchkey/sdk/core";
import { sql } from "kysely";
import type { Role } from "../../src/store/store.ts";
import { actionsSince, emailOf, joined, originOf, rolesOf, stored } from "./people.ts";
import { type Check, KEPT, START_MS, type World } from "./world.ts";

const EMAIL = "new@example.com";
const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/** Invites to acme, by a link of this secret. */
function invite(
  world: World,
  secret: string,
  given: { email?: string; role?: Role; mailed?: boolean; openMax?: number } = {},
) {
  const { email = EMAIL, role = "admin", mailed = true, openMax = 100 } = given;
  const link = { digest: digestToken(secret), expiresAtMs: START_MS + HOUR_MS, mailed };
  const invitation = { ...link, id: world.id("inv"), email, role };
  return world.acme.invite(invitation, { permits: () => true, openMax }, world.origin());
}

const accept = (
  { store, origin }: World,
  secret: string,
  person: Parameters<World["store"]["acceptInvitation"]>[1],
  atMs = START_MS,
) => store.acceptInvitation(digestToken(secret), person, origin(atMs));

const newcomer = (world: World, email = EMAIL) => ({
  id: world.id("per"),
  name: "New",
  email,
  passwordHash: "a-hash",
});

export const invitationPromises: Readonly<Record<string, Check>> = {
  "a mailed link replaces whoever proved nothing, and one that was handed over nobody": async (
    world,
  ) => {
    const { db } = world;
    const squatter = newcomer(world);
    const own = world.newAccount("squat", { owner: squatter });
    await world.store.createAccount(own, world.origin(), null);
    await sql`update person set email_verified = not email_verified`.execute(db);
    const theirs = { ...newcomer(world), id: squatter.id, name: "Real", passwordHash: "theirs" };
    const replacing = { ...theirs, nextEventId: world.nextEventId };
    await invite(world, "handed", { mailed: false });
    assert.equal((await accept(world, "handed", replacing)).outcome, "person_exists");
    const passwords = async () =>
      (await db.selectFrom("credential").select("password").execute()).map(
        ({ password }) => password,
      );
    assert.deepEqual(await passwords(), ["a-hash"]);
    await invite(world, "mailed", { mailed: true });
    assert.equal((await accept(world, "mailed", replacing)).outcome, "accepted");
    assert.deepEqual(await passwords(), ["theirs"]);
    const person = { id: squatter.id, name: "Real", email: EMAIL, isProved: true };
    assert.deepEqual(await world.store.findPerson(EMAIL), person);
    const events = await db.selectFrom("audit_event").select(["action", "details"]).execute();
    const told = events.filter(({ details }) => details.includes("replaced_unproved_sign_in"));
    assert.deepEqual(
      told.map(({ action }) => action),
      ["member.joined"],
    );
    await world.db.deleteFrom("member").where("account_id", "=", world.acme.accountId).execute();
    await invite(world, "again", { mailed: true });
    const late = await accept(world, "again", { ...replacing, passwordHash: "another" });
    assert.equal(late.outcome, "person_exists");
    assert.deepEqual(await passwords(), ["theirs"]);
  },

  "of many who accept one invitation at once one does, and is one person": async (world) => {
    await invite(world, "secret");
    const before = (await actionsSince(world, world.acme.accountId)).length;
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () => accept(world, "secret", newcomer(world))),
    );
    const accepted = outcomes.filter(({ outcome }) => outcome === "accepted");
    assert.equal(accepted.length, 1);
    assert(outcomes.every(({ outcome }) => outcome === "accepted" || outcome === "absent"));
    assert.deepEqual(Object.values(await rolesOf(world, world.acme.accountId)), ["admin"]);
    const people = await world.db.selectFrom("person").select("email").execute();
    assert.deepEqual(people, [{ email: EMAIL }]);
    const actions = await actionsSince(world, world.acme.accountId, before);
    assert.deepEqual(actions, ["member.joined"]);
    assert.equal((await accept(world, "secret", newcomer(world))).outcome, "absent");
  },

  "an invitation that is accepted and cancelled at once comes to one of the two": async (world) => {
    for (let round = 0; round < 5; round += 1) {
      const email = `round-${round}@example.com`;
      const made = await invite(world, email, { email });
      assert(made.outcome === "created");
      const [accepted, cancelled] = await Promise.all([
        accept(world, email, newcomer(world, email)),
        world.acme.cancelInvitation(made.invitation.id, () => true, world.origin()),
      ]);
      const done = [accepted.outcome === "accepted", cancelled.outcome === "cancelled"];
      assert.deepEqual(done.filter(Boolean), [true]);
      const person = await world.store.findPerson(email);
      assert.equal(person !== undefined, done[0]);
    }
  },

  "inviting an address anew, also at once, leaves one invitation, whose link alone opens": async (
    world,
  ) => {
    const secrets = Array.from({ length: 8 }, (_, index) => `secret-${index}`);
    const outcomes = await Promise.all(secrets.map((secret) => invite(world, secret)));
    assert(outcomes.every(({ outcome }) => outcome === "created"));
    const listed = await world.acme.listInvitations({ size: 10 });
    assert(listed.outcome === "page" && listed.entries.length === 1);
    const found = await Promise.all(
      secrets.map((secret) => world.store.findOpenInvitation(digestToken(secret), START_MS)),
    );
    assert.equal(found.filter((each) => each !== undefined).length, 1);
    await invite(world, "newest", { role: "member" });
    for (const secret of secrets)
      assert.equal((await accept(world, secret, newcomer(world))).outcome, "absent");
    const done = await accept(world, "newest", newcomer(world));
    assert(done.outcome === "accepted" && done.role === "member");
  },

  "a link ends with its time, its account, its cancellation and its successor": async (world) => {
    const { acme, origin, store } = world;
    const opens = async (secret: string, atMs = START_MS) =>
      (await store.findOpenInvitation(digestToken(secret), atMs)) !== undefined;
    const made = await invite(world, "first");
    assert(made.outcome === "created");
    assert.deepEqual(
      [await opens("first"), await opens("first", START_MS + HOUR_MS - 1)],
      [true, true],
    );
    assert.equal(await opens("first", START_MS + HOUR_MS), false);
    const late = await accept(world, "first", newcomer(world), START_MS + HOUR_MS);
    assert.equal(late.outcome, "absent");
    const link = { digest: digestToken("second"), expiresAtMs: START_MS + DAY_MS, mailed: false };
    const renewed = await acme.renewInvitation(made.invitation.id, link, () => true, origin());
    assert(renewed.outcome === "sent");
    assert.deepEqual(
      [renewed.invitation.id, renewed.invitation.mailed, renewed.invitation.expiresAtMs],
      [made.invitation.id, false, START_MS + DAY_MS],
    );
    assert.deepEqual([await opens("first"), await opens("second")], [false, true]);
    await acme.cancelInvitation(made.invitation.id, () => true, origin());
    assert.equal(await opens("second"), false);
    await invite(world, "third");
    await store.deleteAccount("acme", origin());
    assert.equal(await opens("third"), false);
    assert.equal((await accept(world, "third", newcomer(world))).outcome, "absent");
    assert.equal(await store.findPerson(EMAIL), undefined);
  },

  "an invitation is for its address alone, and what is refused leaves it open": async (world) => {
    const { acme } = world;
    const [ada, bob] = [world.id("per"), world.id("per")];
    await stored(world, ada);
    await stored(world, bob);
    await invite(world, "for-ada", { email: emailOf(ada) });
    const before = (await actionsSince(world, acme.accountId)).length;
    const refused = [
      await accept(world, "for-ada", { id: bob, email: emailOf(bob) }),
      await accept(world, "for-ada", newcomer(world, emailOf(ada))),
    ];
    assert.deepEqual(
      refused.map(({ outcome }) => outcome),
      ["other_person", "person_exists"],
    );
    assert.deepEqual(await rolesOf(world, acme.accountId), {});
    assert.deepEqual(await actionsSince(world, acme.accountId, before), []);
    const done = await accept(world, "for-ada", { id: ada, email: emailOf(ada) });
    assert.equal(done.outcome, "accepted");
    assert.deepEqual(await rolesOf(world, acme.accountId), { [ada]: "admin" });
    assert.equal((await invite(world, "again", { email: emailOf(ada) })).outcome, "member");
  },

  "a member who holds an invitation as well keeps their role": async (world) => {
    const { acme } = world;
    const ada = world.id("per");
    await invite(world, "secret", { email: emailOf(ada), role: "owner" });
    await joined(world, { id: ada, accountId: acme.accountId, role: "support" });
    const done = await accept(world, "secret", { id: ada, email: emailOf(ada) });
    assert.equal(done.outcome, "member");
    assert.deepEqual(await rolesOf(world, acme.accountId), { [ada]: "support" });
  },

  "an address counts as proved only when its link went by mail alone": async (world) => {
    const isProved = async (email: string) => {
      const row = await world.db
        .selectFrom("person")
        .select("email_verified")
        .where("email", "=", email)
        .executeTakeFirstOrThrow();
      return Boolean(row.email_verified);
    };
    const joins = async (email: string, mailed: boolean, unmail = false) => {
      await invite(world, email, { email, mailed });
      if (unmail) await world.acme.markUnmailed(digestToken(email));
      await accept(world, email, newcomer(world, email));
      return isProved(email);
    };
    assert.equal(await joins("mailed@example.com", true), true);
    assert.equal(await joins("handed@example.com", false), false);
    assert.equal(await joins("refused@example.com", true, true), false);
  },

  "an account has no more open invitations than it may; expired ones do not count": async (
    world,
  ) => {
    const one = (email: string) => invite(world, email, { email, openMax: 2 });
    const outcomes = await Promise.all(
      ["a", "b", "c", "d"].map((name) => one(`${name}@x.example`)),
    );
    assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), [
      "created",
      "created",
      "too_many",
      "too_many",
    ]);
    // Replacing one makes none more.
    const listed = await world.acme.listInvitations({ size: 10 });
    assert(listed.outcome === "page");
    assert.equal((await one(listed.entries[0]?.email ?? "")).outcome, "created");
    await world.db.updateTable("invitation").set({ expires_at: START_MS }).execute();
    assert.equal((await one("e@x.example")).outcome, "created");
  },

  "whoever may not call an invitation off may not replace it": async (world) => {
    await invite(world, "an-owner", { role: "owner" });
    const before = (await actionsSince(world, world.acme.accountId)).length;
    const link = { digest: digestToken("mine"), expiresAtMs: START_MS + 1, mailed: false };
    const replaced = await world.acme.invite(
      { ...link, id: world.id("inv"), email: EMAIL, role: "member" },
      { permits: (_by, of) => of !== "owner", openMax: 9 },
      originOf(world, world.id("per")),
    );
    assert.deepEqual(replaced, { outcome: "forbidden" });
    assert.deepEqual(await actionsSince(world, world.acme.accountId, before), []);
    assert.equal((await accept(world, "an-owner", newcomer(world))).outcome, "accepted");
  },

  "an invitation is swept 30 days after it expired": async (world) => {
    await invite(world, "secret");
    const left = async (atMs: number) => {
      await world.store.sweep(atMs, KEPT);
      return (await world.db.selectFrom("invitation").select("id").execute()).length;
    };
    const expiredMs = START_MS + HOUR_MS;
    assert.equal(await left(expiredMs + 30 * DAY_MS - 1), 1);
    assert.equal(await left(expiredMs + 30 * DAY_MS), 0);
  },
};
