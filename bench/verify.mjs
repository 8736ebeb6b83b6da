/** Warm verification in process, against the least that any check must do: digest and look up. */
import { inTurns, median, medians, ratiosOf } from "./measure.mjs";
import { each, rounds, table, target } from "./results.mjs";
import { makeWorld, removeWorld } from "./world.mjs";

export const title = "Verify, warm, in process";

const BOUNDS = { rounds: 7, batches: 20 };
const RATIO_MAX = 2;

export async function run() {
  const folders = {};
  try {
    for (const variant of ["verify", "unknown"]) folders[variant] = await makeWorld(1_000);
    const variants = ["bare", "verify", "unknown", "hash"];
    const inputs = Object.fromEntries(
      variants.map((variant) => [variant, { variant, folder: folders[variant] }]),
    );
    const measured = await inTurns("verify", inputs, BOUNDS);
    return report(measured);
  } finally {
    for (const folder of Object.values(folders)) removeWorld(folder);
  }
}

function report(measured) {
  const verify = ratiosOf(measured.verify, measured.bare);
  const unknown = ratiosOf(measured.unknown, measured.bare);
  const ns = Object.fromEntries(
    Object.entries(measured).map(([variant, rounds]) => [variant, medians(rounds)]),
  );
  return [
    target(
      "warm `verify(header, ask, requestId)` against bare `crypto.hash` + `Map.get`",
      `**${verify.ratio.toFixed(2)} ×**`,
      `≤ ${RATIO_MAX} ×`,
      verify.ratio <= RATIO_MAX,
    ),
    "",
    ...table(
      ["CPU ns for each of 1,000 tokens in turn", "median", "rounds"],
      [
        rounds("bare hash + `Map.get`", ns.bare),
        rounds("`verify`, accepted", ns.verify),
        rounds("`verify`, refused: unknown, remembered", ns.unknown),
        rounds("bare hash alone", ns.hash),
      ],
    ),
    "",
    `Ratios by round: ${each(verify.ratios, 2)}; refused (no target): **${unknown.ratio.toFixed(2)} ×**, ` +
      `${each(unknown.ratios, 2)}. Header, clocks, lease, judge and tally together cost ` +
      `${(median(ns.verify) - median(ns.bare)).toFixed(0)} ns.`,
  ];
}
