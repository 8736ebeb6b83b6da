/** Plays one tree of nodes and verifiers in the simulator, and says what became of it in numbers. */
import { createViteServer } from "vitest/node";

/** The model is TypeScript; the test runner's own loader reads it, with the paths of its configuration. */
async function loadModel() {
  const root = new URL("../../", import.meta.url).pathname;
  const loader = await createViteServer({
    root,
    configFile: `${root}vitest.config.ts`,
    appType: "custom",
    logLevel: "error",
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  const { playScale } = await loader.ssrLoadModule("/server/test/simulator/scale.ts");
  return { playScale, close: () => loader.close() };
}

/** Of the sorted `numbers`; exact, for all were measured. */
function quantile(numbers, part) {
  return numbers[Math.min(numbers.length - 1, Math.floor(numbers.length * part))];
}

function quantiles(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

function sum(counts) {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Statements of the lease protocol; the one that records the end of a revocation is an update and a reading. */
function statementsOf({ statements }) {
  return sum(statements) + (statements.recordEffective ?? 0);
}

/** Frames of the lease protocol, both ways; those of look-ups are the callers' doing. */
function framesOf({ frames: { look: _look, found: _found, ...rest } }) {
  return sum(rest);
}

const options = JSON.parse(process.argv[2]);
const { playScale, close } = await loadModel();
const startedMs = performance.now();
const outcome = await playScale(options);
const ranMs = performance.now() - startedMs;
await close();

const { revoked, idle, idleMs, busy, busyMs, handlingUs } = outcome;
const everybody = options.verifiers + idle.length;
if (outcome.violations.length > 0) throw new Error(JSON.stringify(outcome.violations[0]));
const short = revoked.find((each) => each.acknowledged !== everybody || each.lapsed > 0);
if (short !== undefined) throw new Error(`not confirmed by all: ${JSON.stringify(short)}`);

const idlePerSecond = idle.map((work) => ({
  place: work.place,
  statements: (statementsOf(work) / idleMs) * 1_000,
  frames: (framesOf(work) / idleMs) * 1_000,
}));
/** What a revocation costs: what was done while there were some, less what is done anyhow. */
const forEach = (work, at, of) => (of(work) - (of(idle[at]) * busyMs) / idleMs) / revoked.length;
process.stdout.write(
  JSON.stringify({
    answered: quantiles(revoked.map(({ answeredMs }) => answeredMs)),
    acked: quantiles(revoked.map(({ ackedMs }) => ackedMs)),
    answeredIn: Object.fromEntries(
      options.places.map(({ name }) => {
        const there = revoked.filter(({ place }) => place === name);
        return [name, quantiles(there.map(({ answeredMs }) => answeredMs))];
      }),
    ),
    idle: idlePerSecond,
    revocation: busy.map((work, at) => ({
      place: work.place,
      statements: forEach(work, at, statementsOf),
      frames: (work.frames.change + work.frames.ack) / revoked.length,
    })),
    handlingUs: quantiles(handlingUs),
    events: outcome.events,
    lastedMs: outcome.lastedMs,
    ranMs,
  }),
);
