import assert from "node:assert/strict";
import { digestToken } from "@latchkey/sdk/core";
import { sql } from "kysely";
import { type Check, START_MS, type World } from "./world.ts";

const DIGEST = digestToken("a link's secret");
const GRACE = "grace@example.com";

/** What engines promise of links that sign somebody in, and of people's sign-ins. */
export const signInLinkPromises: Readonly<Record<string, Check>> = {
  "of many concurrent openings of a link one makes the person and the membership": async (
    world,
  ) => {
    await createLink(world, DIGEST);
    const opened = await Promise.all(Array.from({ length: 12 }, () => open(world, DIGEST)));
    const outcomes = opened.map(({ outcome }) => outcome).sort();
    assert.deepEqual(outcomes, [...Array(11).fill("absent"), "opened"]);
    assert.deepEqual(await actions(world), [
      "sign_in_link.created",
      "sign_in_link.opened",
      "member.joined",
    ]);
  },

  "many links of one address, opened at once, make one person and one membership": async (
    world,
  ) => {
    const digests = Array.from({ length: 8 }, (_, index) => digestToken(`secret ${index}`));
    for (const digest of digests) await createLink(world, digest);
    const opened = await Promise.all(digests.map((digest) => open(world, digest)));
    const people = opened.map((each) => (each.outcome === "opened" ? each.personId : each.outcome));
    assert.equal(new Set(people).size, 1);
    const joined = (await actions(world)).filter((action) => action === "member.joined");
    assert.equal(joined.length, 1);
  },

  "a link opens until it expires, and is used up by trying later": async (world) => {
    await createLink(world, DIGEST);
    assert.equal((await open(world, DIGEST, START_MS + 60_000)).outcome, "absent");
    assert.equal((await open(world, DIGEST, START_MS)).outcome, "absent");
    assert.deepEqual(await people(world), []);
  },

  "requiring the second factor is told once, and ends links": async (world) => {
    await createLink(world, DIGEST);
    const required = await Promise.all(
      Array.from({ length: 5 }, () => world.acme.setTwoFactorRequired(true, world.origin())),
    );
    for (const each of required)
      assert(each.outcome === "set" && each.account.twoFactorRequired === true);
    const told = (await actions(world)).filter((action) => action === "account.updated");
    assert.equal(told.length, 1);
    assert.equal((await open(world, DIGEST)).outcome, "two_factor_required");
    assert.equal(await createLink(world, digestToken("another")), "two_factor_required");
    assert.deepEqual(await people(world), []);
  },

  "a person whose address was proved keeps their sign-in, whatever opens": async (world) => {
    const owner = { id: "per_1", name: "Grace", email: GRACE, passwordHash: "kept" };
    await world.store.createAccount(world.newAccount("hers", { owner }), world.origin(), null);
    await createLink(world, DIGEST);
    const opened = await open(world, DIGEST);
    assert(opened.outcome === "opened");
    assert.equal(opened.personId, "per_1");
    assert.deepEqual(await passwords(world), ["kept"]);
  },

  "a reset proves an address, a change does not; password and second factor stay": async (
    world,
  ) => {
    await unproved(world);
    await world.store.recordPasswordSet("person.password_changed", "per_1", world.origin());
    assert.equal(await isProved(world), false);
    await world.store.recordPasswordSet("person.password_reset", "per_1", world.origin());
    assert.equal(await isProved(world), true);
    assert.deepEqual(await passwords(world), ["kept"]);
    assert.deepEqual(await factors(world), { rows: 1, enabled: true });
    assert.deepEqual(await factorsEnded(world), []);
  },

  "a link takes an unproved address over: password, second factor and sessions are gone, and the log says so":
    async (world) => {
      await unproved(world);
      await createLink(world, DIGEST);
      const opened = await open(world, DIGEST);
      assert(opened.outcome === "opened" && opened.personId === "per_1");
      assert.deepEqual([await isProved(world), await signedIn(world)], [true, 0]);
      assert.deepEqual(await passwords(world), []);
      assert.deepEqual(await factors(world), { rows: 0, enabled: false });
      assert.deepEqual(await factorsEnded(world), ["per_1"]);
    },

  "a sign-in that began while its grounds were changed is ended, also by a change that is not committed yet":
    async (world) => {
      await unproved(world);
      const grounds = await world.store.findGrounds({ email: GRACE });
      assert(grounds?.personId === "per_1");
      assert.equal(await world.store.confirmGrounds(grounds, "ses_1"), true);
      assert.equal(await signedIn(world), 1);
      // Each of the two below finds a connection at hand.
      await Promise.all([1, 2, 3].map(() => world.store.confirmGrounds(grounds, null)));
      let judged: boolean | undefined;
      const judging = await world.db.transaction().execute(async (trx) => {
        // As whoever takes an address over does it: the person's row first.
        await sql`update person set email_verified = true`.execute(trx);
        const later = world.store.confirmGrounds(grounds, "ses_1").then((holds) => {
          judged = holds;
        });
        // Time enough for whoever does not wait.
        for (let count = 0; count < 1_000 && judged === undefined; count++)
          await sql`select 1`.execute(trx);
        await trx.deleteFrom("credential").execute();
        assert.equal(judged, undefined);
        return { later };
      });
      await judging.later;
      assert.equal(judged, false);
      assert.equal(await signedIn(world), 0);
      assert.equal(await world.store.findGrounds({ id: "per_1" }), undefined);
    },

  "a password set anew is other grounds, and so is a second factor": async (world) => {
    await unproved(world);
    const find = () => world.store.findGrounds({ id: "per_1" });
    const first = await find();
    assert(first !== undefined);
    await world.db.updateTable("credential").set({ password: "another salt's" }).execute();
    assert.equal(await world.store.confirmGrounds(first, null), false);
    const second = await find();
    assert(second !== undefined);
    assert.equal(await signedIn(world), 1);
    await world.store.removeSecondFactor("per_1", world.origin());
    assert.equal(await world.store.confirmGrounds(second, "ses_1"), false);
    assert.equal(await signedIn(world), 0);
  },

  "removing the second factor is told once": async (world) => {
    await unproved(world);
    assert.equal(await world.store.removeSecondFactor("per_1", world.origin()), true);
    assert.equal(await world.store.removeSecondFactor("per_1", world.origin()), false);
    assert.deepEqual(await factors(world), { rows: 0, enabled: false });
    assert.deepEqual(await factorsEnded(world), ["per_1"]);
  },

  "an account for an address that nobody proved is for nobody who signed in before": async (
    world,
  ) => {
    const { db, newAccount, nextEventId, origin, store } = world;
    const squatter = { id: "per_1", name: "Grace", email: GRACE, passwordHash: "a stranger's" };
    await store.createAccount(newAccount("own", { owner: squatter }), origin(), null);
    await sql`update person set email_verified = not email_verified, two_factor_enabled = true`.execute(
      db,
    );
    await sql`insert into session (id, person_id, token, expires_at, created_at, updated_at)
      select 'ses_1', id, 'token', created_at, created_at, created_at from person`.execute(db);
    await sql`insert into verification (id, identifier, value, expires_at, created_at, updated_at)
      select 'ver_1', 'reset', id, created_at, created_at, created_at from person`.execute(db);
    const owner = { id: "per_1", nextEventId };
    const taken = await store.createAccount(newAccount("own", { owner }), origin(), null);
    assert.equal(taken.outcome, "slug_taken");
    assert.deepEqual([await isProved(world), await passwords(world)], [false, ["a stranger's"]]);
    const made = await store.createAccount(newAccount("theirs", { owner }), origin(), null);
    assert(made.outcome === "created" && made.replacedSignIn);
    assert.deepEqual([await isProved(world), await passwords(world)], [true, []]);
    for (const table of ["session", "verification"] as const)
      assert.deepEqual(await db.selectFrom(table).select("id").execute(), []);
    const events = await db.selectFrom("audit_event").select(["action", "details"]).execute();
    const told = events.filter(({ details }) => details.includes("replaced_unproved_sign_in"));
    assert.deepEqual(
      told.map(({ action }) => action),
      ["account.created"],
    );
    const factor = events.filter(({ action }) => action === "person.two_factor_disabled");
    assert.equal(factor.length, 1);
    // Proved now: another account changes nothing of how they sign in.
    const again = await store.createAccount(newAccount("second", { owner }), origin(), null);
    assert(again.outcome === "created" && !again.replacedSignIn);
  },
};

async function createLink(world: World, digest: string): Promise<string> {
  const slug = (await world.acme.findOwnAccount())?.slug ?? "";
  const link = {
    id: world.id("sil"),
    email: GRACE,
    name: "Grace",
    role: "member",
    digest,
    expiresAtMs: START_MS + 60_000,
  } as const;
  return (await world.store.createSignInLink(slug, link, world.origin())).outcome;
}

function open(world: World, digest: string, atMs = START_MS) {
  return world.store.openSignInLink(digest, {
    newPersonId: world.id("per"),
    atMs,
    originOf: ({ id, name }) => ({ ...world.origin(), actor: { type: "person", id, name } }),
  });
}

const ABOUT = /^(sign_in_link|member)\.|^account\.updated$/;

async function actions({ db }: World): Promise<string[]> {
  const rows = await db.selectFrom("audit_event").select("action").orderBy("id").execute();
  return rows.map(({ action }) => action).filter((action) => ABOUT.test(action));
}

async function people({ db }: World): Promise<unknown[]> {
  return db.selectFrom("person").select("id").where("email", "=", GRACE).execute();
}

async function passwords({ db }: World): Promise<(string | null)[]> {
  const rows = await db.selectFrom("credential").select("password").execute();
  return rows.map(({ password }) => password);
}

async function isProved({ db }: World): Promise<boolean> {
  const row = await db.selectFrom("person").select("email_verified").executeTakeFirstOrThrow();
  return Boolean(row.email_verified);
}

/** Grace, whose address nobody has proved, with a password, a second factor and a session. */
async function unproved(world: World): Promise<void> {
  const owner = { id: "per_1", name: "Grace", email: GRACE, passwordHash: "kept" };
  await world.store.createAccount(world.newAccount("hers", { owner }), world.origin(), null);
  await sql`update person set email_verified = not email_verified, two_factor_enabled = true`.execute(
    world.db,
  );
  await world.db
    .insertInto("two_factor")
    .values({
      id: "tfa_1",
      person_id: "per_1",
      secret: "x",
      backup_codes: "x",
      verified: sql<boolean>`true`,
      failed_verification_count: 0,
      locked_until: null,
    })
    .execute();
  const at = new Date(START_MS).toISOString();
  await world.db
    .insertInto("session")
    .values({
      id: "ses_1",
      person_id: "per_1",
      token: "a session's token",
      expires_at: new Date(START_MS + 60_000).toISOString(),
      ip_address: null,
      user_agent: null,
      created_at: at,
      updated_at: at,
      account_id: null,
    })
    .execute();
}

async function signedIn({ db }: World): Promise<number> {
  return (await db.selectFrom("session").select("id").execute()).length;
}

async function factors({ db }: World): Promise<{ rows: number; enabled: boolean }> {
  const rows = await db.selectFrom("two_factor").select("id").execute();
  const person = await db
    .selectFrom("person")
    .select("two_factor_enabled")
    .where("email", "=", GRACE)
    .executeTakeFirstOrThrow();
  return { rows: rows.length, enabled: Boolean(person.two_factor_enabled) };
}

/** Whose second factor the log says is gone. */
async function factorsEnded({ db }: World): Promise<(string | null)[]> {
  const rows = await db
    .selectFrom("audit_event")
    .select("subject_id")
    .where("action", "=", "person.two_factor_disabled")
    .execute();
  return rows.map(({ subject_id }) => subject_id);
}
