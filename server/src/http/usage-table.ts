import type { Grouping, UsageEntry } from "../domain/usage/report.ts";
import type { AccountStore, ApiKey } from "../store/store.ts";
import { csvLine } from "./csv.ts";
import { isoTime, OUTCOME_ON_WIRE } from "./shapes.ts";

/** Names of keys that are remembered from bucket to bucket: most keys of one are in the next. */
const NAMES_REMEMBERED = 50_000;

/** Look-ups of names that are under way at once: the others who ask the database have their turn too. */
const LOOK_UPS_MAX = 4;

/** What people know a key by. */
type KeyName = Pick<ApiKey, "hint" | "description">;

/** Entries of usage as the text of a table: a line of headings, and then one piece for each that comes in. */
export async function* usageTable(
  account: Pick<AccountStore, "findKey">,
  pieces: AsyncIterable<readonly UsageEntry[]>,
  by: Grouping,
): AsyncGenerator<string, void, undefined> {
  const names = keyNames(account);
  let headings = csvLine([
    "at",
    ...(by.key ? ["api_key_id", "hint", "description"] : []),
    ...(by.environment ? ["environment"] : []),
    ...(by.outcome ? ["outcome"] : []),
    "count",
  ]);
  for await (const entries of pieces) {
    const named = by.key ? await names(entries) : NO_NAMES;
    yield headings + entries.map((entry) => line(entry, by, named)).join("");
    headings = "";
  }
}

const NO_NAMES: ReadonlyMap<string, KeyName> = new Map();

function line(entry: UsageEntry, by: Grouping, names: ReadonlyMap<string, KeyName>): string {
  const { atMs, keyId, environment, outcome, count } = entry;
  const name = names.get(keyId ?? "");
  return csvLine([
    isoTime(atMs),
    ...(by.key ? [keyId ?? "", name?.hint ?? "", name?.description ?? ""] : []),
    ...(by.environment ? [environment ?? ""] : []),
    ...(outcome === null ? [] : [OUTCOME_ON_WIRE[outcome]]),
    count,
  ]);
}

/** Finds the names of the keys of some entries; of one whose environment was deleted meanwhile there is none. */
function keyNames({ findKey }: Pick<AccountStore, "findKey">) {
  const known = new Map<string, KeyName>();
  return async (entries: readonly UsageEntry[]): Promise<ReadonlyMap<string, KeyName>> => {
    if (known.size > NAMES_REMEMBERED) known.clear();
    const unknown = new Set(
      entries.flatMap(({ keyId }) => (keyId === null || known.has(keyId) ? [] : [keyId])),
    ).values();
    const lookUp = async () => {
      for (const id of unknown) {
        const { hint, description } = (await findKey(id)) ?? { hint: "", description: "" };
        known.set(id, { hint, description });
      }
    };
    await Promise.all(Array.from({ length: LOOK_UPS_MAX }, lookUp));
    return known;
  };
}
