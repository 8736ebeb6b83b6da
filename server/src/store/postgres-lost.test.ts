import assert from "node:assert/strict";
import { afterAll, afterEach, beforeAll, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../test/postgres.ts";
import { makeWorld } from "../../test/store/world.ts";
import { openTcpLink } from "../../test/tcp-link.ts";
import { openPostgres } from "./postgres.ts";
import { ConnectionLost } from "./postgres-errors.ts";

let postgres: TestPostgres;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

afterAll(() => postgres.stop());

/** Connections for requests of a store, as many as it has by default. */
const CONNECTIONS = 8;

/** A store whose connections all lie idle, over a link that can lose them before the store has noticed. */
async function idleStore() {
  const url = new URL(postgres.url(await postgres.migrated()));
  const link = await openTcpLink(Number(url.port));
  closing.push(link.close);
  url.port = `${link.port}`;
  let made = 0;
  const options = { randomId: () => `random_${++made}`, leaseMs: 10_000 };
  const { store, db } = await openPostgres(url.href, options);
  closing.push(() => store.close());
  const world = await makeWorld(store, db);
  const key = await world.stored("production");
  const loadOnEach = async (): Promise<void> => {
    const loads = Array.from({ length: CONNECTIONS }, () => store.loadKeys([key.digest]));
    for (const { keys } of await Promise.all(loads)) assert.equal(keys[0]?.id, key.id);
  };
  await loadOnEach();
  await store.leases.readChanges(0, null);
  await store.leases.readNodes();
  const backends = await postgres.run(
    `select pid from pg_stat_activity where datname = '${url.pathname.slice(1)}'`,
  );
  assert.equal(backends.length, CONNECTIONS + 2);
  return { ...world, link, key, loadOnEach };
}

test.each(["fast", "immediate"] as const)(
  "a restart that is %s while all connections lie idle fails no load",
  async (how) => {
    const { link, loadOnEach, store } = await idleStore();
    link.cut("answers"); // the store learns of it no sooner than by asking
    await postgres.restart(how);
    link.heal();
    await loadOnEach();
    assert.deepEqual(await store.ping(), { seq: 0 });
  },
);

test("connections that something between forgot fail neither reads nor the start of a deed", async () => {
  const { acme, key, link, loadOnEach, newKey, origin, store } = await idleStore();
  link.reset();
  await Promise.all([loadOnEach(), store.leases.readChanges(0, null), store.leases.readNodes()]);

  link.reset();
  const other = newKey();
  const created = await acme.createKey("production", other, origin(), null);
  assert.equal(created.outcome, "created");
  link.reset();
  const revoked = await acme.revokeKey(key.id, null, origin(), null);
  assert.equal(revoked.outcome, "revoked");
});

test("one lost connection makes the store ask no other that may be lost with it", async () => {
  const { link, store } = await idleStore();
  link.reset();
  for (let read = 0; read < CONNECTIONS; read++) await store.ping();
});

test("a read is asked twice and no more, and what may have been done is not done again", async () => {
  const { db, link, newAccount, newToken, origin, store } = await idleStore();
  const token = newToken("service", null);
  const account = newAccount("tokens");
  const tokens = [{ ...token, accountId: account.id }];
  await store.createAccount({ ...account, tokens }, origin(), null);

  link.reset();
  link.loseAnswerTo("access_token");
  await assert.rejects(store.findToken(token.digest), ConnectionLost);
  assert.equal((await store.findToken(token.digest))?.id, token.id);

  link.loseAnswerTo("update");
  await assert.rejects(store.recordTokenUsed(token.id, 1), ConnectionLost);

  await assert.rejects(
    db.transaction().execute(async (trx) => {
      await trx.selectFrom("node").selectAll().execute();
      link.reset();
      await trx.selectFrom("node").selectAll().execute();
    }),
    ConnectionLost,
  );
});
