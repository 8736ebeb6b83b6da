/** The list of an environment's keys: every page, search and filter of ten thousand. */
import { benchReads } from "./reads.mjs";
import { ASK } from "./world.mjs";

export const title = "The list of 10,000 keys";

const KEYS = 10_000;
const DAY_MS = 86_400_000;

export function run() {
  return benchReads({
    keys: KEYS,
    fill: ({ query }, _name, nowMs) => describe(query, nowMs),
    queries,
    what: `GET /v1/api_keys of ${KEYS.toLocaleString("en")} keys in one environment`,
  });
}

/** Of every kind some: described, used at any time or never, about to expire, expired, and in rotation. */
async function describe(query, nowMs) {
  await query(`update api_key set
      description = 'Service ' || number || ' of team ' || (number % 40),
      search_text = lower(hint || ' service ' || number || ' of team ' || (number % 40) || ' ' || id),
      created_at = ${nowMs} - cast(number % 400 as bigint) * ${DAY_MS},
      expires_at = case when number % 10 < 2 then ${nowMs} + (cast(number % 97 as bigint) - 20) * ${DAY_MS} end`);
  await query(`insert into key_use (key, last_used_at)
    select number, ${nowMs} - cast(number % 200 as bigint) * ${DAY_MS} from api_key where number % 3 > 0`);
  await query("analyze");
}

const QUERIES = {
  "first page": "",
  "first page of 200": "&page_size=200",
  "last page but one": "&page_size=200&after=key_00000000000000000000000000000100",
  "all, whatever they are": "&status=all&page_size=200",
  expired: "&status=expired",
  "revoked: none": "&status=revoked",
  "search that finds one": "&q=service%209999%20of",
  "search that finds none": "&q=nowhere",
  "never used": "&last_used=never",
  "not used for 90 days": "&last_used=over_90_days_ago",
  "expires within 7 days": "&expires=within_7_days",
  "all filters, and a search": "&q=team%2011&last_used=over_90_days_ago&expires=within_30_days",
};

function queries() {
  return Object.fromEntries(
    Object.entries(QUERIES).map(([name, query]) => [
      name,
      {
        path: `/v1/api_keys?environment=${ASK.environment}${query}`,
        isRight: (count) => (count === 0) === /none$/.test(name),
      },
    ]),
  );
}
