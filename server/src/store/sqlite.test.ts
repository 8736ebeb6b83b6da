import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { Kysely, SqliteDialect, sql } from "kysely";
import { afterEach, expect, test } from "vitest";
import { testFirstRelease } from "../../test/store/first-release.ts";
import { testSignIn } from "../../test/store/sign-in.ts";
import { makeWorld } from "../../test/store/world.ts";
import { testStore } from "../../test/store-suite.ts";
import { NewerSchema } from "./migrations/migrate.ts";
import { CorruptRow, rowOf } from "./row.ts";
import type { Schema } from "./schema.ts";
import { openSqlite, StoreInUse } from "./sqlite.ts";

testStore("sqlite", async () => openSqlite(":memory:", options()));
testSignIn("sqlite", async () => openSqlite(":memory:", options()));
testFirstRelease("sqlite", async () => {
  const path = freshPath();
  mkdirSync(dirname(path));
  const database = new SqliteDatabase(path);
  database.pragma("foreign_keys = ON");
  const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });
  return { db, open: () => openSqlite(path, options()) };
});

function options() {
  let made = 0;
  return { randomId: () => `random_${++made}` };
}

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The path of a database that is not there yet, in a folder that is not there either. */
function freshPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-store-"));
  folders.push(folder);
  return join(folder, "data", "latchkey.db");
}

/** Starts a process that takes the lock as a server does; resolves to what it says, `held` or an error's code. */
async function lockElsewhere(path: string): Promise<{ said: string; kill(): Promise<void> }> {
  const driver = createRequire(import.meta.url).resolve("better-sqlite3");
  const script = `
    const Database = require(${JSON.stringify(driver)});
    try {
      new Database(${JSON.stringify(join(path, "..", "latchkey.lock"))}, { timeout: 0 }).exec("begin exclusive");
      console.log("held");
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.code);
    }`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  return {
    said: String(said).trim(),
    async kill() {
      const ended = once(child, "exit");
      if (child.exitCode === null && child.kill("SIGKILL")) await ended;
    },
  };
}

test("a second process is kept out for as long as the first lives, and no longer", async () => {
  const path = freshPath();
  const { store } = await openSqlite(path, options());
  assert.equal((await lockElsewhere(path)).said, "SQLITE_BUSY");
  await assert.rejects(openSqlite(path, options()), StoreInUse);
  assert.equal((await lockElsewhere(path)).said, "SQLITE_BUSY");
  await store.close();

  const elsewhere = await lockElsewhere(path);
  assert.equal(elsewhere.said, "held");
  try {
    await assert.rejects(openSqlite(path, options()), {
      name: "StoreInUse",
      message: `another latchkey process is using ${path}`,
    });
  } finally {
    await elsewhere.kill();
  }
  await (await openSqlite(path, options())).store.close();
});

test("a backup reads the database while it is served", async () => {
  const path = freshPath();
  const { store, db } = await openSqlite(path, options());
  const world = await makeWorld(store, db);
  await world.stored("production", { id: "key_backed_up" });
  const { default: Database } = await import("better-sqlite3");
  const reader = new Database(path, { readonly: true });
  assert.deepEqual(reader.prepare("select id from api_key").all(), [{ id: "key_backed_up" }]);
  reader.close();
  await world.stored("production");
  await store.close();
});

test("a commit is on the disk before it is reported", async () => {
  const { store, db } = await openSqlite(freshPath(), options());
  const pragma = async (name: string) => {
    const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db);
    return Object.values(rows[0] ?? {})[0];
  };
  assert.equal(await pragma("journal_mode"), "wal");
  assert.equal(await pragma("synchronous"), 2);
  assert.equal(await pragma("foreign_keys"), 1);
  await store.close();
});

test("what was written reaches the database by itself, and a close leaves no log", async () => {
  const path = freshPath();
  const { store, db } = await openSqlite(path, options());
  const world = await makeWorld(store, db);
  await world.stored("production", { id: "key_in_the_log" });
  const isThere = () => readFileSync(path).includes("key_in_the_log");
  await expect.poll(isThere, { timeout: 10_000 }).toBe(true);
  await store.close();
  assert.equal(existsSync(`${path}-wal`), false);
});

test("a folder may have any name, and be gone before the end", async () => {
  const home = process.cwd();
  process.chdir(dirname(dirname(freshPath())));
  try {
    for (const folder of [" blank in front", "file:data?mode=ro", "50%20 'ä\"#"]) {
      const { store, db } = await openSqlite(join(folder, "latchkey.db"), options());
      await makeWorld(store, db);
      assert.notEqual(statSync(join(folder, "latchkey.db-wal")).size, 0);
      rmSync(folder, { recursive: true }); // perhaps before the checkpoints have opened it
      await store.close();
    }
  } finally {
    process.chdir(home);
  }
});

test("only the owner of the process may read the files", async () => {
  const path = freshPath();
  const { store, db } = await openSqlite(path, options());
  await makeWorld(store, db);
  const mode = (name: string) => (statSync(name).mode & 0o777).toString(8);
  assert.equal(mode(join(path, "..")), "700");
  for (const name of [path, `${path}-wal`, `${path}-shm`, join(path, "..", "latchkey.lock")])
    assert.equal(mode(name), "600", name);
  await store.close();
});

test("a reopened file keeps everything", async () => {
  const path = freshPath();
  const first = await openSqlite(path, options());
  const world = await makeWorld(first.store, first.db);
  const key = await world.stored("production", { metadata: { tier: "gold" } });
  const revoked = await world.acme.revokeKey(key.id, "leaked", world.origin(), null);
  assert(revoked.outcome === "revoked");
  const changes = await world.changes();
  await first.store.close();

  const { store } = await openSqlite(path, options());
  assert.deepEqual(await store.account(world.acme.accountId).findKey(key.id), revoked.key);
  assert.deepEqual(await store.leases.readChanges(0, null), {
    outcome: "changes",
    seq: 1,
    changes,
  });
  await store.close();
});

test("a database of a newer release is refused, and let go untouched", async () => {
  const path = freshPath();
  const first = await openSqlite(path, options());
  const executed = { name: "0999-newer", timestamp: "2030-01-01T00:00:00.000Z" };
  await sql`insert into kysely_migration values (${executed.name}, ${executed.timestamp})`.execute(
    first.db,
  );
  await first.store.close();
  for (let attempt = 0; attempt < 2; attempt++)
    await assert.rejects(openSqlite(path, options()), (error) => {
      assert(error instanceof NewerSchema);
      assert.match(error.message, /newer latchkey.*0999-newer/);
      return true;
    });
});

test("a row that is damaged is named, not believed and not shown", async () => {
  const { store, db } = await openSqlite(":memory:", options());
  const world = await makeWorld(store, db);
  const key = await world.stored("production");
  const intact = await world.stored("production");
  for (const metadata of ["not JSON", `["a"]`, `{"a":1}`, "null"]) {
    await db.updateTable("api_key").set({ metadata }).where("id", "=", key.id).execute();
    for (const read of [() => world.acme.findKey(key.id), () => store.loadKeys([key.digest])])
      await assert.rejects(read(), (error) => {
        assert(error instanceof CorruptRow);
        assert.equal(error.message, `corrupt row: api_key ${key.id} has no valid metadata`);
        return true;
      });
  }
  assert.throws(
    () => rowOf("t", { id: "x", digest: new Uint8Array(31) }).digest("digest"),
    CorruptRow,
  );
  assert.equal(await world.revokedAtMs(intact.digest), null);
  await store.close();
});

test("a description keeps a NUL", async () => {
  const { store, db } = await openSqlite(":memory:", options());
  const world = await makeWorld(store, db);
  // Only here: text of Postgres cannot hold one.
  const key = await world.stored("production", { description: "before\u0000after" });
  assert.equal((await world.acme.findKey(key.id))?.description, "before\u0000after");
  await store.close();
});

test("the migrated schema is the one on file", async () => {
  const { store, db } = await openSqlite(":memory:", options());
  const { rows } = await sql<{ sql: string }>`
    select sql from sqlite_schema
    where sql is not null and name not like 'kysely%' and name not like 'sqlite%'
    order by tbl_name, type desc, name`.execute(db);
  await store.close();
  const dump = rows.map((row) => `${onLines(row.sql)};\n`).join("\n");
  // Rewritten by `npx vitest run server/src/store -u`.
  await expect(
    `-- The schema that migrations/ make on SQLite, for review; a test holds the two together.\n\n${dump}`,
  ).toMatchFileSnapshot("schema.sqlite.sql");
});

/** One column or constraint a line. */
function onLines(statement: string): string {
  if (!statement.startsWith("CREATE TABLE") && !statement.startsWith("create table"))
    return statement;
  let depth = 0;
  let text = "";
  for (const letter of statement) {
    if (letter === ")" && --depth === 0) text += "\n";
    text += letter;
    if (letter === "(" && depth++ === 0) text += "\n  ";
    if (letter === "," && depth === 1) text += "\n ";
  }
  return text;
}
