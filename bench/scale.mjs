/** How long a revocation takes over wide-area round trips, and what it costs, by the number of verifiers: a model. */
import { median, runWorker } from "./measure.mjs";
import { table, target } from "./results.mjs";

export const title = "Scale: a tree of nodes and verifiers, in simulated time";

const SEED = 1;
const LEASE_MS = 10_000;
const VERIFIERS = [10, 100, 1_000, 10_000];
const REVOCATIONS = 100;

/** Round trips, ms: assumptions, of the size that public clouds publish. */
const RTT_MS = { region: 1.5, coasts: 70, ocean: 90, asia: 180 };

/** Where nodes stand; the database is in the first place of each. Verifiers are in the region of their node. */
const PLANS = {
  "one region, 4 nodes": [{ name: "here", storeRttMs: RTT_MS.region, nodes: 4 }],
  "US east and west, 2 nodes each": [
    { name: "US east", storeRttMs: RTT_MS.region, nodes: 2 },
    { name: "US west", storeRttMs: RTT_MS.coasts, nodes: 2 },
  ],
  "EU and US, 2 nodes each": [
    { name: "EU", storeRttMs: RTT_MS.region, nodes: 2 },
    { name: "US", storeRttMs: RTT_MS.ocean, nodes: 2 },
  ],
  "EU, US and Asia, 2 nodes each": [
    { name: "EU", storeRttMs: RTT_MS.region, nodes: 2 },
    { name: "US", storeRttMs: RTT_MS.ocean, nodes: 2 },
    { name: "Asia", storeRttMs: RTT_MS.asia, nodes: 2 },
  ],
};
const ALONE = "one region, 1 node";
const ONE_NODE = [{ name: "here", storeRttMs: RTT_MS.region, nodes: 1 }];

/** The largest tree is played where it tells something new. */
const LARGEST_IN = ["one region, 4 nodes", "EU, US and Asia, 2 nodes each"];

/** The largest trees take about a minute on an idle machine, and this long on a very busy one. */
const PLAY_MAX_MS = 600_000;

/** What the length of a lease costs is played with these. */
const LEASES_MS = [1_000, 10_000, 30_000, 60_000];

const P50_MAX_MS = 50;
const GROWTH_MAX = 1.5;

function play(plan, verifiers, changed = {}) {
  process.stderr.write(`  ${plan}, ${verifiers} verifiers ${JSON.stringify(changed)}\n`);
  const options = {
    seed: SEED,
    leaseMs: LEASE_MS,
    places: PLANS[plan] ?? ONE_NODE,
    verifiers,
    verifierRttMs: RTT_MS.region,
    notify: true,
    revocations: REVOCATIONS,
    ...changed,
  };
  return runWorker("scale", options, [], PLAY_MAX_MS);
}

export async function run() {
  const sizes = [];
  for (const plan of Object.keys(PLANS))
    for (const verifiers of VERIFIERS)
      if (verifiers < Math.max(...VERIFIERS) || LARGEST_IN.includes(plan))
        sizes.push({ plan, verifiers, ...(await play(plan, verifiers)) });
  const [few, many] = [VERIFIERS[0], VERIFIERS.at(-1)];
  sizes.push({ plan: ALONE, verifiers: many, ...(await play(ALONE, many)) });
  const unheard = [];
  for (const plan of Object.keys(PLANS))
    unheard.push({ plan, verifiers: 100, ...(await play(plan, 100, { notify: false })) });
  const leases = [];
  for (const leaseMs of LEASES_MS)
    leases.push({ leaseMs, ...(await play(ALONE, 100, { leaseMs, revocations: 1 })) });
  const sockets = [];
  for (let round = 0; round < 3; round++) sockets.push((await runWorker("scale-socket", {})).us);
  return report({ sizes, unheard, leases, socketUs: median(sockets), few, many });
}

function report({ sizes, unheard, leases, socketUs, few, many }) {
  const near = (verifiers) => {
    const [plan] = LARGEST_IN;
    return sizes.find((each) => each.plan === plan && each.verifiers === verifiers).answered.p50;
  };
  const growth = near(many) / near(few);
  const largest = sizes.at(-1);
  return [
    target(
      `revocation p50 in one region, ${count(many)} verifiers against ${few}`,
      `**${growth.toFixed(2)} ×**, ${ms(near(many))} ms`,
      `≤ ${GROWTH_MAX} ×, ≤ ${P50_MAX_MS} ms`,
      growth <= GROWTH_MAX && near(many) <= P50_MAX_MS,
    ),
    "",
    ...assumptions(),
    "",
    ...table(["with NOTIFY", ...TIMES], sizes.map(timesOf)),
    "",
    ...table(["without NOTIFY", ...TIMES], unheard.map(timesOf)),
    "",
    "What it costs: SQL statements at the database, and frames of the lease protocol at the busiest node, both ways.",
    "",
    ...table(
      [
        "with NOTIFY",
        "verifiers",
        "idle: statements/s",
        "idle: frames/s",
        "a revocation: statements",
        "a revocation: frames",
      ],
      sizes.map(costsOf),
    ),
    "",
    ...leaseTable(leases),
    "",
    ...processorTime(largest, socketUs),
    "",
    `The largest trees took ${range(sizes.filter((each) => each.verifiers === many))} s each to play.`,
  ];
}

function assumptions() {
  return [
    `Assumed round trips: ${RTT_MS.region} ms within a region, also between a verifier and its node, ` +
      `${RTT_MS.coasts} ms between the coasts of the US, ${RTT_MS.ocean} ms between EU and US, ` +
      `${RTT_MS.asia} ms between EU and Asia; nine tenths of each are fixed and the rest is exponential. ` +
      `The database is in the first place named. L = ${LEASE_MS / 1_000} s, ${REVOCATIONS} revocations one after ` +
      `another at random nodes, seed ${SEED}: times are of the model, exact, and the same on every machine.`,
    "",
    "_Refused by all_ is when the last verifier's acknowledgement reached its node, _answered_ when the node that was " +
      "asked had its proof; both in ms from when it was asked. Left out are the processor and its queues, the time a " +
      "statement takes in the database, buffers, loss and retransmission, TLS, and everything that goes wrong: what it " +
      "does to a revocation is bounded by L, and the simulator of the tests plays it.",
  ];
}

const TIMES = [
  "verifiers",
  "refused by all: p50",
  "p99",
  "answered, asked beside the database: p50",
  "p99",
  "asked farthest away: p50",
  "p99",
];

function timesOf({ plan, verifiers, acked, answeredIn }) {
  const places = Object.values(answeredIn);
  const [near, far] = [places[0], places.at(-1)];
  const numbers = [acked, near, far].flatMap(({ p50, p99 }) => [p50, p99]);
  return [plan, count(verifiers), ...numbers.map(ms)];
}

function costsOf({ plan, verifiers, idle, revocation }) {
  return [
    plan,
    count(verifiers),
    total(idle, "statements").toFixed(0),
    most(idle, "frames").toFixed(0),
    (total(revocation, "statements") + OWN_STATEMENTS).toFixed(0),
    most(revocation, "frames").toFixed(0),
  ];
}

/** Of the revocation itself: one that reads the key, and one that writes all. */
const OWN_STATEMENTS = 2;

function leaseTable(leases) {
  return table(
    ["L, one node in the region, idle", "statements/s a node", "frames/s for 100 verifiers"],
    leases.map(({ leaseMs, idle }) => [
      `${leaseMs / 1_000} s`,
      most(idle, "statements").toFixed(1),
      most(idle, "frames").toFixed(0),
    ]),
  );
}

function processorTime({ verifiers, handlingUs, idle }, socketUs) {
  const changeMs = (verifiers * (socketUs + handlingUs.p50)) / 1_000;
  const share = (most(idle, "frames") * (socketUs / 2 + handlingUs.p50)) / 1e6;
  return [
    `What the model leaves out, of the node's processor: a change and its acknowledgement over a real WebSocket on this ` +
      `machine, JSON included and TLS not, take **${socketUs.toFixed(1)} µs** (CPU, median of 3), and the node's own ` +
      `code ${handlingUs.p50.toFixed(1)} µs for each frame it receives (median, timed in the run). For a node with ` +
      `${count(verifiers)} verifiers that is about **${changeMs.toFixed(0)} ms** for each revocation, which its times ` +
      `above do not have, and ${(share * 100).toFixed(0)} % of a core when idle.`,
  ];
}

function range(played) {
  const seconds = played.map(({ ranMs }) => ranMs / 1_000);
  return `${Math.min(...seconds).toFixed(0)} to ${Math.max(...seconds).toFixed(0)}`;
}

const count = (number) => number.toLocaleString("en");
const ms = (number) => (number < 100 ? number.toFixed(1) : number.toFixed(0));
const total = (works, what) => works.reduce((sum, work) => sum + work[what], 0);
const most = (works, what) => Math.max(...works.map((work) => work[what]));
