import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fleet, startFleet } from "../fleet.ts";
import { temporaryFolder } from "../real-server.ts";
import { check } from "./checker.ts";
import { openRecorder, readHistory } from "./history.ts";
import { torment } from "./nemesis.ts";

const FLAW = new URL("impatient-barrier.mjs", import.meta.url);
/** Without double quotes and blanks: those belong to NODE_OPTIONS. */
const LOADER = `data:text/javascript,import{register}from'node:module';register('${FLAW}')`;

let fleet: Fleet;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  fleet = await startFleet({
    leaseSeconds: [1, 1, 2],
    env: { NODE_OPTIONS: `--import=${LOADER}` },
  });
});
afterAll(() => fleet?.stop());

test("the nemesis sees a barrier that gives up on silent nodes before their leases have lapsed", async ({
  onTestFailed,
}) => {
  const recorder = openRecorder(folder.path);
  onTestFailed(() => void process.stdout.write(`history kept in ${recorder.path}\n`));
  const faults = ["cut both ways, long", "cut answers, long", "pause, long"];
  await torment(fleet, recorder, 1, { faults, faultsOfEach: 3, verifications: 500, revokes: 10 });
  const { violations } = check(await readHistory(recorder.path));
  expect(violations.map(({ kind }) => kind)).toContain("late accept");
  await folder.remove();
}, 120_000);
