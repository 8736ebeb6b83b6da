import type { Database, Engine } from "./engine.ts";
import { selectKeys } from "./held-key.ts";
import { findLivingEnvironment } from "./living.ts";
import { type PageBound, readPage } from "./paging.ts";
import { parseKey } from "./rows.ts";
import type { KeyFilter, KeyStore, PageAsk } from "./store.ts";

const DAY_MS = 24 * 60 * 60_000;

/** What "over 90 days ago" means. */
const LONG_UNUSED_MS = 90 * DAY_MS;

/** What "within" so many days means. */
const WITHIN_MS = { within_7_days: 7 * DAY_MS, within_30_days: 30 * DAY_MS } as const;

/** One page of an environment's keys, or of the account's. */
export async function listKeys(
  db: Database,
  engine: Engine,
  accountId: string,
  filter: KeyFilter,
  page: PageAsk,
): ReturnType<KeyStore["listKeys"]> {
  const { environment: slug, createdBy } = filter;
  const environment = slug === null ? null : await findLivingEnvironment(db, accountId, slug);
  if (environment === undefined) return { outcome: "absent" };
  const ofEnvironment = () => {
    const keys = selectKeys(db, accountId);
    return environment === null ? keys : keys.where("api_key.environment_id", "=", environment.id);
  };
  const filtered = () => {
    const made =
      createdBy === undefined
        ? ofEnvironment()
        : ofEnvironment().where("api_key.created_by_id", "=", createdBy);
    const status = made.where((eb) => {
      const revoked = eb("api_key.revoked_at", "is not", null);
      const standing = eb("api_key.revoked_at", "is", null);
      const expired = eb("api_key.expires_at", "<=", filter.nowMs);
      const unexpired = eb.or([
        eb("api_key.expires_at", "is", null),
        eb("api_key.expires_at", ">", filter.nowMs),
      ]);
      switch (filter.status) {
        case "active":
          return eb.and([standing, unexpired]);
        case "expired":
          return eb.and([standing, expired]);
        case "revoked":
          return revoked;
        case "all":
          return eb.and([]);
      }
    });
    const used = status.where((eb) => {
      const unused = eb("key_use.last_used_at", "is", null);
      const overMs = filter.nowMs - LONG_UNUSED_MS;
      switch (filter.lastUsed) {
        case "any":
          return eb.and([]);
        case "never":
          return unused;
        case "over_90_days_ago":
          return eb.or([
            eb("key_use.last_used_at", "<", overMs),
            eb.and([unused, eb("api_key.created_at", "<", overMs)]),
          ]);
      }
    });
    const ending = used.where((eb) => {
      switch (filter.expires) {
        case "any":
          return eb.and([]);
        case "never":
          return eb("api_key.expires_at", "is", null);
        default:
          return eb.and([
            eb("api_key.expires_at", ">", filter.nowMs),
            eb("api_key.expires_at", "<=", filter.nowMs + WITHIN_MS[filter.expires]),
          ]);
      }
    });
    if (filter.text === "") return ending;
    return ending.where((eb) =>
      engine.contains(eb.ref("api_key.search_text"), filter.text.toLowerCase()),
    );
  };
  return readPage(page, {
    async hasEntry(id) {
      return (await ofEnvironment().where("api_key.id", "=", id).executeTakeFirst()) !== undefined;
    },
    async read({ olderThan, newerThan }: PageBound, limit) {
      let query = filtered();
      if (olderThan !== undefined) query = query.where("api_key.id", "<", olderThan);
      if (newerThan !== undefined) query = query.where("api_key.id", ">", newerThan);
      const rows = await query
        .orderBy("api_key.id", newerThan === undefined ? "desc" : "asc")
        .limit(limit)
        .execute();
      return rows.map(parseKey);
    },
  });
}
