/** What counting costs: the same code with a tally that counts, and with one that does not. */

import { LOAD } from "./authenticate.mjs";
import { inTurns, medians, ratiosOf } from "./measure.mjs";
import { each, rounds, table, target } from "./results.mjs";
import { makeWorld, removeWorld } from "./world.mjs";

export const title = "Counting, on against off";

const IN_PROCESS = { rounds: 5, batches: 20 };
const OVER_HTTP = { rounds: 5, batches: 8 };
const RATIO_MIN = 0.95;
const UNCOUNTED = [`--import=${new URL("workers/uncounted.mjs", import.meta.url).href}`];

export async function run() {
  const folders = [];
  const world = async () => {
    folders.push(await makeWorld(1_000));
    return folders.at(-1);
  };
  try {
    const verify = await inTurns(
      "verify",
      {
        counted: { variant: "called", folder: await world() },
        uncounted: { variant: "called", folder: await world(), flags: UNCOUNTED },
      },
      IN_PROCESS,
    );
    const authenticate = await inTurns(
      "load",
      {
        counted: { ...LOAD, folder: await world() },
        uncounted: { ...LOAD, folder: await world(), serverFlags: UNCOUNTED },
      },
      OVER_HTTP,
    );
    return report(verify, authenticate);
  } finally {
    for (const folder of folders) removeWorld(folder);
  }
}

function report(verify, authenticate) {
  const of = (results, number) => results.map((round) => round.map((burst) => burst[number]));
  const inProcess = ratiosOf(verify.uncounted, verify.counted); // time: less is more
  const overHttp = ratiosOf(
    of(authenticate.counted, "perSecond"),
    of(authenticate.uncounted, "perSecond"),
  );
  const cpu = ratiosOf(of(authenticate.uncounted, "cpuUs"), of(authenticate.counted, "cpuUs"));
  const met = (what, { ratio }) =>
    target(what, `**${ratio.toFixed(2)} ×**`, `≥ ${RATIO_MIN} ×`, ratio >= RATIO_MIN);
  return [
    met("warm verifications in a given CPU time, with a caller each", inProcess),
    "",
    met("`GET /v1/authenticate`, requests a second", overHttp),
    "",
    ...table(
      ["counting on and off", "median", "rounds"],
      [
        rounds("CPU ns for each verification, on", medians(verify.counted)),
        rounds("CPU ns for each verification, off", medians(verify.uncounted)),
        rounds("requests a second, on", medians(of(authenticate.counted, "perSecond")), 0),
        rounds("requests a second, off", medians(of(authenticate.uncounted, "perSecond")), 0),
      ],
    ),
    "",
    `Ratios by round: in process ${each(inProcess.ratios, 2)}; over HTTP ${each(overHttp.ratios, 2)}. Requests in a ` +
      `given CPU time of the server (no target): **${cpu.ratio.toFixed(2)} ×**, ${each(cpu.ratios, 2)}.`,
  ];
}
