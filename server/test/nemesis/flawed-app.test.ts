import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerEnv, temporaryFolder } from "../real-server.ts";
import { check } from "./checker.ts";
import { type Deployment, deployOnSqlite } from "./deployment.ts";
import { openRecorder, readHistory } from "./history.ts";
import { torment } from "./nemesis.ts";
import { createWorld } from "./world.ts";

const LOADER = new URL("flawed-app.mjs", import.meta.url);

/** An app in which one rule of the SDK is turned off. No double quotes and blanks: those belong to NODE_OPTIONS. */
const flawed = (flaw: string): ServerEnv => ({
  NODE_OPTIONS: `--import=data:text/javascript,import{register}from'node:module';register('${LOADER}',{data:'${flaw}'})`,
});

let deployment: Deployment;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  deployment = await deployOnSqlite({
    leaseSeconds: 1,
    apps: [
      {},
      flawed("acknowledges-and-does-not-apply"),
      flawed("keeps-its-cache-across-sessions"),
      flawed("believes-for-longer-than-granted"),
    ],
  });
});
afterAll(() => deployment?.stop());

test("the nemesis sees each app whose SDK breaks a rule accept late, and no other", async ({
  onTestFailed,
}) => {
  const recorder = openRecorder(folder.path);
  onTestFailed(() => void process.stdout.write(`history kept in ${recorder.path}\n`));
  const world = createWorld(deployment, recorder);
  const faults = ["app: cut both ways, long"];
  const amount = { faultsOfEach: 8, verifications: 3_000, revokes: 120, deletions: 0 };
  await torment(world, 1, { ...amount, faults });
  await world.close();
  const { violations } = check(await readHistory(recorder.path));
  const late = violations.flatMap(({ kind, about }) =>
    kind === "late accept" && about?.kind === "verify" ? [about.node] : [],
  );
  expect([...new Set(late)].sort()).toEqual(["app-2", "app-3", "app-4"]);
  expect(violations.map(({ kind }) => kind)).not.toContain("malformed");
  await folder.remove();
}, 120_000);
