import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { chmod, copyFile, link, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { Kysely, SqliteDialect, sql } from "kysely";
import { describeSqlite, refuseDamaged, sync, UnusableBackup } from "./backup.ts";
import type { Database } from "./engine.ts";
import { migrate } from "./migrations/migrate.ts";
import { none, type Revival, revive, unseen } from "./restore.ts";
import { readRecords } from "./restore-export.ts";
import type { RestoreRecord } from "./restore-record.ts";
import type { Schema } from "./schema.ts";
import { holdFolder, openSqlite, type SqliteOptions } from "./sqlite.ts";

/** Where a restored database grows, beside the one that it will replace: only one process at a time holds the folder. */
const STAGING = "restoring";

/** Nothing tells what was taken away since the backup was made. Nothing was changed. */
export class NothingTells extends Error {}

/** Another program has the database open, so that it cannot be put aside whole. */
export class DatabaseOpen extends Error {}

/** What is worth telling while it is done. */
export type RestoreStep = "checked" | "revived" | "put aside" | "done";

export interface SqliteRestoreOptions extends SqliteOptions {
  /** The backup. */
  readonly file: string;
  /** The database to replace; it need not be there. */
  readonly path: string;
  /** What was exported, and the highest seq in it; `null` for nothing. */
  readonly exported: { readonly seqMax: number; read(): AsyncIterable<RestoreRecord> } | null;
  /** Whether to go on when nothing tells what was taken away since the backup. */
  readonly reviving: boolean;
  readonly nowMs: number;
  readonly sortableId: (prefix: string) => string;
  onStep?(step: RestoreStep): void;
}

export interface RestoredSqlite extends Revival {
  /** Where the database that was replaced is now; `null` when there was none. */
  readonly keptAside: string | null;
  /** Why that one told nothing of what was taken away; `null` when it did. */
  readonly untold: string | null;
}

/**
 * Puts a backup in the place of a SQLite database that no server uses, as one that revives nothing: see {@link revive}.
 *
 * What was taken away since the backup is read from the database that is replaced, where that is the same one at a later
 * time, and so has all that the backup has, and from what was exported. It all happens in a copy. The copy takes the old
 * one's place by one rename, so that a process that is killed leaves the old one or the new one.
 *
 * @throws StoreInUse, NewerSchema, UnusableBackup, NothingTells, DatabaseOpen: nothing was changed.
 */
export async function restoreSqlite(options: SqliteRestoreOptions): Promise<RestoredSqlite> {
  const path = resolve(options.path);
  const folder = dirname(path);
  const staging = join(folder, STAGING);
  const staged = join(staging, "latchkey.db");
  const release = holdFolder(path);
  try {
    const before = settle(path);
    await rm(staging, { recursive: true, force: true }); // of one that was killed
    await mkdir(staging, { mode: 0o700 });
    await takeCopy(options.file, staged);
    options.onStep?.("checked");
    const { untold, ...revival } = await reviveCopy(staged, before, options);
    options.onStep?.("revived");
    const keptAside = await putAside(before, options.nowMs);
    options.onStep?.("put aside");
    await rename(staged, path);
    sync(folder);
    options.onStep?.("done");
    return { ...revival, keptAside, untold };
  } finally {
    await rm(staging, { recursive: true, force: true });
    release();
  }
}

async function takeCopy(file: string, staged: string): Promise<void> {
  refuseOtherFiles(file);
  await copyFile(file, staged);
  await chmod(staged, 0o600);
  const copy = new SqliteDatabase(staged, { fileMustExist: true });
  try {
    refuseDamaged(copy);
    if (describeSqlite(copy) !== "latchkey") throw new UnusableBackup("is no database of Latchkey");
  } catch (cause) {
    if (!(cause instanceof SqliteDatabase.SqliteError)) throw cause;
    throw new UnusableBackup(`is damaged: ${cause.message}`, { cause });
  } finally {
    copy.close();
  }
}

/** The first bytes of every SQLite database (its file format, section 1.3). */
const MAGIC = "SQLite format 3\0";

function refuseOtherFiles(file: string): void {
  const opened = openSync(file, "r");
  const start = Buffer.alloc(MAGIC.length);
  try {
    readSync(opened, start, 0, MAGIC.length, 0);
  } finally {
    closeSync(opened);
  }
  if (start.toString("latin1") !== MAGIC) throw new UnusableBackup("is no SQLite database");
  if (existsSync(`${file}-wal`))
    throw new UnusableBackup("is in use, or was copied while it was: there is a -wal beside it");
}

async function reviveCopy(
  staged: string,
  replaced: Replaced,
  options: SqliteRestoreOptions,
): Promise<Revival & Pick<RestoredSqlite, "untold">> {
  const { store, db } = await openSqlite(staged, options);
  try {
    const before = await openBefore(replaced, staged, await clockOf(db));
    const { told = null } = before;
    try {
      if (told === null && options.exported === null && !options.reviving)
        throw new NothingTells(before.untold);
      const leases = told?.leases ?? null;
      const revival = await revive(db, {
        seqBefore: Math.max(told?.seq ?? 0, options.exported?.seqMax ?? 0),
        leases,
        records: all(
          told === null ? none() : readRecords(told.db),
          unseen(options.exported?.read() ?? none(), leases),
        ),
        sortableId: options.sortableId,
      });
      return { ...revival, untold: before.untold ?? null };
    } finally {
      await told?.db.destroy();
    }
  } finally {
    await store.close();
    sync(staged);
  }
}

async function* all(
  ...sources: readonly AsyncIterable<RestoreRecord>[]
): AsyncGenerator<RestoreRecord, void, undefined> {
  for (const source of sources) yield* source;
}

/** The database that is replaced, as the same one as the backup at a later time, or why it is not known to be that. */
type Before =
  | {
      readonly told: {
        readonly db: Database;
        readonly seq: number;
        readonly leases: readonly { id: string; lease_ms: number; below: number }[];
      };
      readonly untold?: undefined;
    }
  | { readonly told?: undefined; readonly untold: string };

async function openBefore(
  replaced: Replaced,
  backup: string,
  seqOfBackup: number,
): Promise<Before> {
  if (replaced.holds === "nothing") return { untold: "there was no database here" };
  if (replaced.holds === "unreadable") return { untold: replaced.why };
  const db = openReadOnly(replaced.path);
  try {
    await migrate(db, "sqlite"); // which writes nothing when there is nothing to do, and else fails
    const seq = await clockOf(db);
    if (seq < seqOfBackup || !(await hasAllOf(db, backup))) {
      await db.destroy();
      return {
        untold: "the database that was here is another one, or has not all that the backup has",
      };
    }
    const leases = await db.selectFrom("node").select(["id", "lease_ms", "below"]).execute();
    return { told: { db, seq, leases } };
  } catch (error) {
    await db.destroy();
    return { untold: unreadable(error) };
  }
}

const unreadable = (error: unknown): string =>
  `the database that was here cannot be read (${error instanceof Error ? error.message : error})`;

/** A database in which nothing but reading is possible. It is not migrated. */
export function openReadOnly(path: string): Database {
  const database = new SqliteDatabase(path, { readonly: true, fileMustExist: true });
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });
}

/** What the restored database will take the place of. */
type Replaced = { readonly path: string } & (
  | { readonly holds: "something" | "nothing" }
  | { readonly holds: "unreadable"; readonly why: string }
);

/** Moves what stands in the log into the database, which then is one file, and looks at it. */
function settle(path: string): Replaced {
  let database: SqliteDatabase.Database | undefined;
  try {
    database = new SqliteDatabase(path, { timeout: 0, fileMustExist: true });
    foldLog(database);
    refuseDamaged(database);
    return { path, holds: describeSqlite(database) === "empty" ? "nothing" : "something" };
  } catch (error) {
    if (error instanceof DatabaseOpen) throw error;
    if (error instanceof SqliteDatabase.SqliteError && error.code.startsWith("SQLITE_BUSY"))
      throw new DatabaseOpen();
    return { path, holds: "unreadable", why: unreadable(error) };
  } finally {
    database?.close();
  }
}

/** @throws DatabaseOpen when somebody reads or writes. */
function foldLog(database: SqliteDatabase.Database): void {
  const busy = database.prepare<[], number>("pragma wal_checkpoint(truncate)").pluck().get();
  if (busy !== 0) throw new DatabaseOpen();
}

/** What is never removed from a database, and comes with an id of its own; of the audit log, what its retention left. */
const KEPT_FOR_EVER = [
  ["account", "id", sql`true`],
  ["api_key", "id", sql`true`],
  ["access_token", "id", sql`true`],
  ["audit_event", "id", sql`id > (select min(id) from main.audit_event)`],
  ["revocation", "subject_id", sql`true`],
] as const;

/**
 * Whether a database has all that the backup has, which a later time of the same one has. The clock alone does not tell:
 * a restore of an older backup raised it above that of this one, and forgot what became of keys that were made between
 * the two. Neither do the newest ids, where the clock of the machine went back.
 */
async function hasAllOf(db: Database, backup: string): Promise<boolean> {
  await sql`attach database ${backup} as backup`.execute(db);
  for (const [table, column, isKept] of KEPT_FOR_EVER) {
    const id = sql.ref(column);
    const lacking = await sql`select 1 from ${sql.table(`backup.${table}`)}
      where ${id} not in (select ${id} from ${sql.table(`main.${table}`)}) and ${isKept} limit 1`.execute(
      db,
    );
    if (lacking.rows.length > 0) return false;
  }
  await sql`detach database backup`.execute(db);
  return true;
}

async function clockOf(db: Database): Promise<number> {
  return (await db.selectFrom("change_clock").select("seq").executeTakeFirstOrThrow()).seq;
}

/**
 * Gives the database that is to be replaced a second name, and leaves it under its own until it is: at no moment there is
 * none. A log that could not be moved into it, for it is damaged, must go before the new one comes: SQLite would take it
 * for the new one's.
 *
 * @returns The second name, or `null` when there is nothing to keep.
 */
async function putAside(replaced: Replaced, nowMs: number): Promise<string | null> {
  const { path, holds } = replaced;
  if (holds === "nothing") return null;
  if (holds === "something") closeLog(path);
  await forgetAttempts(path);
  const aside = `${asidePrefix(path)}${new Date(nowMs).toISOString().replace(/[-:.]/g, "")}.db`;
  for (const end of ["", "-wal"]) if (existsSync(path + end)) await link(path + end, aside + end);
  sync(dirname(path));
  for (const end of ["-wal", "-shm"]) await rm(path + end, { force: true });
  return aside;
}

/** Whoever closes a database last, and may write, leaves no log: one that is there still is somebody's. */
function closeLog(path: string): void {
  const database = new SqliteDatabase(path, { timeout: 0, fileMustExist: true });
  try {
    foldLog(database);
  } finally {
    database.close();
  }
  if (existsSync(`${path}-wal`)) throw new DatabaseOpen();
}

const asidePrefix = (path: string): string => path.replace(/\.db$/, "-before-restore-");

/** Second names that restores gave which were killed before they went on: the database would change under them. */
async function forgetAttempts(path: string): Promise<void> {
  const { ino } = await stat(path);
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    const other = join(folder, name);
    if (other.startsWith(asidePrefix(path)) && (await stat(other)).ino === ino) await rm(other);
  }
}
