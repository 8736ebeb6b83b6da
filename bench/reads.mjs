/** What a real server on either engine takes to answer lists over HTTP. */
import os from "node:os";
import { ask, openers, quantile, spread } from "./engines.mjs";
import { startPostgres } from "./postgres.mjs";
import { table, target } from "./results.mjs";

const ROUNDS = 25;
const WARM_UP = 3;
const READ_MAX_MS = 100;

/**
 * @param plan.keys In one environment, before `fill`.
 * @param plan.fill Called with the engine, its name and the time; writes what is read.
 * @param plan.queries Called with the same time: by their names, the paths and how many entries are right, which throws.
 * @param plan.what What is read, for people.
 * @param plan.note Put before how loaded the machine was.
 */
export async function benchReads({ keys, fill, queries, what, note = "" }) {
  const loadBefore = os.loadavg()[0];
  const postgres = await startPostgres();
  try {
    const readings = [];
    for (const [name, open] of Object.entries(openers(postgres))) {
      process.stderr.write(`  ${name}\n`);
      const engine = await open(keys);
      try {
        // Whole minutes, so that ids made here are those that SQL made.
        const nowMs = Math.floor(Date.now() / 60_000) * 60_000;
        await fill(engine, name, nowMs);
        readings.push(...(await measure(engine, name, queries(nowMs))));
      } finally {
        await engine.stop();
      }
    }
    const slowest = Math.max(...readings.map(({ ms }) => quantile(ms, 0.95)));
    return [
      target(
        `${what}, the slowest p95`,
        `${slowest.toFixed(0)} ms`,
        `≤ ${READ_MAX_MS} ms`,
        slowest <= READ_MAX_MS,
      ),
      "",
      ...readingsTable(readings),
      "",
      `PostgreSQL ${postgres.version}, ${ROUNDS} requests of each kind. ${note}Load of the machine before the first: ${loadBefore.toFixed(1)}.`,
    ];
  } finally {
    await postgres.stop();
  }
}

/** Milliseconds of each request, by what is asked: `{ name, engine, ms }`. */
async function measure(engine, engineName, queries) {
  const { url, token, stop } = await engine.start();
  try {
    const taken = Object.keys(queries).map((name) => ({ name, engine: engineName, ms: [] }));
    for (let round = 0; round < WARM_UP + ROUNDS; round++)
      for (const { name, ms } of taken) {
        const { path, isRight } = queries[name];
        const { tookMs, answer } = await ask(`${url}${path}`, token);
        if (!isRight(answer.entries.length))
          throw new Error(`${name}: ${path} found ${answer.entries.length}`);
        if (round >= WARM_UP) ms.push(tookMs);
      }
    return taken;
  } finally {
    await stop();
  }
}

/** Of `{ name, engine, ms }`. */
export function readingsTable(readings) {
  return table(
    ["GET, ms", "engine", "p50", "p95", "max"],
    readings.map(({ name, engine, ms }) => [name, engine, ...spread(ms)]),
  );
}
