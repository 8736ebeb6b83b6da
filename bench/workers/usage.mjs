/** Stores what a busy node counts, as a server does, and measures how long that takes and holds everything up. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { openPostgres } from "../../server/dist/store/postgres.js";
import { openSqlite } from "../../server/dist/store/sqlite.js";

const { path, url, keys, flushes, counts, pauseMs, burst } = JSON.parse(process.argv[2]);

const BATCH_MAX = 1_000;
const CALLERS = 100;
const REFUSALS = 50;
const MINUTE_MS = 60_000;
const SAMPLE_MS = 1;

let made = 0;
const randomId = () => `bench_${process.pid}_${++made}`;
const { store } =
  url === undefined
    ? await openSqlite(path, { randomId })
    : await openPostgres(url, { randomId, leaseMs: 10_000 });
const source = randomId();
let number = 0;
let sent = 0;

/** One flush: batches of keys that lie far apart, each another one until all have had their turn. */
function batches(size, minuteMs) {
  const all = [];
  for (let left = size; left > 0; left -= BATCH_MAX)
    all.push({
      source,
      number: ++number,
      counts: Array.from({ length: Math.min(left, BATCH_MAX) }, () => ({
        keyId: keyOf(sent++),
        minuteMs,
        counts: { accepted: 3, revoked: 0, expired: 0, type: 0, environment: 0 },
        lastAcceptedMs: Date.now(),
      })),
      callers: Array.from({ length: CALLERS }, (_, index) => ({
        keyId: keyOf(sent + index),
        address: `203.0.113.${index}`,
        userAgent: "bench",
        firstMs: Date.now(),
        lastMs: Date.now(),
        count: 3,
      })),
      refusals: Array.from({ length: REFUSALS }, (_, index) => ({
        requestId: randomId(),
        atMs: Date.now(),
        reason: "revoked",
        keyId: keyOf(sent + index),
        types: ["secret"],
        environment: null,
        address: "203.0.113.7",
        userAgent: "bench",
      })),
    });
  return all;
}

/** Far from the one before; 7,919 is prime to any number of keys here. */
function keyOf(turn) {
  return `key_${((turn * 7_919) % keys).toString(16).padStart(32, "0")}`;
}

/** The longest time that the loop came late while `work` went on. */
async function stallOf(work) {
  const delays = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  delays.enable();
  await delay(2 * SAMPLE_MS);
  delays.reset();
  await work();
  await delay(2 * SAMPLE_MS);
  delays.disable();
  return delays.max / 1e6;
}

const flushMs = [];
const stallMs = [];
const idleMs = [];
const startedMs = Date.now() - (Date.now() % MINUTE_MS);
for (let flush = 0; flush < flushes; flush++) {
  const some = batches(counts, startedMs + Math.floor(flush / 60) * MINUTE_MS);
  await delay(pauseMs);
  let took = 0;
  stallMs.push(
    await stallOf(async () => {
      const fromMs = performance.now();
      await store.recordUsage(some, Date.now());
      took = performance.now() - fromMs;
    }),
  );
  flushMs.push(took);
  // As long again, doing nothing: what the machine itself holds up.
  idleMs.push(await stallOf(() => delay(took)));
}
const all = batches(burst, startedMs + 60 * MINUTE_MS);
let burstMs = 0;
const burstStallMs = await stallOf(async () => {
  const fromMs = performance.now();
  await store.recordUsage(all, Date.now());
  burstMs = performance.now() - fromMs;
});
await store.close();
console.log(JSON.stringify({ flushMs, stallMs, idleMs, burstMs, burstStallMs }));
