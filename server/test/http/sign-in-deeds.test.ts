import { AsyncLocalStorage } from "node:async_hooks";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { totpCode } from "../totp.ts";
import { EMAIL, openSignInStage, PASSWORD, type SignInStage } from "./sign-in-stage.ts";

const OTHER = "another horse, another battery";
const EVE = "eve@example.com";

let stage: SignInStage;
/** Happens once, while the next password is hashed. */
let meanwhile: (() => Promise<unknown>) | null;
/** Passwords that were hashed, each while somebody else wrote to the store. */
let hashed: number;
const outside = AsyncLocalStorage.snapshot();

beforeEach(async () => {
  hashed = 0;
  meanwhile = null;
  const besides = () =>
    outside(async () => {
      const happens = meanwhile;
      meanwhile = null;
      await happens?.();
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
      const body = { code: totpCode(begun.body.totp_uri, stage.clock.nowMs) };
      return async () => {
        // A code that was used is used, whatever came of it: so that another try can have it again.
        await stage.db.deleteFrom("verification").where("value", "=", "used").execute();
        return stage.ask("/two-factor/verify-totp", { cookie, body });
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
  "signs in with a recovery code": {
    action: "person.recovery_code_used",
    hashes: 0,
    async prepare() {
      const { cookie } = await withSecondFactor();
      const taken = await stage.ask("/two-factor/generate-backup-codes", {
        cookie,
        body: { password: PASSWORD },
      });
      const waiting = await stage.enter();
      const body = { code: taken.body.recovery_codes[0] };
      return () => stage.ask("/two-factor/verify-backup-code", { cookie: waiting.cookie, body });
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

/** Lets the write fail that a deed comes to as the `failing.at`-th, counted from one. */
async function failWrites(): Promise<void> {
  await sql`create table failing (at integer)`.execute(stage.db);
  await sql`create table written (row integer)`.execute(stage.db);
  await sql`insert into failing values (0)`.execute(stage.db);
  for (const table of ["audit_event", "session", "credential", "two_factor", "person"])
    for (const event of ["insert", "update", "delete"])
      await sql`create trigger ${sql.ref(`${table}_${event}`)} after ${sql.raw(event)} on ${sql.table(table)}
        begin
          insert into written values (1);
          select raise(abort, 'the disk is full') from failing where at = (select count(*) from written);
        end`.execute(stage.db);
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

  test("has done nothing of it that could not be kept whole, whichever of its writes failed", async () => {
    const work = await prepare();
    const before = { kept: await kept(), actions: await stage.actions() };
    const mailed = stage.mails.length;
    await failWrites();
    let failed = 0;
    for (;;) {
      await sql`update failing set at = ${failed + 1}`.execute(stage.db);
      const heard = await work().catch((error: unknown) => String(error));
      if (typeof heard !== "string" && heard.failure === null) break;
      expect({ kept: await kept(), actions: await stage.actions() }).toEqual(before);
      expect(stage.mails).toHaveLength(mailed);
      failed += 1;
    }
    // Each deed writes what it does, and that it did it.
    expect(failed).toBeGreaterThanOrEqual(2);
    expect(await stage.actions()).toEqual([...before.actions, action]);
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

test("a deed of somebody whose session is due to be renewed keeps nobody waiting either, and renews none", async () => {
  const { cookie } = await stage.enter();
  const dayAgo = new Date(Date.now() - 25 * 3_600_000);
  const expires = new Date(dayAgo.getTime() + 7 * 24 * 3_600_000).toISOString();
  await stage.db
    .updateTable("session")
    .set({ updated_at: dayAgo.toISOString(), expires_at: expires })
    .execute();
  hashed = 0;
  expect((await stage.ask("/revoke-other-sessions", { cookie })).failure).toBeNull();
  expect((await stage.ask("GET /list-sessions", { cookie })).failure).toBeNull();
  const before = await stage.db.selectFrom("session").select("expires_at").execute();
  expect(before).toEqual([{ expires_at: expires }]);
  const body = { current_password: PASSWORD, password: OTHER };
  expect((await stage.ask("/change-password", { cookie, body })).failure).toBeNull();
  expect(hashed).toBe(2);
  expect(await stage.actions()).toEqual(["person.password_changed"]);
});

test("a factor that is begun anew while it is confirmed stays as it was confirmed", async () => {
  const { cookie } = await stage.enter();
  const begin = () => stage.ask("/two-factor/enable", { cookie, body: { password: PASSWORD } });
  const { body } = await begin();
  const code = totpCode(body.totp_uri, stage.clock.nowMs);
  let mine = "";
  meanwhile = async () => {
    mine = (await stage.ask("/two-factor/verify-totp", { cookie, body: { code } })).cookie;
  };
  expect((await begin()).failure).not.toBeNull();
  expect(await stage.who(mine)).toMatchObject({ twoFactor: true });
  const waiting = await stage.enter();
  const next = totpCode(body.totp_uri, stage.clock.nowMs + 30_000);
  const asked = { cookie: waiting.cookie, body: { code: next } };
  expect((await stage.ask("/two-factor/verify-totp", asked)).failure).toBeNull();
});

test("of recovery codes taken anew twice at once those are good that somebody was shown", async () => {
  const { cookie } = await withSecondFactor();
  const take = () =>
    stage.ask("/two-factor/generate-backup-codes", { cookie, body: { password: PASSWORD } });
  const heard = await Promise.all([take(), take(), take()]);
  const shown = heard.filter(({ failure }) => failure === null);
  expect(shown).toHaveLength(1);
  const entries = (await stage.actions()).filter((action) => action.endsWith("codes_replaced"));
  expect(entries).toHaveLength(1);
  const waiting = await stage.enter();
  const body = { code: shown[0]?.body.recovery_codes[0] };
  const asked = { cookie: waiting.cookie, body };
  expect((await stage.ask("/two-factor/verify-backup-code", asked)).failure).toBeNull();
});
