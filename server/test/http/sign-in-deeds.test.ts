import { AsyncLocalStorage } from "node:async_hooks";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { totpCode } from "../totp.ts";
import { EMAIL, openSignInStage, PASSWORD, type SignInStage } from "./sign-in-stage.ts";

const OTHER = "another horse, another battery";
const EVE = "eve@example.com";

let stage: SignInStage;
/** Passwords that were hashed, each while somebody else wrote to the store. */
let hashed: number;
const outside = AsyncLocalStorage.snapshot();

beforeEach(async () => {
  hashed = 0;
  const besides = () =>
    outside(async () => {
      await stage.db
        .updateTable("account")
        .set({ external_id: `${hashed}` })
        .execute();
      hashed += 1;
    });
  const passwords = {
    hash: (password: string) => besides().then(() => hashPassword(password)),
    verify: (data: { hash: string; password: string }) =>
      besides().then(() => verifyPassword(data)),
  };
  stage = await openSignInStage({ signUpOpen: true, mail: true, change: { passwords } });
});
afterEach(() => stage.close());

/** What somebody does to their sign-in, and what the audit log says of it. */
interface Deed {
  readonly action: string;
  readonly hashes: number;
  /** @returns Does it, over HTTP. */
  prepare(): Promise<() => ReturnType<SignInStage["ask"]>>;
}

/** Makes Ada's second factor the way she does. */
async function withSecondFactor(): Promise<{ cookie: string }> {
  const { cookie } = await stage.enter();
  const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  const code = totpCode(begun.body.totp_uri, stage.clock.nowMs);
  return stage.ask("/two-factor/verify-totp", { cookie, body: { code } });
}

const deeds: Readonly<Record<string, Deed>> = {
  "signs up": {
    action: "person.signed_up",
    hashes: 1,
    async prepare() {
      const body = { name: "Eve", email: EVE, password: PASSWORD };
      return () => stage.ask("/sign-up/email", { body });
    },
  },
  "confirms their address": {
    action: "person.address_confirmed",
    hashes: 1,
    async prepare() {
      await stage.ask("/sign-up/email", { body: { name: "Eve", email: EVE, password: PASSWORD } });
      const body = { token: stage.linkSecret(), password: PASSWORD };
      return () => stage.ask("/verify-email", { body });
    },
  },
  "changes the password": {
    action: "person.password_changed",
    hashes: 2,
    async prepare() {
      await stage.enter();
      const { cookie } = await stage.enter();
      const body = { current_password: PASSWORD, password: OTHER };
      return () => stage.ask("/change-password", { cookie, body });
    },
  },
  "takes another name": {
    action: "person.renamed",
    hashes: 0,
    async prepare() {
      const { cookie } = await stage.enter();
      return () => stage.ask("/update-user", { cookie, body: { name: "Ada Lovelace" } });
    },
  },
  "resets the password": {
    action: "person.password_reset",
    hashes: 1,
    async prepare() {
      await stage.enter();
      await stage.ask("/request-password-reset", { body: { email: EMAIL } });
      const body = { token: stage.linkSecret(), password: OTHER };
      return () => stage.ask("/reset-password", { body });
    },
  },
  "turns the second factor on": {
    action: "person.two_factor_enabled",
    hashes: 0,
    async prepare() {
      await stage.enter();
      const { cookie } = await stage.enter();
      const begun = await stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
      // A code that was used once is good for nothing, whatever came of it: another one at each try.
      let early = -1;
      return () => {
        early += 1;
        const code = totpCode(begun.body.totp_uri, stage.clock.nowMs + early * 30_000);
        return stage.ask("/two-factor/verify-totp", { cookie, body: { code } });
      };
    },
  },
  "turns the second factor off": {
    action: "person.two_factor_disabled",
    hashes: 1,
    async prepare() {
      const { cookie } = await withSecondFactor();
      return () => stage.ask("/two-factor/disable", { cookie, body: { password: PASSWORD } });
    },
  },
  "takes new recovery codes": {
    action: "person.recovery_codes_replaced",
    hashes: 1,
    async prepare() {
      const { cookie } = await withSecondFactor();
      const body = { password: PASSWORD };
      return () => stage.ask("/two-factor/generate-backup-codes", { cookie, body });
    },
  },
  "ends one session": {
    action: "person.sessions_ended",
    hashes: 0,
    async prepare() {
      await stage.enter();
      const { cookie } = await stage.enter();
      const { body } = await stage.ask("GET /list-sessions", { cookie });
      const other = body.entries.find(({ current }: { current: boolean }) => !current);
      return () => stage.ask("/revoke-session", { cookie, body: { id: other.id } });
    },
  },
  "ends all other sessions": {
    action: "person.sessions_ended",
    hashes: 0,
    async prepare() {
      for (const _ of [1, 2, 3]) await stage.enter();
      const { cookie } = await stage.enter();
      return () => stage.ask("/revoke-other-sessions", { cookie });
    },
  },
};

/** All that sign-in keeps, but for the codes that were used. */
async function kept(): Promise<unknown> {
  const { db } = stage;
  return {
    people: await db.selectFrom("person").selectAll().orderBy("id").execute(),
    credentials: await db.selectFrom("credential").selectAll().orderBy("id").execute(),
    sessions: await db.selectFrom("session").selectAll().orderBy("id").execute(),
    factors: await db.selectFrom("two_factor").selectAll().orderBy("id").execute(),
    waiting: await db
      .selectFrom("verification")
      .selectAll()
      .where("value", "!=", "used")
      .orderBy("id")
      .execute(),
  };
}

describe.each(Object.entries(deeds))("who %s", (_, { action, hashes, prepare }) => {
  test("has done it with its entry in the audit log, or not at all", async () => {
    const work = await prepare();
    const before = { kept: await kept(), actions: await stage.actions() };
    await sql`create trigger no_entries before insert on audit_event
      begin select raise(abort, 'the disk is full'); end`.execute(stage.db);
    await expect(work()).rejects.toThrow("the disk is full");
    expect({ kept: await kept(), actions: await stage.actions() }).toEqual(before);

    await sql`drop trigger no_entries`.execute(stage.db);
    hashed = 0;
    expect((await work()).failure).toBeNull();
    expect(await stage.actions()).toEqual([...before.actions, action]);
    expect(await kept()).not.toEqual(before.kept);
    // Nobody waited for these.
    expect(hashed).toBe(hashes);
  });

  test("has done nothing that could not be kept: a change that failed halfway has no entry", async () => {
    const work = await prepare();
    const before = { kept: await kept(), actions: await stage.actions() };
    // Every one of these deeds writes to one of them at least, and not as the first thing it does.
    for (const table of ["session", "credential", "two_factor", "person"])
      for (const event of ["insert", "update", "delete"])
        await sql`create trigger ${sql.ref(`no_${table}_${event}`)} after ${sql.raw(event)} on ${sql.table(table)}
          begin select raise(abort, 'the disk is full'); end`.execute(stage.db);
    expect((await work().catch(() => ({ failure: "thrown" }))).failure).not.toBeNull();
    expect({ kept: await kept(), actions: await stage.actions() }).toEqual(before);
  });
});

test("what altered nothing has no entry: no other session, one that has ended, an address confirmed before", async () => {
  const { cookie } = await stage.enter();
  expect((await stage.ask("/revoke-other-sessions", { cookie })).failure).toBeNull();
  await stage.ask("/sign-up/email", { body: { name: "Eve", email: EVE, password: PASSWORD } });
  const body = { token: stage.linkSecret(), password: PASSWORD };
  for (const _ of [1, 2]) expect((await stage.ask("/verify-email", { body })).failure).toBeNull();
  expect(await stage.actions()).toEqual(["person.signed_up", "person.address_confirmed"]);
});

test("an address that is confirmed twice at once has one entry", async () => {
  await stage.ask("/sign-up/email", { body: { name: "Eve", email: EVE, password: PASSWORD } });
  const body = { token: stage.linkSecret(), password: PASSWORD };
  const heard = await Promise.all([1, 2, 3].map(() => stage.ask("/verify-email", { body })));
  expect(heard.filter(({ failure }) => failure === null).length).toBeGreaterThanOrEqual(1);
  expect(await stage.actions()).toEqual(["person.signed_up", "person.address_confirmed"]);
});
