import { closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import { link, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import SqliteDatabase from "better-sqlite3";

/** Pages of 4 KiB copied between two looks at whether to go on: some milliseconds. */
const STEP_PAGES = 1_024;

/** A file is no backup of ours, or a damaged one. The message ends a sentence that begins with its name. */
export class UnusableBackup extends Error {
  constructor(why: string, options?: { cause?: unknown }) {
    super(why, options);
    this.name = "UnusableBackup";
  }
}

/** A file of this name is there, and nobody said that it may be replaced. */
export class BackupExists extends Error {}

export interface BackupOptions {
  /** The database of a server that may be running. */
  readonly source: string;
  /** Where the copy goes; its folder must be there. */
  readonly destination: string;
  readonly replace: boolean;
  /** A part of the name that it has until it is whole. */
  readonly randomId: string;
  onProgress?(copied: { readonly pages: number; readonly ofPages: number }): void;
}

/**
 * Copies a SQLite database as it was at one moment, while others write to it.
 *
 * The copy is read in one transaction: SQLite starts a backup anew whenever somebody has written meanwhile, unless the
 * connection that it reads by keeps to what it saw first. Nobody waits for that reader; what is written goes into the
 * log, which is as much longer afterwards.
 *
 * It is checked, and then renamed: under its name there never is half of one. Only its owner may read it.
 *
 * @returns Bytes of the copy.
 * @throws BackupExists, UnusableBackup when the copy is damaged, as its source then is, or an error of node:fs or SQLite.
 */
export async function backUpSqlite(options: BackupOptions): Promise<number> {
  const { source, destination, replace } = options;
  if (!replace && existsSync(destination)) throw new BackupExists();
  const folder = dirname(destination);
  const growing = join(folder, `.${basename(destination)}.${options.randomId}`);
  closeSync(openSync(growing, "wx", 0o600));
  try {
    await copy(source, growing, options);
    finish(growing);
    const { size } = await stat(growing);
    if (replace) await rename(growing, destination);
    else await place(growing, destination);
    sync(folder);
    return size;
  } finally {
    for (const end of ["", "-journal", "-wal", "-shm"]) await rm(growing + end, { force: true });
  }
}

async function copy(source: string, growing: string, { onProgress }: BackupOptions): Promise<void> {
  const reader = new SqliteDatabase(source, { readonly: true, fileMustExist: true });
  try {
    reader.exec("begin");
    if (describeSqlite(reader) !== "latchkey")
      throw new UnusableBackup("holds no database of Latchkey");
    await reader.backup(growing, {
      progress({ totalPages, remainingPages }) {
        onProgress?.({ pages: totalPages - remainingPages, ofPages: totalPages });
        return STEP_PAGES;
      },
    });
  } finally {
    reader.close();
  }
}

/** One file that needs no others beside it, whole and on the disk. */
function finish(path: string): void {
  const copied = new SqliteDatabase(path, { fileMustExist: true });
  try {
    copied.pragma("journal_mode = delete");
    refuseDamaged(copied);
  } finally {
    copied.close();
  }
  sync(path);
}

/** @throws UnusableBackup when SQLite finds something wrong with it. */
export function refuseDamaged(database: SqliteDatabase.Database): void {
  const found = database.pragma("integrity_check(1)", { simple: true });
  if (found !== "ok") throw new UnusableBackup(`is damaged: ${String(found)}`);
}

/** What a database holds: `empty` without any table, `other` what is not ours. */
export function describeSqlite(database: SqliteDatabase.Database): "latchkey" | "empty" | "other" {
  const tables = database.prepare("select name from sqlite_master where type = 'table'").pluck();
  const names = new Set(tables.all());
  if (names.size === 0) return "empty";
  const ours = ["kysely_migration", "change_clock", "revocation", "api_key"];
  return ours.every((name) => names.has(name)) ? "latchkey" : "other";
}

/** Unlike a rename, a link never replaces what somebody else has put there meanwhile. */
async function place(growing: string, destination: string): Promise<void> {
  try {
    await link(growing, destination);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST")
      throw new BackupExists();
    throw cause;
  }
}

/** Returns when what was written to a file, or which names a folder has, is on the disk. */
export function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
