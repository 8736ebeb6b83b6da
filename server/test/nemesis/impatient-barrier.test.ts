import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../real-server.ts";
import { check } from "./checker.ts";
import { type Deployment, deployOnPostgres } from "./deployment.ts";
import { openRecorder, readHistory } from "./history.ts";
import { torment } from "./nemesis.ts";
import { createWorld } from "./world.ts";

const FLAW = new URL("impatient-barrier.mjs", import.meta.url);
/** Without double quotes and blanks: those belong to NODE_OPTIONS. */
const LOADER = `data:text/javascript,import{register}from'node:module';register('${FLAW}')`;

let deployment: Deployment;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  deployment = await deployOnPostgres({
    leaseSeconds: [1, 1, 2],
    nodeEnv: { NODE_OPTIONS: `--import=${LOADER}` },
    apps: [],
  });
});
afterAll(() => deployment?.stop());

test("the nemesis sees a barrier that gives up on silent nodes before their leases have lapsed", async ({
  onTestFailed,
}) => {
  const recorder = openRecorder(folder.path);
  onTestFailed(() => void process.stdout.write(`history kept in ${recorder.path}\n`));
  const faults = ["cut both ways, long", "cut answers, long", "pause, long"];
  const world = createWorld(deployment, recorder);
  await torment(world, 1, {
    faults,
    faultsOfEach: 3,
    verifications: 500,
    revokes: 10,
    deletions: 0,
  });
  await world.close();
  const { violations } = check(await readHistory(recorder.path));
  expect(violations.map(({ kind }) => kind)).toContain("late accept");
  await folder.remove();
}, 120_000);
