import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { Kysely, SqliteAdapter, SqliteDialect, type SqliteStatement, sql } from "kysely";
import type { Database, Engine } from "./engine.ts";
import { kyselyStore, type OpenStore } from "./kysely-store.ts";
import { migrate } from "./migrations/migrate.ts";
import type { Schema } from "./schema.ts";
import { startCheckpoints } from "./sqlite-checkpoints.ts";

/** Milliseconds a statement waits for another process's lock, e.g. a backup's; the process does nothing meanwhile. */
const BUSY_TIMEOUT_MS = 1_000;

/** Memory for pages: as many as what is counted in a second may touch, so that none is written twice. */
const CACHE_KIB = 16_384;

/** Length of the log, in pages, at which the thread that writes makes a checkpoint after all: 64 MiB. */
const LOG_PAGES_MAX = 16_384;

/** Prepared statements kept, the oldest dropped first: more than the store has shapes of statements. */
const STATEMENTS_MAX = 256;

/** Another process serves this database. The cure is to stop it, never to delete the lock file. */
export class StoreInUse extends Error {
  constructor(path: string, options?: { cause?: unknown }) {
    super(`another latchkey process is using ${path}`, options);
    this.name = "StoreInUse";
  }
}

/** What the engine needs of the world. */
export interface SqliteOptions {
  /** A new unguessable id at each call. */
  readonly randomId: () => string;
}

/**
 * Opens the store in a SQLite file, made and migrated as needed, for this process alone until `store.close()` or the
 * process's end, however it ends. Only the owner of the process may read the files.
 *
 * A transaction of `db` must not wait for another user of `db`: there is one connection.
 *
 * @param path The database file; `":memory:"` for one that ends with the process.
 * @throws StoreInUse when another process has it open.
 * @throws NewerSchema when a newer release has migrated it.
 */
export async function openSqlite(path: string, options: SqliteOptions): Promise<OpenStore> {
  const inMemory = path === ":memory:";
  const file = inMemory ? path : resolve(path); // the driver would cut blanks off
  const release = inMemory ? () => {} : holdFolder(file);
  let db: Database | undefined;
  try {
    const connection = openConnection(file);
    db = new Kysely<Schema>({ dialect: new TransactionalDialect({ database: connection }) });
    await migrate(db, "sqlite");
    const checkpoints = inMemory ? null : startCheckpoints(file);
    return kyselyStore(
      { requests: db, revocations: db, renewals: db },
      sqliteEngine(options),
      async () => {
        await checkpoints?.end();
        release();
      },
    );
  } catch (error) {
    await db?.destroy();
    release();
    throw error;
  }
}

function sqliteEngine(options: SqliteOptions): Engine {
  return {
    dialect: "sqlite",
    locksRows: false,
    writesTogether: false,
    randomId: options.randomId,
    contains: (column, text) => sql`instr(${column}, ${text}) > 0`,
    // One node, whose row is read by its next life alone: a mode of its own would gain nothing.
    unsynced: sql`true`,
    signInTime: (atMs) => new Date(atMs).toISOString(),
    boolean: (value) => (value ? 1 : 0),
    lockName: async () => {},
    shareName: async () => {},
    isAmbiguous: () => false,
    isRefusal: (error) =>
      error instanceof SqliteDatabase.SqliteError && error.code.startsWith("SQLITE_CONSTRAINT"),
    joinedAt: () => {},
  };
}

/** The driver's connection with durable settings, and statements that are prepared once. */
function openConnection(path: string): {
  prepare(sql: string): SqliteStatement;
  close(): void;
} {
  const connection = new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    connection.pragma("journal_mode = WAL");
    // FULL: a revocation that returned must survive a power cut.
    connection.pragma("synchronous = FULL");
    connection.pragma("foreign_keys = ON");
    connection.pragma(`cache_size = -${CACHE_KIB}`);
    connection.pragma(`wal_autocheckpoint = ${LOG_PAGES_MAX}`);
  } catch (error) {
    connection.close();
    throw error;
  }
  const statements = new Map<string, SqliteStatement>();
  return {
    prepare(text) {
      const known = statements.get(text);
      if (known !== undefined) return known;
      const statement = connection.prepare<unknown[]>(text);
      const oldest = statements.size < STATEMENTS_MAX ? undefined : statements.keys().next().value;
      if (oldest !== undefined) statements.delete(oldest);
      statements.set(text, statement);
      return statement;
    },
    close: () => {
      statements.clear();
      connection.close();
    },
  };
}

/** SQLite's schema changes are transactional, which Kysely does not use by default: half a migration must not stay. */
class TransactionalDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/**
 * Keeps every other process off the database at `path` by a side file held with SQLite's own exclusive lock, which the
 * kernel releases when the process ends, even by SIGKILL. The database itself stays free for a backup to read.
 *
 * @returns Releases it.
 */
export function holdFolder(path: string): () => void {
  const folder = dirname(path);
  const lockPath = join(folder, "latchkey.lock");
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  createPrivate(lockPath);
  const lock = new SqliteDatabase(lockPath, { timeout: 0 });
  try {
    lock.exec("begin exclusive");
    createPrivate(path);
  } catch (error) {
    lock.close();
    if (isBusy(error)) throw new StoreInUse(path, { cause: error });
    throw error;
  }
  return () => lock.close();
}

/**
 * Makes an empty file that only its owner may read, unless it exists; SQLite gives its side files the same mode. A file
 * that is there is not opened, for closing it would drop the locks that this process holds on it (POSIX).
 */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof SqliteDatabase.SqliteError && error.code.startsWith("SQLITE_BUSY");
}
