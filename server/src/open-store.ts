import { join } from "node:path";
import type { Ambient } from "./ambient.ts";
import type { GivenSettings } from "./config.ts";
import type { OpenStore } from "./store/kysely-store.ts";
import { openPostgres } from "./store/postgres.ts";
import { openSqlite } from "./store/sqlite.ts";

/** The store that the settings name. */
export interface OpenedStore extends OpenStore {
  /** What better-auth has to know of `db`. */
  readonly type: "sqlite" | "postgres";
  /**
   * Calls back soon after another process changed something, where one can, with the change's seq or `null` for any
   * number of changes; nothing may rely on it.
   */
  onChange(listener: (seq: number | null) => void): () => void;
}

/**
 * Opens and migrates the store that the settings name: a Postgres database that other processes may use as well, or
 * SQLite for this process alone, whose folder is made when needed.
 *
 * @throws StoreInUse when another process serves it, NewerSchema when a newer release migrated it, and for Postgres
 *   InvalidDatabaseUrl or DatabaseError.
 */
export async function openStore(
  settings: Pick<GivenSettings, "databaseUrl" | "dataFolder" | "leaseMs">,
  ambient: Ambient,
): Promise<OpenedStore> {
  const randomId = (): string => ambient.randomId("row");
  if (settings.databaseUrl !== null) {
    const { leaseMs } = settings;
    return {
      type: "postgres",
      ...(await openPostgres(settings.databaseUrl, { randomId, leaseMs })),
    };
  }
  const opened = await openSqlite(join(settings.dataFolder, "latchkey.db"), { randomId });
  return { type: "sqlite", ...opened, onChange: () => () => {} };
}
