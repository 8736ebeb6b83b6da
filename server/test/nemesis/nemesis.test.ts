import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fleet, startFleet } from "../fleet.ts";
import { temporaryFolder } from "../real-server.ts";
import { type Counts, check } from "./checker.ts";
import { FAULTS } from "./faults.ts";
import { openRecorder, readHistory } from "./history.ts";
import { type Amount, torment } from "./nemesis.ts";

/**
 * `LATCHKEY_NEMESIS=long` torments for longer; `LATCHKEY_NEMESIS_SEED=7` chooses the same faults in the same order
 * again. Processes and the database keep their own time, so a seed does not replay a run: its history does.
 */
const IS_LONG = process.env.LATCHKEY_NEMESIS === "long";
const SEED = Number(process.env.LATCHKEY_NEMESIS_SEED ?? randomInt(1_000_000));

const AMOUNT: Amount = IS_LONG
  ? { faults: FAULTS, faultsOfEach: 20, verifications: 500_000, revokes: 300 }
  : { faults: FAULTS, faultsOfEach: 3, verifications: 20_000, revokes: 30 };

const TIMEOUT_MS = IS_LONG ? 60 * 60_000 : 180_000;

/** As short as they may be, so that much happens; and not all alike. */
const LEASE_SECONDS = [1, 1, 2];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function summary(counts: Counts): string {
  const { accepts, refusals, undecided, revokesReturned, revokesUncertain, faults } = counts;
  return [
    `${accepts} accepts (${counts.acceptsDuringRevocation} while a revocation was under way)`,
    `${refusals} refusals (${counts.refusalsAfterReturn} after one returned)`,
    `${undecided} verifications undecided`,
    `${revokesReturned} revocations returned, ${revokesUncertain} answers to them left it open`,
    `${Object.values(faults).reduce((sum, times) => sum + times, 0)} faults`,
  ].join(", ");
}

let fleet: Fleet;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  fleet = await startFleet({ leaseSeconds: LEASE_SECONDS });
});
afterAll(() => fleet?.stop());

test(
  "kills, pauses, cut links and a restarted database let no revoked key in, and keep no living one out",
  async ({ onTestFailed }) => {
    say(`nemesis: seed ${SEED}`);
    const recorder = openRecorder(folder.path);
    onTestFailed(() => say(`nemesis: seed ${SEED}, history kept in ${recorder.path}`));
    await torment(fleet, recorder, SEED, AMOUNT);
    const { violations, counts } = check(await readHistory(recorder.path));
    say(`nemesis: ${summary(counts)}`);
    expect(violations.slice(0, 20)).toEqual([]);
    expect(counts.verifications).toBeGreaterThanOrEqual(AMOUNT.verifications);
    expect(counts.revokesReturned).toBeGreaterThanOrEqual(AMOUNT.revokes);
    // Nodes that go on accepting while a revocation waits for them are what all of this is about.
    expect(counts.acceptsDuringRevocation).toBeGreaterThanOrEqual(AMOUNT.revokes);
    for (const fault of FAULTS)
      expect(counts.faults[fault], fault).toBeGreaterThanOrEqual(AMOUNT.faultsOfEach);
    await folder.remove();
  },
  TIMEOUT_MS,
);
