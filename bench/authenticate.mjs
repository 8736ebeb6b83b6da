/** The hot route over HTTP, against a bare node:http server that digests and looks up. */
import { inTurns, median, medians, ratiosOf } from "./measure.mjs";
import { each, rounds, table, target } from "./results.mjs";
import { ASK, factsOf, makeWorld, removeWorld } from "./world.mjs";

export const title = "`GET /v1/authenticate`, warm, over HTTP";

const BOUNDS = { rounds: 5, batches: 8 };
const RATIO_MIN = 0.8;
/** Also of `counting`. */
export const LOAD = {
  path: `/v1/authenticate?environment=${ASK.environment}`,
  keys: 100,
  connections: 50,
  warmUpSeconds: 3,
  seconds: 1.5,
};
/** As the server's own, so that both answer with the same bytes. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

export async function run() {
  const folder = await makeWorld(1_000);
  const bare = { ...factsOf(folder), keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS };
  try {
    const inputs = { bare: { ...LOAD, bare }, latchkey: { ...LOAD, folder } };
    const measured = await inTurns("load", inputs, BOUNDS);
    return report(measured);
  } finally {
    removeWorld(folder);
  }
}

function report({ bare, latchkey }) {
  const bursts = (results, number) => results.map((round) => round.map((burst) => burst[number]));
  const of = (results, number) => medians(bursts(results, number));
  const { ratio, ratios } = ratiosOf(bursts(latchkey, "perSecond"), bursts(bare, "perSecond"));
  const cpu = ratiosOf(bursts(latchkey, "cpuUs"), bursts(bare, "cpuUs"));
  const both = (name, number, digits) => [
    rounds(`${name}, bare`, of(bare, number), digits),
    rounds(`${name}, Latchkey`, of(latchkey, number), digits),
  ];
  return [
    target(
      "requests a second, one Latchkey process against the bare server",
      `**${ratio.toFixed(2)} ×**`,
      `≥ ${RATIO_MIN} ×`,
      ratio >= RATIO_MIN,
    ),
    "",
    ...table(
      [`${LOAD.connections} connections, ${LOAD.keys} warm keys in turn`, "median", "rounds"],
      [
        ...both("requests a second", "perSecond", 0),
        ...both("server's CPU, µs for each request", "cpuUs", 1),
        ...both("latency p50, whole ms", "p50Ms", 0),
        ...both("latency p99, whole ms", "p99Ms", 0),
      ],
    ),
    "",
    `Ratios by round: ${each(ratios, 2)}. CPU for each request (no target): **${cpu.ratio.toFixed(2)} ×**, ` +
      `${each(cpu.ratios, 2)}. The server kept ${percent(of(bare, "busy"))} (bare) and ` +
      `${percent(of(latchkey, "busy"))} (Latchkey) of a core busy: the rest it waited for the load generator, which ` +
      `shares the machine. Bytes of an answer: ${median(of(bare, "bytes")).toFixed(1)} and ` +
      `${median(of(latchkey, "bytes")).toFixed(1)}.`,
  ];
}

function percent(shares) {
  return `${(median(shares) * 100).toFixed(0)} %`;
}
