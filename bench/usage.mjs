/** Usage: reading what many keys have left in a month, and storing what a busy node counts in a second. */
import os from "node:os";
import { ask, openers, quantile, spread } from "./engines.mjs";
import { median, runWorker } from "./measure.mjs";
import { startPostgres } from "./postgres.mjs";
import { readingsTable } from "./reads.mjs";
import { table, target } from "./results.mjs";
import { ASK } from "./world.mjs";

export const title = "Usage: read, and stored";

const READ = { keys: 10_000, rounds: 25, warmUp: 3 };
const READ_MAX_MS = 200;

/** 100,000 keys that are active in every minute: so many in each second. */
const STORED = { keys: 100_000, flushes: 60, counts: 1_667, pauseMs: 100, burst: 100_000 };
const STORED_TIMEOUT_MS = 600_000;
const FLUSH_MAX_MS = 250;
const STALL_MAX_MS = 20;

/** What is filled: every key in every bucket, the one that is under way among them. */
const BUCKETS = {
  day: { table: "usage_day", lengthMs: 86_400_000, buckets: 31 },
  hour: { table: "usage_hour", lengthMs: 3_600_000, buckets: 25 },
  minute: { table: "usage_minute", lengthMs: 60_000, buckets: 64 },
};

const SPANS = { day: "30 days", hour: "24 hours", minute: "1 hour" };
const GROUPS = {
  outcome: "group_by=outcome",
  "top 25 keys": "group_by=key,outcome&top=25",
};

export async function run() {
  const loadBefore = os.loadavg()[0];
  const postgres = await startPostgres();
  try {
    const read = {};
    const stored = {};
    for (const [engine, open] of Object.entries(openers(postgres))) {
      process.stderr.write(`  ${engine}: reading\n`);
      read[engine] = await measureReading(await open(READ.keys));
      process.stderr.write(`  ${engine}: storing\n`);
      stored[engine] = await measureStoring(await open(STORED.keys));
    }
    return report(read, stored, { loadBefore, version: postgres.version });
  } finally {
    await postgres.stop();
  }
}

/** Every key in every bucket, few of them often and most of them seldom, as keys are used. */
async function fillUsage(query, nowMs) {
  const counts = "accepted, revoked, expired, wrong_type, wrong_environment";
  for (const { table, lengthMs, buckets } of Object.values(BUCKETS)) {
    const lastMs = nowMs - (nowMs % lengthMs);
    await query(`insert into ${table} (environment, at, key, ${counts})
      with recursive bucket (n) as (select 0 union all select n + 1 from bucket where n < ${buckets - 1})
      select environment.number, ${lastMs} - cast(bucket.n as bigint) * ${lengthMs}, api_key.number,
        5000 / (1 + (api_key.number * 7919) % ${READ.keys}) + 1 + (api_key.number + bucket.n) % 7,
        (api_key.number + bucket.n) % 11 / 10, 0, 0, 0
      from bucket cross join api_key join environment on environment.id = api_key.environment_id
      where environment.slug = '${ASK.environment}'`);
    await query(`insert into ${table} (environment, at, key, ${counts})
      select environment, at, 0, ${counts.replaceAll(/\w+/g, "sum($&)")}
      from ${table} group by environment, at`);
  }
  await query("analyze");
}

/** Milliseconds of each request, by engine's name of what is asked. */
async function measureReading(engine) {
  try {
    await fillUsage(engine.query, Date.now());
    const ids = (await engine.query("select id from api_key order by id desc limit 25")).map(
      ({ id }) => id,
    );
    const { url, token, stop } = await engine.start();
    try {
      const asked = queriesOf(ids);
      const taken = Object.fromEntries(Object.keys(asked).map((name) => [name, []]));
      for (let round = 0; round < READ.warmUp + READ.rounds; round++)
        for (const [name, path] of Object.entries(asked)) {
          const { tookMs, answer } = await ask(`${url}${path}`, token);
          if (answer.entries.length < 24) throw new Error(`${path} found too little`);
          if (round >= READ.warmUp) taken[name].push(tookMs);
        }
      return taken;
    } finally {
      await stop();
    }
  } finally {
    await engine.stop();
  }
}

function queriesOf(ids) {
  const of = (granularity, rest) =>
    `/v1/usage?environment=${ASK.environment}&granularity=${granularity}&${rest}`;
  const asked = {};
  for (const [granularity, span] of Object.entries(SPANS))
    for (const [group, rest] of Object.entries(GROUPS))
      asked[`${span}, ${group}`] = of(granularity, rest);
  asked["24 hours of the 25 keys of a page"] = of(
    "hour",
    `group_by=key,outcome&api_key_ids=${ids.join()}`,
  );
  asked["one key's page, 30 days"] = `/v1/api_keys/${ids[0]}/usage?granularity=day`;
  return asked;
}

async function measureStoring(engine) {
  try {
    return await runWorker("usage", { ...engine.worker, ...STORED }, [], STORED_TIMEOUT_MS);
  } finally {
    await engine.stop();
  }
}

function report(read, stored, { loadBefore, version }) {
  const readings = Object.entries(read).flatMap(([engine, taken]) =>
    Object.entries(taken).map(([name, ms]) => ({ engine, name, ms })),
  );
  const slowest = Math.max(...readings.map(({ ms }) => quantile(ms, 0.95)));
  const flushMax = Math.max(...Object.values(stored).map(({ flushMs }) => quantile(flushMs, 0.95)));
  const stallMax = Math.max(...Object.values(stored).map(({ stallMs }) => median(stallMs)));
  return [
    target(
      `reading over HTTP, ${READ.keys.toLocaleString("en")} keys that were used in every bucket, the slowest p95`,
      `${slowest.toFixed(0)} ms`,
      `≤ ${READ_MAX_MS} ms`,
      slowest <= READ_MAX_MS,
    ),
    "",
    ...readingsTable(readings),
    "",
    target(
      `storing ${STORED.counts.toLocaleString("en")} counts, a second of ${STORED.keys.toLocaleString("en")} keys that are active in every minute, the slower p95`,
      `${flushMax.toFixed(0)} ms`,
      `≤ ${FLUSH_MAX_MS} ms`,
      flushMax <= FLUSH_MAX_MS,
    ),
    "",
    target(
      "the longest stall of the event loop meanwhile, the longer median",
      `${stallMax.toFixed(0)} ms`,
      `≤ ${STALL_MAX_MS} ms`,
      stallMax <= STALL_MAX_MS,
    ),
    "",
    ...table(
      ["storing, ms", "engine", "p50", "p95", "max"],
      Object.entries(stored).flatMap(([engine, { flushMs, stallMs, idleMs }]) => [
        ["a flush", engine, ...spread(flushMs)],
        ["its longest stall", engine, ...spread(stallMs)],
        ["the longest stall of as long a time without", engine, ...spread(idleMs)],
      ]),
    ),
    "",
    `${STORED.burst.toLocaleString("en")} counts at once (for information): ${Object.entries(stored)
      .map(
        ([engine, { burstMs, burstStallMs }]) =>
          `${engine} ${(burstMs / 1_000).toFixed(1)} s, longest stall ${burstStallMs.toFixed(0)} ms`,
      )
      .join(
        "; ",
      )}. PostgreSQL ${version}, ${STORED.flushes} flushes, ${READ.rounds} requests of each kind. Load of the machine before the first: ${loadBefore.toFixed(1)}.`,
  ];
}
