/** Revoke until refused on every node, between real processes on a durable PostgreSQL. */
import { fork } from "node:child_process";
import { once } from "node:events";
import os from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { startFleet } from "./fleet.mjs";
import { closeConnections, expectNotAccepted, issueHeld, revoke, timed } from "./held-keys.mjs";
import { startPostgres } from "./postgres.mjs";
import { each, table, target } from "./results.mjs";

export const title = "Revoke until refused on every node";

const NODES = [1, 3, 8];
const REVOKES = 200;
/**
 * Before them on each node, unmeasured: processes that run for months have compiled what they run. Without NOTIFY it makes
 * no difference to what is a quarter of a second, and would take that each time.
 */
const WARM_UP = 200;
const WARM_UP_SLOW = 5;
const LEASE_SECONDS = 10;
/** So that no revocation knows where the others' clocks stand, each is begun at a random moment of this span. */
const SPREAD_MS = 250;
/** On each node: 8 of them share two cores with the database and the clients. */
const LOAD = { keys: 50, everyMs: 20 };

const LOST = { nodes: 3, leaseSeconds: 2, rounds: 5, after: 5 };
/** What a wait that outlives a node may take beyond its lease. */
const RATE_ALLOWANCE = 0.01;
const LOST_SLACK_MS = 250;
const WHOLE_TIMEOUT_MS = 30_000;

const P50_MAX_MS = 10;
const P99_MAX_MS = 50;
const WORST_OF_THREE_MAX_MS = 100;

export async function run() {
  const loadBefore = os.loadavg()[0];
  const postgres = await startPostgres();
  try {
    const healthy = [];
    for (const notify of [true, false])
      for (const nodes of NODES) healthy.push(await measureHealthy(postgres, nodes, notify));
    const lost = await measureLost(postgres);
    return report(healthy, lost, { loadBefore, version: postgres.version });
  } finally {
    closeConnections();
    await postgres.stop();
  }
}

async function measureHealthy(postgres, nodes, notify) {
  process.stderr.write(`  ${nodes} nodes, ${notify ? "with" : "without"} NOTIFY\n`);
  const fleet = await startFleet(postgres, { nodes, leaseSeconds: LEASE_SECONDS, notify });
  try {
    const load = await startLoad(fleet, fleet.nodes);
    await fleet.db.query("create table bare (at bigint)");
    await fleet.db.query("insert into bare values (0)");
    const taken = [];
    const waited = [];
    const bare = [];
    for (let turn = 0; turn < (notify ? WARM_UP : WARM_UP_SLOW) * nodes; turn++)
      await revoke(
        fleet,
        fleet.nodes[turn % nodes],
        await issueHeld(fleet, fleet.nodes),
        fleet.nodes,
      );
    const announcedBefore = fleet.announced();
    for (let turn = 0; turn < REVOKES; turn++) {
      const by = fleet.nodes[turn % nodes];
      const { tookMs, revocation } = await revokeHeld(fleet, by, fleet.nodes);
      if (revocation.acknowledged !== nodes || revocation.lapsed !== 0)
        throw new Error(`a healthy revocation was answered ${JSON.stringify(revocation)}`);
      taken.push(tookMs);
      waited.push(revocation.took_ms);
      bare.push(await timed(() => fleet.db.query("update bare set at = at + 1")));
    }
    const announced = fleet.announced() - announcedBefore;
    if (announced !== (notify ? REVOKES : 0)) throw new Error(`${announced} were announced`);
    return { nodes, notify, taken, waited, bare, ...(await load.stop()) };
  } finally {
    await fleet.stop();
  }
}

/** Every way to lose one of the nodes, by name, and to have it back. */
const LOSSES = {
  "paused (SIGSTOP)": {
    lose: ({ server }) => process.kill(server.pid, "SIGSTOP"),
    restore: ({ server }) => process.kill(server.pid, "SIGCONT"),
  },
  "cut off from the database": {
    lose: ({ link }) => link.cut(),
    restore: ({ link }) => link.heal(),
  },
  "killed (SIGKILL)": {
    lose: ({ server }) => process.kill(server.pid, "SIGKILL"),
    async restore(node) {
      node.server = await node.start();
    },
  },
};

async function measureLost(postgres) {
  const { nodes, leaseSeconds, rounds, after } = LOST;
  const fleet = await startFleet(postgres, { nodes, leaseSeconds, linked: true });
  const last = fleet.nodes.at(-1);
  const others = fleet.nodes.slice(0, -1);
  const measured = Object.fromEntries(
    Object.keys(LOSSES).map((loss) => [loss, { delayed: [], next: [] }]),
  );
  try {
    const load = await startLoad(fleet, others);
    for (let round = 0; round < rounds; round++)
      for (const [loss, { lose, restore }] of Object.entries(LOSSES)) {
        process.stderr.write(`  round ${round + 1} of ${rounds}: ${loss}\n`);
        await whole(fleet);
        const keys = [];
        for (let at = 0; at <= after; at++) keys.push(await issueHeld(fleet, fleet.nodes));
        lose(last);
        try {
          for (const [at, key] of keys.entries()) {
            const { tookMs } = await revoke(fleet, others[at % others.length], key, others);
            measured[loss][at === 0 ? "delayed" : "next"].push(tookMs);
          }
        } finally {
          await restore(last);
        }
        for (const { token } of keys) await expectNotAccepted(last, token);
      }
    await load.stop();
    return measured;
  } finally {
    await fleet.stop();
  }
}

async function revokeHeld(fleet, by, nodes) {
  const key = await issueHeld(fleet, nodes);
  await delay(Math.random() * SPREAD_MS);
  return revoke(fleet, by, key, nodes);
}

/** Resolves when exactly the running nodes have a row, and all answer. */
async function whole(fleet) {
  const deadlineMs = performance.now() + WHOLE_TIMEOUT_MS;
  for (;;) {
    const { rows } = await fleet.db.query("select count(*)::int as count from node");
    if (rows[0].count === fleet.nodes.length) break;
    if (performance.now() > deadlineMs) throw new Error("the fleet did not become whole again");
    await delay(20);
  }
}

/** Starts verifying on these nodes, in a process of its own. */
async function startLoad(fleet, nodes) {
  const tokens = [];
  for (let key = 0; key < LOAD.keys; key++) tokens.push((await issueHeld(fleet, nodes)).token);
  const urls = nodes.map(({ server }) => server.url);
  const path = new URL("workers/revocation-load.mjs", import.meta.url).pathname;
  const child = fork(path, [JSON.stringify({ urls, tokens, everyMs: LOAD.everyMs })]);
  const ended = once(child, "exit");
  fleet.atStop(() => child.kill("SIGKILL"));
  const told = async () => {
    const [message] = await Promise.race([
      once(child, "message"),
      ended.then(() => {
        throw new Error("the load ended before it was told to");
      }),
    ]);
    return message;
  };
  await told();
  const startedMs = performance.now();
  return {
    async stop() {
      child.send("stop");
      const { verified, otherwise } = await told();
      if (otherwise > 0) throw new Error(`${otherwise} verifications of valid keys went wrong`);
      return { perSecond: (verified * 1_000) / (performance.now() - startedMs) };
    },
  };
}

function report(healthy, lost, { loadBefore, version }) {
  const eight = healthy.find(({ nodes, notify }) => nodes === 8 && notify);
  const three = healthy.find(({ nodes, notify }) => nodes === 3 && notify);
  const [p50, p99] = [quantile(eight.taken, 0.5), quantile(eight.taken, 0.99)];
  const worstOfThree = Math.max(...three.taken);
  const delayedMaxMs = LOST.leaseSeconds * 1_000 * (1 + RATE_ALLOWANCE) + LOST_SLACK_MS;
  const delayed = Math.max(...Object.values(lost).flatMap(({ delayed }) => delayed));
  const next = Math.max(...Object.values(lost).flatMap(({ next }) => next));
  return [
    target("8 nodes, all well, p50", ms(p50), `≤ ${P50_MAX_MS} ms`, p50 <= P50_MAX_MS),
    "",
    target("8 nodes, all well, p99", ms(p99), `≤ ${P99_MAX_MS} ms`, p99 <= P99_MAX_MS),
    "",
    target(
      `3 nodes, all well, the worst of ${REVOKES}`,
      ms(worstOfThree),
      `≤ ${WORST_OF_THREE_MAX_MS} ms`,
      worstOfThree <= WORST_OF_THREE_MAX_MS,
    ),
    "",
    target(
      `one of ${LOST.nodes} nodes lost, the worst of ${LOST.rounds * Object.keys(lost).length}`,
      ms(delayed),
      `≤ ${delayedMaxMs} ms: a lease of ${LOST.leaseSeconds} s, its allowance and ${LOST_SLACK_MS} ms`,
      delayed <= delayedMaxMs,
    ),
    "",
    target(
      `the ${LOST.after} revokes after each of those, while it is still lost, the worst`,
      ms(next),
      `≤ ${LOST_SLACK_MS} ms`,
      next <= LOST_SLACK_MS,
    ),
    "",
    ...table(
      [
        `ms, ${REVOKES} revokes each`,
        "p50",
        "p99",
        "worst",
        "of it from its commit until refused everywhere, p50 p99 worst",
        "bare commit, p50 p99 worst",
      ],
      healthy.map(({ nodes, notify, taken, waited, bare }) => [
        `${nodes} ${nodes === 1 ? "node" : "nodes"}, ${notify ? "with" : "without"} NOTIFY`,
        ...numbers(taken),
        each(numbersOf(waited), 0),
        numbers(bare).join(" "),
      ]),
    ),
    "",
    ...table(
      [
        `ms, one of ${LOST.nodes} nodes, leases of ${LOST.leaseSeconds} s`,
        "first revoke",
        `the ${LOST.after} after it`,
      ],
      Object.entries(lost).map(([loss, { delayed, next }]) => [
        loss,
        each(delayed, 0),
        `p50 ${quantile(next, 0.5).toFixed(1)}, worst ${Math.max(...next).toFixed(1)}`,
      ]),
    ),
    "",
    `Accepted after the call returned: **0**; every node was asked at once after each of ` +
      `${healthy.length * REVOKES + Object.keys(lost).length * LOST.rounds * (LOST.after + 1)} revokes. Every node verified ` +
      `warm keys meanwhile, ${each(
        healthy.map(({ perSecond, nodes }) => perSecond / nodes),
        0,
      )} a second each. ` +
      `PostgreSQL ${version}, \`fsync\` on. The machine's load average: ${loadBefore.toFixed(1)} before, ${os.loadavg()[0].toFixed(1)} after.`,
  ];
}

/** The smallest number that so many of all are no greater than. */
function quantile(all, share) {
  return all.toSorted((a, b) => a - b)[Math.ceil(all.length * share) - 1];
}

function numbers(all) {
  return numbersOf(all).map((one) => one.toFixed(1));
}

function numbersOf(all) {
  return [quantile(all, 0.5), quantile(all, 0.99), Math.max(...all)];
}

function ms(number) {
  return `**${number.toFixed(1)} ms**`;
}
