/** The SDK: what verifying in process saves, and how soon a revocation has reached apps below a node. */
import { fork } from "node:child_process";
import { once } from "node:events";
import os from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { startFleet, startOnSqlite } from "./fleet.mjs";
import { closeConnections, issueHeld, revoke } from "./held-keys.mjs";
import { inTurns, medians, ratiosOf } from "./measure.mjs";
import { startPostgres } from "./postgres.mjs";
import { each, rounds, table, target } from "./results.mjs";

export const title = "The SDK: in process against asking, and revocations below a node";

const SPEED = { keys: 100, rounds: 5, batches: 6 };
const FASTER_MIN = 20;

const APPS = 8;
const REVOKES = 200;
/** Before them, unmeasured: processes that run for months have compiled what they run. */
const WARM_UP = 200;
/** So that no revocation knows where the others' clocks stand, each is begun at a random moment of this span. */
const SPREAD_MS = 250;
/** What each app verifies besides. */
const LOAD = { keys: 50, everyMs: 20 };
const P50_MAX_MS = 10;
const P99_MAX_MS = 50;

const PAUSED = { leaseSeconds: 2, rounds: 5, after: 5 };
const RATE_ALLOWANCE = 0.01;
const SLACK_MS = 250;
const WHOLE_TIMEOUT_MS = 30_000;

export async function run() {
  const loadBefore = os.loadavg()[0];
  const postgres = await startPostgres();
  try {
    const speed = await measureSpeed(postgres);
    const engines = {
      SQLite: () => startOnSqlite({ leaseSeconds: 10 }),
      PostgreSQL: () => startFleet(postgres, { nodes: 1, leaseSeconds: 10 }),
    };
    const healthy = [];
    for (const [engine, start] of Object.entries(engines))
      for (const apps of [0, APPS])
        healthy.push({ engine, apps, taken: await measureHealthy(engine, start, apps) });
    const paused = await measurePaused(postgres);
    return report(speed, { healthy, paused }, loadBefore);
  } finally {
    closeConnections();
    await postgres.stop();
  }
}

async function measureSpeed(postgres) {
  const fleet = await startFleet(postgres, { nodes: 1, leaseSeconds: 10 });
  try {
    const tokens = await issueMany(fleet, SPEED.keys);
    const given = { url: fleet.nodes[0].server.url, verifierToken: fleet.verifierToken, tokens };
    const inputs = {
      sdk: { ...given, variant: "sdk" },
      one: { ...given, variant: "ask", connections: 1 },
      fifty: { ...given, variant: "ask", connections: 50 },
    };
    return await inTurns("sdk", inputs, SPEED);
  } finally {
    await fleet.stop();
  }
}

async function measureHealthy(engine, start, count) {
  process.stderr.write(`  ${count} apps below a node on ${engine}\n`);
  const fleet = await start();
  try {
    const apps = await startApps(fleet, count);
    const taken = [];
    for (let turn = -WARM_UP; turn < REVOKES; turn++) {
      const key = await issueTo(fleet, apps);
      if (turn >= 0) await delay(Math.random() * SPREAD_MS);
      const { tookMs, revocation } = await revoke(fleet, fleet.nodes[0], key, []);
      await expectNowhere(apps, key);
      if (revocation.acknowledged !== count + 1 || revocation.lapsed !== 0)
        throw new Error(`a healthy revocation was answered ${JSON.stringify(revocation)}`);
      if (turn >= 0) taken.push({ callMs: tookMs, barrierMs: revocation.took_ms });
    }
    return taken;
  } finally {
    await fleet.stop();
  }
}

async function measurePaused(postgres) {
  const { leaseSeconds, rounds: count, after } = PAUSED;
  const fleet = await startFleet(postgres, { nodes: 1, leaseSeconds });
  const measured = { delayed: [], next: [] };
  try {
    const apps = await startApps(fleet, APPS);
    const [last, others] = [apps.at(-1), apps.slice(0, -1)];
    for (let round = 0; round < count; round++) {
      process.stderr.write(`  round ${round + 1} of ${count}: paused (SIGSTOP)\n`);
      const keys = [];
      for (let at = 0; at <= after; at++) keys.push(await issueTo(fleet, apps));
      process.kill(last.pid, "SIGSTOP");
      try {
        for (const [at, key] of keys.entries()) {
          const { tookMs } = await revoke(fleet, fleet.nodes[0], key, []);
          await expectNowhere(others, key);
          measured[at === 0 ? "delayed" : "next"].push(tookMs);
        }
      } finally {
        process.kill(last.pid, "SIGCONT");
      }
      for (const key of keys) await expectNowhere([last], key);
    }
    return measured;
  } finally {
    await fleet.stop();
  }
}

async function issueMany(fleet, count) {
  const tokens = [];
  for (let at = 0; at < count; at++) tokens.push((await issueHeld(fleet, fleet.nodes)).token);
  return tokens;
}

/** A new key that each of these apps holds. */
async function issueTo(fleet, apps) {
  const key = await issueHeld(fleet, fleet.nodes);
  const deadlineMs = performance.now() + WHOLE_TIMEOUT_MS;
  for (const app of apps)
    while ((await app.ask(key.token)) !== "accepted") {
      if (performance.now() > deadlineMs) throw new Error("an app does not accept a fresh key");
      await delay(20); // it was paused, and is not back yet
    }
  return key;
}

async function expectNowhere(apps, { token }) {
  const outcomes = await Promise.all(apps.map((app) => app.ask(token)));
  if (outcomes.includes("accepted")) throw new Error("an app accepts a revoked key");
}

/** Starts apps below the first node, each a process of its own. */
async function startApps(fleet, count) {
  const { url } = fleet.nodes[0].server;
  const tokens = await issueMany(fleet, LOAD.keys);
  const given = { url, verifierToken: fleet.verifierToken, tokens, everyMs: LOAD.everyMs };
  return Promise.all(Array.from({ length: count }, () => startApp(fleet, given)));
}

async function startApp(fleet, given) {
  const path = new URL("workers/sdk-app.mjs", import.meta.url).pathname;
  const child = fork(path, [JSON.stringify(given)]);
  const ended = once(child, "exit");
  fleet.atStop(() => child.kill("SIGKILL"));
  const told = async () => {
    const [message] = await Promise.race([
      once(child, "message"),
      ended.then(() => {
        throw new Error("an app ended before it was told to");
      }),
    ]);
    return message;
  };
  await told();
  return {
    pid: child.pid,
    ask(token) {
      child.send(token);
      return told();
    },
  };
}

function report(speed, { healthy, paused }, loadBefore) {
  const one = ratiosOf(speed.one, speed.sdk);
  const fifty = ratiosOf(speed.fifty, speed.sdk);
  const withApps = healthy.filter(({ apps }) => apps > 0);
  const quick = withApps.flatMap(({ engine, taken }) => {
    const calls = taken.map(({ callMs }) => callMs);
    const [p50, p99] = [quantile(calls, 0.5), quantile(calls, 0.99)];
    const what = `revoke, ${APPS} apps below a node on ${engine}`;
    return [
      target(`${what}, p50`, ms(p50), `≤ ${P50_MAX_MS} ms`, p50 <= P50_MAX_MS),
      "",
      target(`${what}, p99`, ms(p99), `≤ ${P99_MAX_MS} ms`, p99 <= P99_MAX_MS),
      "",
    ];
  });
  const delayed = Math.max(...paused.delayed);
  const next = Math.max(...paused.next);
  const delayedMaxMs = PAUSED.leaseSeconds * 1_000 * (1 + RATE_ALLOWANCE) + SLACK_MS;
  const faster = (what, { ratio }) =>
    target(
      `warm \`verify\` of the SDK against asking \`/v1/authenticate\` on loopback, ${what}`,
      `**${ratio.toFixed(0)} ×** as fast`,
      `≥ ${FASTER_MIN} ×`,
      ratio >= FASTER_MIN,
    );
  const ns = (name, of) => rounds(name, medians(of));
  return [
    faster("one at a time", one),
    "",
    faster("50 at a time", fifty),
    "",
    ...quick,
    target(
      `one of ${APPS} apps paused, the worst of ${PAUSED.rounds}`,
      ms(delayed),
      `≤ ${delayedMaxMs} ms: a lease of ${PAUSED.leaseSeconds} s, its allowance and ${SLACK_MS} ms`,
      delayed <= delayedMaxMs,
    ),
    "",
    target(
      `the ${PAUSED.after} revokes after each of those, while it is still paused, the worst`,
      ms(next),
      `≤ ${SLACK_MS} ms`,
      next <= SLACK_MS,
    ),
    "",
    ...table(
      [`ns on the wall for each of ${SPEED.keys} warm tokens in turn`, "median", "rounds"],
      [
        ns("the SDK, in process", speed.sdk),
        ns("asking, one connection", speed.one),
        ns("asking, 50 connections", speed.fifty),
      ],
    ),
    "",
    ...table(
      [`ms, ${REVOKES} revokes each, p50 p99 worst`, "the call", "of it, the wait for verifiers"],
      [
        ...healthy.map(({ engine, apps, taken: revokes }) => [
          `${apps === 0 ? "no" : apps} apps, ${engine}`,
          ...taken(revokes),
        ]),
      ],
    ),
    "",
    `Ratios by round: ${each(one.ratios, 0)}; ${each(fifty.ratios, 0)}. Revokes with one of ${APPS} apps ` +
      `paused: ${each(paused.delayed, 0)} ms, after it p50 ` +
      `${quantile(paused.next, 0.5).toFixed(1)} ms. Accepted after the call returned: **0**; every app was asked at once ` +
      `after each revoke, the paused one when it went on. Each app verified ${LOAD.keys} warm keys every ` +
      `${LOAD.everyMs} ms meanwhile. The machine's load average: ${loadBefore.toFixed(1)} before, ` +
      `${os.loadavg()[0].toFixed(1)} after.`,
  ];
}

function taken(revokes) {
  return ["callMs", "barrierMs"].map((part) => {
    const all = revokes.map((revoke) => revoke[part]);
    return [0.5, 0.99, 1].map((share) => quantile(all, share).toFixed(1)).join(" ");
  });
}

/** The smallest number that so many of all are no greater than. */
function quantile(all, share) {
  return all.toSorted((a, b) => a - b)[Math.ceil(all.length * share) - 1];
}

function ms(number) {
  return `**${number.toFixed(1)} ms**`;
}
