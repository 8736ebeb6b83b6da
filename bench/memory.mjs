/** The memory of a held key, in the ways that keys come to be held. */
import { inRounds, median, runWorker } from "./measure.mjs";
import { rounds, table, target } from "./results.mjs";
import { makeWorld, removeWorld } from "./world.mjs";

export const title = "Memory of a held key";

const ROUNDS = 2;
const KEYS = 100_000;
const BYTES_MAX = 400;
/** How many misses share a query: 500 is its bound, 1 is what calm traffic does. */
const BATCHES = { "one at a time": 1, "500 in a query": 500 };

export async function run() {
  const folder = await makeWorld(KEYS, KEYS);
  try {
    const measured = await inRounds(Object.keys(BATCHES), ROUNDS, (way) =>
      runWorker("memory", { folder, keys: KEYS, batch: BATCHES[way] }, ["--expose-gc"]),
    );
    return report(measured);
  } finally {
    removeWorld(folder);
  }
}

function report(measured) {
  const bytes = Object.entries(measured).map(([way, results]) => [
    way,
    results.map(({ bytes }) => bytes),
  ]);
  const worst = Math.max(...bytes.map(([, numbers]) => median(numbers)));
  return [
    target(
      "heap and external memory of a held key, the worse of the ways it is loaded",
      `**${worst.toFixed(0)} bytes**`,
      `≤ ${BYTES_MAX}`,
      worst <= BYTES_MAX,
    ),
    "",
    ...table(
      [
        `bytes a key, ${KEYS.toLocaleString("en")} keys of one environment held`,
        "median",
        "rounds",
      ],
      bytes.map(([way, numbers]) => rounds(`loaded ${way}`, numbers)),
    ),
    "",
    "Keys have no metadata and were accepted once. A key's own metadata comes on top.",
  ];
}
