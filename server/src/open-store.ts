import { join } from "node:path";
import type { Ambient } from "./ambient.ts";
import type { GivenSettings } from "./config.ts";
import { type OpenStore, openSqlite } from "./store/sqlite.ts";

/**
 * Opens and migrates the store that the settings name, for this process alone; makes the data folder when needed.
 *
 * @throws StoreInUse when another process serves it, NewerSchema when a newer release migrated it.
 */
export function openStore(
  settings: Pick<GivenSettings, "dataFolder">,
  ambient: Ambient,
): Promise<OpenStore> {
  return openSqlite(join(settings.dataFolder, "latchkey.db"), {
    randomId: () => ambient.randomId("row"),
  });
}
