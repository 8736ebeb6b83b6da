import { randomInt } from "node:crypto";
import { expect } from "vitest";
import { temporaryFolder } from "../real-server.ts";
import { type Counts, check } from "./checker.ts";
import type { Deployment } from "./deployment.ts";
import { faultsOf } from "./faults.ts";
import { openRecorder, readHistory } from "./history.ts";
import { type Amount, proveAlive, torment } from "./nemesis.ts";
import { createWorld } from "./world.ts";

/**
 * `LATCHKEY_NEMESIS=long` torments for longer; `LATCHKEY_NEMESIS_SEED=7` chooses the same faults in the same order
 * again. Processes and the database keep their own time, so a seed does not replay a run: its history does.
 */
const IS_LONG = process.env.LATCHKEY_NEMESIS === "long";
const SEED = Number(process.env.LATCHKEY_NEMESIS_SEED ?? randomInt(1_000_000));

/** Accepts by what apps held while a revocation waited, without which a run says too little about apps. */
const HELD_ACCEPTS_MIN = 10;

/** How long a trial may take. */
export const TRIAL_TIMEOUT_MS = IS_LONG ? 60 * 60_000 : 180_000;

/** How much a trial has to contain, besides every fault there is. */
export interface Extent {
  readonly short: Omit<Amount, "faults">;
  readonly long: Omit<Amount, "faults">;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function summary(counts: Counts): string {
  const { accepts, refusals, undecided, revokesReturned, revokesUncertain, faults } = counts;
  return [
    `${accepts} accepts (${counts.acceptsDuringRevocation} while a revocation was under way)`,
    `${counts.acceptsHeld} of them by what apps held (${counts.acceptsHeldDuringRevocation})`,
    `${refusals} refusals (${counts.refusalsAfterReturn} after one returned)`,
    `${undecided} verifications undecided`,
    `${counts.uses} calls with service tokens (${counts.usesRefusedAfterReturn} refused after a deletion returned)`,
    `${revokesReturned} revocations returned (${counts.deletionsReturned} of service tokens), ${revokesUncertain} answers to them left it open`,
    `${Object.values(faults).reduce((sum, times) => sum + times, 0)} faults`,
  ].join(", ");
}

/**
 * Torments a deployment with every fault there is, and holds its history to the promises: in every place nothing
 * revoked is accepted late, and nothing living is refused.
 *
 * @param test.onTestFailed Of the test that this is.
 */
export async function stand(
  deployment: Deployment,
  extent: Extent,
  test: { onTestFailed(tell: () => void): void },
): Promise<void> {
  const folder = await temporaryFolder();
  const faults = faultsOf(deployment);
  const amount = { ...extent[IS_LONG ? "long" : "short"], faults };
  say(`nemesis: seed ${SEED}`);
  const recorder = openRecorder(folder.path);
  test.onTestFailed(() => say(`nemesis: seed ${SEED}, history kept in ${recorder.path}`));
  const world = createWorld(deployment, recorder);
  await torment(world, SEED, amount);
  await proveAlive(world, SEED);
  await world.close();
  const { violations, counts } = check(await readHistory(recorder.path));
  say(`nemesis: ${summary(counts)}`);
  expect(violations.slice(0, 20)).toEqual([]);
  expect(counts.verifications).toBeGreaterThanOrEqual(amount.verifications);
  expect(counts.revokesReturned).toBeGreaterThanOrEqual(amount.revokes);
  expect(counts.deletionsReturned).toBeGreaterThanOrEqual(amount.deletions);
  expect(counts.usesRefusedAfterReturn).toBeGreaterThanOrEqual(amount.deletions);
  // Places that go on accepting while a revocation waits for them are what all of this is about.
  expect(counts.acceptsDuringRevocation).toBeGreaterThanOrEqual(amount.revokes);
  expect(counts.acceptsHeldDuringRevocation).toBeGreaterThanOrEqual(HELD_ACCEPTS_MIN);
  for (const fault of faults)
    expect(counts.faults[fault], fault).toBeGreaterThanOrEqual(amount.faultsOfEach);
  if (!process.env.KEEP) await folder.remove();
  else say(recorder.path);
}
