import { expect, test } from "vitest";
import { type Counts, noCounts } from "./history.ts";
import { type Outcome, play } from "./world.ts";

/** `LATCHKEY_SEEDS=20000` plays more worlds; `LATCHKEY_SEED=7 LATCHKEY_TRACE=1` replays one and prints what happened. */
const SEEDS = Number(process.env.LATCHKEY_SEEDS ?? 2_000);
const ONLY_SEED = process.env.LATCHKEY_SEED;
const TRACED = process.env.LATCHKEY_TRACE === "1";

/** Fewer worlds may miss a situation by chance. */
const ENOUGH_SEEDS = 500;

/** Generous: how long it takes depends on the machine, and is not what is tested. */
const TIMEOUT_MS = 120_000 + 200 * SEEDS;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function replayCommand(seed: number): string {
  return `LATCHKEY_SEED=${seed} LATCHKEY_TRACE=1 npx vitest run server/test/simulator/simulator.test.ts`;
}

function report({ seed, violations }: Outcome): string {
  const found = violations.map((each) => `${each.kind} at ${each.atMs.toFixed(2)}: ${each.text}`);
  return [`seed ${seed}`, ...found, `replay: ${replayCommand(seed)}`].join("\n");
}

test.runIf(ONLY_SEED !== undefined)("one seed, replayed", async () => {
  const outcome = await play({ seed: Number(ONLY_SEED), traced: TRACED });
  for (const line of outcome.trace) say(line);
  say(JSON.stringify(outcome.counts));
  expect(outcome.violations, report(outcome)).toEqual([]);
});

test.runIf(ONLY_SEED === undefined)(
  "in no world is a revoked key accepted after its revocation returned, or a living one refused",
  async () => {
    const sum = noCounts();
    let events = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await play({ seed });
      expect(outcome.violations, report(outcome)).toEqual([]);
      events += outcome.events;
      for (const count of Object.keys(sum) as (keyof Counts)[]) sum[count] += outcome.counts[count];
    }
    say(`${SEEDS} worlds, ${events} events: ${JSON.stringify(sum)}`);
    if (SEEDS < ENOUGH_SEEDS) return;
    // A run in which the dangerous situations are rare would prove little.
    for (const [count, times] of Object.entries(sum))
      expect(times, `${count} in ${SEEDS} worlds`).toBeGreaterThan(SEEDS / 10);
  },
  TIMEOUT_MS,
);

test.runIf(ONLY_SEED === undefined)("a seed plays the same world every time", async () => {
  for (const seed of [1, 2, 3]) {
    const first = await play({ seed, traced: true });
    const second = await play({ seed, traced: true });
    expect(first.trace.length).toBeGreaterThan(100);
    expect(second.traceHash).toBe(first.traceHash);
  }
});
