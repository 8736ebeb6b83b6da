import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import type { OpenStore } from "../../src/store/kysely-store.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import type { Revival } from "../../src/store/restore.ts";
import { readRecords } from "../../src/store/restore-export.ts";
import { restorePostgres } from "../../src/store/restore-postgres.ts";
import { formatRecord, parseRecord, type RestoreRecord } from "../../src/store/restore-record.ts";
import { restoreSqlite } from "../../src/store/restore-sqlite.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { startPostgres, type TestPostgres } from "../postgres.ts";
import { temporaryFolder } from "../real-server.ts";
import { realAmbient } from "../service.ts";
import { START_MS } from "../store/world.ts";

const { sortableId, randomId: idOf } = realAmbient();
const randomId = () => idOf("row");

/** A database that is backed up, lives on, and is lost; what is restored knows only the backup and what was exported. */
export interface LostDatabase {
  open(): Promise<OpenStore>;
  backUp(): Promise<void>;
  restore(exported: readonly RestoreRecord[]): Promise<Revival>;
  openRestored(): Promise<OpenStore>;
}

/** How each engine's are made. To be asked for once in a file of tests, which it starts PostgreSQL for. */
export function lostDatabases() {
  const undo: (() => Promise<unknown>)[] = [];
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(async () => {
    for (const step of undo.reverse()) await step();
    await postgres?.stop();
  });
  return { sqlite: () => onSqlite(undo), postgres: () => onPostgres(postgres) };
}

async function onSqlite(undo: (() => Promise<unknown>)[]): Promise<LostDatabase> {
  const { path: folder, remove } = await temporaryFolder();
  undo.push(remove);
  const live = join(folder, "live", "latchkey.db");
  const backup = join(folder, "backup.db");
  const restored = join(folder, "elsewhere", "latchkey.db");
  return {
    open: () => openSqlite(live, { randomId }),
    backUp: () => copyFile(live, backup),
    restore: (records) =>
      restoreSqlite({
        file: backup,
        path: restored,
        exported: exportedOf(records),
        reviving: false,
        nowMs: START_MS,
        randomId,
        sortableId,
      }),
    openRestored: () => openSqlite(restored, { randomId }),
  };
}

async function onPostgres(postgres: TestPostgres): Promise<LostDatabase> {
  const live = await postgres.migrated();
  const backup = `${live}_backup`;
  const open = (name: string) => openPostgres(postgres.url(name), { randomId, leaseMs: 10_000 });
  return {
    open: () => open(live),
    backUp: async () => void (await postgres.run(`create database ${backup} template ${live}`)),
    restore: (records) =>
      restorePostgres({
        url: postgres.url(backup),
        exported: exportedOf(records),
        leaseMs: 10_000,
        randomId,
        sortableId,
      }),
    openRestored: () => open(backup),
  };
}

async function* given(records: readonly RestoreRecord[]) {
  yield* records;
}

const exportedOf = (records: readonly RestoreRecord[]) => ({
  seqMax: Math.max(0, ...records.map(({ seq }) => seq)),
  read: () => given(records),
});

/** Everything that is exported, through its lines. */
export async function exportAll(
  { db }: Pick<OpenStore, "db">,
  afterSeq = 0,
): Promise<RestoreRecord[]> {
  const records: RestoreRecord[] = [];
  for await (const record of readRecords(db, afterSeq)) {
    const line = parseRecord(formatRecord(record));
    expect(line).toEqual(record);
    records.push(record);
  }
  return records;
}

/** Closes the store after the work, whatever came of it. */
export async function withStore<T>(
  opened: Promise<OpenStore>,
  work: (opened: OpenStore) => Promise<T>,
) {
  const store = await opened;
  try {
    return await work(store);
  } finally {
    await store.store.close();
  }
}

/** What verifiers are told of keys. */
export const load = async (
  store: OpenStore["store"],
  keys: readonly { readonly digest: string }[],
) => (await store.loadKeys(keys.map(({ digest }) => digest))).keys;
