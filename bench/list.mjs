/** The list of an environment's keys: every page, search and filter of ten thousand. */
import os from "node:os";
import { ask, openers, quantile, spread } from "./engines.mjs";
import { startPostgres } from "./postgres.mjs";
import { table, target } from "./results.mjs";
import { ASK } from "./world.mjs";

export const title = "The list of 10,000 keys";

const KEYS = 10_000;
const ROUNDS = 25;
const WARM_UP = 3;
const READ_MAX_MS = 100;
const DAY_MS = 86_400_000;

export async function run() {
  const loadBefore = os.loadavg()[0];
  const postgres = await startPostgres();
  try {
    const read = {};
    for (const [engine, open] of Object.entries(openers(postgres))) {
      process.stderr.write(`  ${engine}\n`);
      read[engine] = await measure(await open(KEYS));
    }
    return report(read, { loadBefore, version: postgres.version });
  } finally {
    await postgres.stop();
  }
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

/** Milliseconds of each request, by what is asked. */
async function measure(engine) {
  try {
    await describe(engine.query, Date.now());
    const { url, token, stop } = await engine.start();
    try {
      const taken = Object.fromEntries(Object.keys(QUERIES).map((name) => [name, []]));
      for (let round = 0; round < WARM_UP + ROUNDS; round++)
        for (const [name, query] of Object.entries(QUERIES)) {
          const path = `/v1/api_keys?environment=${ASK.environment}${query}`;
          const { tookMs, answer } = await ask(`${url}${path}`, token);
          if ((answer.entries.length === 0) !== /none$/.test(name))
            throw new Error(`${path} found ${answer.entries.length}`);
          if (round >= WARM_UP) taken[name].push(tookMs);
        }
      return taken;
    } finally {
      await stop();
    }
  } finally {
    await engine.stop();
  }
}

function report(read, { loadBefore, version }) {
  const readings = Object.entries(read).flatMap(([engine, taken]) =>
    Object.entries(taken).map(([name, ms]) => ({ engine, name, ms })),
  );
  const slowest = Math.max(...readings.map(({ ms }) => quantile(ms, 0.95)));
  return [
    target(
      `GET /v1/api_keys of ${KEYS.toLocaleString("en")} keys in one environment, the slowest p95`,
      `${slowest.toFixed(0)} ms`,
      `≤ ${READ_MAX_MS} ms`,
      slowest <= READ_MAX_MS,
    ),
    "",
    ...table(
      ["GET, ms", "engine", "p50", "p95", "max"],
      readings.map(({ engine, name, ms }) => [name, engine, ...spread(ms)]),
    ),
    "",
    `PostgreSQL ${version}, ${ROUNDS} requests of each kind. Load of the machine before the first: ${loadBefore.toFixed(1)}.`,
  ];
}
