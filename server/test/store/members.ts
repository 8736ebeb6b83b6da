import assert from "node:assert/strict";
import { digestToken } from "@latchkey/sdk/core";
import type { Role } from "../../src/store/store.ts";
import { actionsSince, emailOf, joined, originOf, rolesOf } from "./people.ts";
import { type Check, START_MS, type World } from "./world.ts";

/** What a deed to this person is asked with; whoever asks may. */
const ask = (world: World, id: string) => ({
  id,
  permits: () => true,
  keepsInvitation: () => true,
  nextEventId: world.nextEventId,
});

/** Owners of acme, by their ids. */
async function owners(world: World, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => world.id("per"));
  for (const id of ids) await joined(world, { id, accountId: world.acme.accountId });
  return ids;
}

/** Invites to acme as this person, by a link whose secret is the address. */
function invite(world: World, by: string, email: string, role: Role) {
  const link = { digest: digestToken(email), expiresAtMs: START_MS + 1_000, mailed: false };
  const invitation = { ...link, id: world.id("inv"), email, role };
  return world.acme.invite(invitation, { permits: () => true, openMax: 10 }, originOf(world, by));
}

const count = (outcomes: readonly { outcome: string }[], outcome: string): number =>
  outcomes.filter((one) => one.outcome === outcome).length;

export const memberPromises: Readonly<Record<string, Check>> = {
  "of owners who all leave at once one stays": async (world) => {
    const { acme } = world;
    const ids = await owners(world, 8);
    const outcomes = await Promise.all(
      ids.map((id) => acme.removeMember(ask(world, id), originOf(world, id))),
    );
    assert.deepEqual([count(outcomes, "removed"), count(outcomes, "last_owner")], [7, 1]);
    const left = await rolesOf(world, acme.accountId);
    assert.deepEqual(Object.values(left), ["owner"]);
    assert.deepEqual(
      (await actionsSince(world, acme.accountId)).filter((action) => action.startsWith("member.")),
      Array(7).fill("member.left"),
    );
  },

  "of owners who are demoted and removed at once, whoever does it, one stays": async (world) => {
    const { acme } = world;
    const ids = await owners(world, 6);
    const outcomes = await Promise.all(
      ids.flatMap((id, index) => {
        const by = originOf(world, ids[(index + 1) % ids.length] ?? "");
        return [
          acme.changeRole({ ...ask(world, id), role: "admin" }, by),
          acme.removeMember(ask(world, id), { ...by, eventId: world.nextEventId() }),
        ];
      }),
    );
    const left = Object.values(await rolesOf(world, acme.accountId));
    assert.equal(left.filter((role) => role === "owner").length, 1);
    assert(count(outcomes, "last_owner") >= 1);
  },

  "the last owner keeps the role, and another may take it over": async (world) => {
    const { acme } = world;
    const [first = ""] = await owners(world, 1);
    const second = world.id("per");
    await joined(world, { id: second, accountId: acme.accountId, role: "member" });
    const change = (id: string, role: Role) =>
      acme.changeRole({ ...ask(world, id), role }, originOf(world, first));
    assert.deepEqual(await change(first, "admin"), { outcome: "last_owner" });
    assert.deepEqual(await acme.removeMember(ask(world, first), originOf(world, first)), {
      outcome: "last_owner",
    });
    assert.equal((await change(first, "owner")).outcome, "changed");
    assert.equal((await change(second, "owner")).outcome, "changed");
    assert.equal((await change(first, "support")).outcome, "changed");
    assert.deepEqual(await rolesOf(world, acme.accountId), {
      [first]: "support",
      [second]: "owner",
    });
  },

  "a role is judged by what whoever asks is when the deed is done": async (world) => {
    const { acme } = world;
    const [ada = "", bob = ""] = await owners(world, 2);
    const ownersOnly = { permits: (by: Role | null) => by === "owner" };
    // Each removes the other: whoever comes second is nobody any more.
    const outcomes = await Promise.all([
      acme.removeMember({ ...ask(world, ada), ...ownersOnly }, originOf(world, bob)),
      acme.removeMember({ ...ask(world, bob), ...ownersOnly }, originOf(world, ada)),
    ]);
    assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ["forbidden", "removed"]);
    assert.equal(Object.keys(await rolesOf(world, acme.accountId)).length, 1);
    const stranger = world.id("per");
    await joined(world, { id: stranger, accountId: world.other.accountId });
    const asked: (Role | null)[] = [];
    const noting = (by: Role | null) => asked.push(by) < 0;
    await acme.removeMember({ ...ask(world, ada), permits: noting }, originOf(world, stranger));
    await acme.removeMember({ ...ask(world, ada), permits: noting }, world.origin());
    assert.deepEqual(asked, [null, null]);
  },

  "a role that is given again alters nothing, and what is refused writes nothing": async (
    world,
  ) => {
    const { acme } = world;
    const [ada = ""] = await owners(world, 2);
    const before = (await actionsSince(world, acme.accountId)).length;
    const same = await acme.changeRole({ ...ask(world, ada), role: "owner" }, world.origin());
    assert.equal(same.outcome, "changed");
    const refuse = { permits: () => false };
    const denied = { ...ask(world, ada), ...refuse, role: "member" } as const;
    assert.deepEqual(await acme.changeRole(denied, world.origin()), { outcome: "forbidden" });
    assert.deepEqual(await acme.removeMember(denied, world.origin()), { outcome: "forbidden" });
    const nobody = ask(world, "per_nobody");
    assert.deepEqual(await acme.removeMember(nobody, world.origin()), { outcome: "absent" });
    assert.deepEqual(await actionsSince(world, acme.accountId, before), []);
    assert.equal((await rolesOf(world, acme.accountId))[ada], "owner");
  },

  "a member is told with how many living keys of the account they made": async (world) => {
    const { acme, db, other } = world;
    const ada = "per_ada"; // whom the keys of this world are made by
    await joined(world, { id: ada, accountId: acme.accountId });
    await joined(world, { id: world.id("per"), accountId: acme.accountId });
    await world.stored("production");
    await world.stored("development", { expiresAtMs: START_MS + 1_000 });
    const revoked = await world.stored("production");
    await acme.revokeKey(revoked.id, null, world.origin(), null);
    const gone = world.newEnvironment("gone", [world.newKey()]);
    await acme.createEnvironment(gone, world.origin(), null);
    await acme.deleteEnvironment("gone", world.origin());
    await other.createKey("production", world.newKey(), world.origin(), null);
    const keysAt = async (nowMs: number) => (await acme.findMember(ada, nowMs))?.activeKeys;
    assert.deepEqual([await keysAt(START_MS), await keysAt(START_MS + 1_000)], [2, 1]);
    const listed = await acme.listMembers({ size: 10 }, START_MS);
    assert(listed.outcome === "page");
    assert.deepEqual(
      listed.entries.map(({ id, activeKeys }) => [id, activeKeys]),
      [
        [ada, 2],
        [listed.entries[1]?.id, 0],
      ],
    );
    await db.updateTable("person").set({ name: "Ada" }).where("id", "=", ada).execute();
    await joined(world, { id: world.id("per"), accountId: acme.accountId });
    assert.deepEqual(await acme.removeMember(ask(world, ada), world.origin()), {
      outcome: "removed",
      member: {
        id: ada,
        name: "Ada",
        email: emailOf(ada),
        role: "owner",
        twoFactor: false,
        joinedAtMs: START_MS,
        activeKeys: 2,
        activeServiceTokens: 0,
      },
    });
    // The keys live on, and go on saying who made them.
    const filter = { status: "active", lastUsed: "any", expires: "any", text: "" } as const;
    const theirs = { ...filter, environment: null, createdBy: ada, nowMs: START_MS };
    const keys = await acme.listKeys(theirs, { size: 10 });
    assert(keys.outcome === "page");
    assert.deepEqual(keys.entries.map((key) => key.environment.slug).sort(), [
      "development",
      "production",
    ]);
    const none = await acme.listKeys({ ...theirs, createdBy: "per_bob" }, { size: 10 });
    assert(none.outcome === "page" && none.entries.length === 0);
  },

  "open invitations go with whoever made their links, and with a role that may not": async (
    world,
  ) => {
    const { acme } = world;
    const [ada = "", bob = ""] = await owners(world, 2);
    await invite(world, ada, "owner@x.example", "owner");
    await invite(world, ada, "member@x.example", "member");
    await invite(world, bob, "bobs@x.example", "owner");
    const open = async () => {
      const listed = await acme.listInvitations({ size: 10 });
      assert(listed.outcome === "page");
      return listed.entries.map(({ email }) => email).sort();
    };
    const demoted = { ...ask(world, ada), role: "admin" as const };
    const keeps = (role: Role) => role !== "owner";
    const before = (await actionsSince(world, acme.accountId)).length;
    await acme.changeRole({ ...demoted, keepsInvitation: keeps }, originOf(world, bob));
    assert.deepEqual(await open(), ["bobs@x.example", "member@x.example"]);
    const none = { ...ask(world, ada), keepsInvitation: () => false };
    await acme.removeMember(none, originOf(world, bob));
    assert.deepEqual(await open(), ["bobs@x.example"]);
    assert.deepEqual((await actionsSince(world, acme.accountId, before)).sort(), [
      "invitation.cancelled",
      "invitation.cancelled",
      "member.removed",
      "member.role_changed",
    ]);
  },

  "whoever goes is invited by nobody any more, and whoever comes by a link is not invited": async (
    world,
  ) => {
    const { acme, store } = world;
    const [ada = "", bob = ""] = await owners(world, 2);
    const cancelled = async () =>
      (
        await world.db
          .selectFrom("audit_event")
          .select("details")
          .where("action", "=", "invitation.cancelled")
          .orderBy("id")
          .execute()
      ).map(({ details }) => JSON.parse(details));
    await invite(world, ada, "vic@example.com", "owner");
    await invite(world, ada, "other@example.com", "owner");
    const link = {
      id: world.id("sil"),
      email: "vic@example.com",
      name: "Vic",
      role: "support",
      digest: digestToken("link"),
      expiresAtMs: START_MS + 1_000,
    } as const;
    const slug = (await acme.findOwnAccount())?.slug ?? "";
    await store.createSignInLink(slug, link, world.origin());
    const opened = await store.openSignInLink(link.digest, {
      newPersonId: world.id("per"),
      atMs: START_MS,
      originOf: ({ id }) => originOf(world, id),
    });
    assert(opened.outcome === "opened");
    const vic = opened.personId;
    assert.equal(
      await store.findOpenInvitation(digestToken("vic@example.com"), START_MS),
      undefined,
    );
    const because = { email: "vic@example.com", role: "owner", because_of: vic };
    const [first, ...rest] = await cancelled();
    assert.deepEqual({ ...first, ...because }, first);
    assert.deepEqual(rest, []);
    // One that was open while they were a member, as an earlier release left it.
    await invite(world, ada, "later@example.com", "owner");
    await world.db
      .updateTable("invitation")
      .set({ email: "vic@example.com" })
      .where("email", "=", "later@example.com")
      .execute();
    await acme.removeMember(
      { ...ask(world, vic), keepsInvitation: () => false },
      originOf(world, bob),
    );
    assert.equal(
      await store.findOpenInvitation(digestToken("later@example.com"), START_MS),
      undefined,
    );
    assert.equal((await cancelled()).at(-1)?.because_of, vic);
    assert.equal((await cancelled()).length, 2);
    assert(await store.findOpenInvitation(digestToken("other@example.com"), START_MS));
  },

  "nobody makes more accounts of their own than they may, however many at once": async (world) => {
    const { newAccount, origin, store } = world;
    const ada = world.id("per");
    await joined(world, { id: ada, accountId: world.acme.accountId });
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        store.createAccount(newAccount(`mine-${index}`, { owner: { id: ada } }), origin(), null, 4),
      ),
    );
    assert.deepEqual([count(outcomes, "created"), count(outcomes, "too_many")], [3, 5]);
    assert.equal((await store.listMemberships(ada)).length, 4);
    await store.deleteAccount("acme", origin());
    const again = newAccount("again", { owner: { id: ada } });
    assert.equal((await store.createAccount(again, origin(), null, 4)).outcome, "created");
  },
};
