/** Whether many stored keys slow the warm ones down, and how long a server takes to start on them. */
import { inRounds, inTurns, median, medians, ratiosOf } from "./measure.mjs";
import { each, rounds, table, target } from "./results.mjs";
import { makeWorld, removeWorld, startServer } from "./world.mjs";

export const title = "Verify, warm, by the number of keys stored";

const BOUNDS = { rounds: 5, batches: 20 };
const STARTS = 3;
const RATIO_MAX = 1.3;
const SIZES = { "1 k": 1_000, "100 k": 100_000, "1 M": 1_000_000 };

export async function run() {
  const folders = {};
  try {
    const filledMs = {};
    for (const [size, stored] of Object.entries(SIZES)) {
      const startedMs = performance.now();
      folders[size] = await makeWorld(stored);
      filledMs[size] = performance.now() - startedMs;
    }
    console.error(`  filled in ${each(Object.values(filledMs), 0)} ms`);
    const inputs = Object.fromEntries(
      Object.entries(folders).map(([size, folder]) => [size, { variant: "verify", folder }]),
    );
    const measured = await inTurns("verify", inputs, BOUNDS);
    const starts = await inRounds(["1 k", "1 M"], STARTS, async (size) => {
      const server = await startServer(folders[size]);
      await server.stop();
      return server.readyMs;
    });
    return report(measured, starts);
  } finally {
    for (const folder of Object.values(folders)) removeWorld(folder);
  }
}

function report(measured, starts) {
  const largest = ratiosOf(measured["1 M"], measured["1 k"]);
  const middle = ratiosOf(measured["100 k"], measured["1 k"]);
  const worst = Math.max(largest.ratio, middle.ratio);
  return [
    target(
      "1,000 warm keys among 100 k or 1 M stored ones against among 1 k",
      `**${middle.ratio.toFixed(2)} ×** and **${largest.ratio.toFixed(2)} ×**`,
      `≤ ${RATIO_MAX} ×`,
      worst <= RATIO_MAX,
    ),
    "",
    ...table(
      ["CPU ns for each verification", "median", "rounds"],
      Object.keys(SIZES).map((size) => rounds(`${size} stored (SQLite)`, medians(measured[size]))),
    ),
    "",
    `Ratios by round: 100 k: ${each(middle.ratios, 2)}; 1 M: ${each(largest.ratios, 2)}.`,
    "",
    `From the start of the server's process until \`/readyz\` answers 200 (for information): ` +
      `${median(starts["1 k"]).toFixed(0)} ms with 1 k keys stored (${each(starts["1 k"], 0)}), ` +
      `${median(starts["1 M"]).toFixed(0)} ms with 1 M (${each(starts["1 M"], 0)}).`,
  ];
}
