import { expect, test } from "vitest";
import { temporaryFolder } from "../real-server.ts";
import { check, type Violation } from "./checker.ts";
import { deployOnPostgres } from "./deployment.ts";
import { openRecorder, readHistory } from "./history.ts";
import { torment } from "./nemesis.ts";
import { createWorld } from "./world.ts";

const LOADER = new URL("flawed-node.mjs", import.meta.url);

/** No double quotes and blanks: those belong to NODE_OPTIONS. */
const flawed = (flaw: string) => ({
  NODE_OPTIONS: `--import=data:text/javascript,import{register}from'node:module';register('${LOADER}',{data:'${flaw}'})`,
});

/** Nothing strikes them: what is wrong with them shows at any time. */
const AMOUNT = { faults: [], faultsOfEach: 0, verifications: 300, revokes: 10, deletions: 5 };

/** What is wrong with the history of a fleet all of whose nodes have this flaw. */
async function violationsOf(flaw: string): Promise<Violation[]> {
  const folder = await temporaryFolder();
  const nodeEnv = flawed(flaw);
  const deployment = await deployOnPostgres({ leaseSeconds: [1, 1], nodeEnv, apps: [] });
  try {
    const recorder = openRecorder(folder.path);
    const world = createWorld(deployment, recorder);
    await torment(world, 1, AMOUNT);
    await world.close();
    return check(await readHistory(recorder.path)).violations;
  } finally {
    await deployment.stop();
    await folder.remove();
  }
}

/** The kinds of operations that were accepted late. */
const late = (violations: readonly Violation[]): string[] => {
  const found = violations.flatMap(({ kind, about }) =>
    kind === "late accept" ? [about?.kind ?? ""] : [],
  );
  return [...new Set(found)];
};

test("the nemesis sees nodes that remember service tokens for 5 s", async () => {
  const violations = await violationsOf("remembers-service-tokens");
  expect(late(violations)).toEqual(["use"]);
  expect(violations.map(({ kind }) => kind)).not.toContain("malformed");
}, 120_000);

test("the nemesis sees that keys outlive the service token which they were exchanged for", async () => {
  const violations = await violationsOf("leaves-exchanged-keys");
  expect(late(violations)).toEqual(["verify"]);
  const keys = violations.flatMap(({ about }) =>
    about?.kind === "verify" ? [about.subject.token] : [],
  );
  expect(keys).not.toContain(null);
}, 120_000);
