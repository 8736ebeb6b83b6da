import { setTimeout as outlast } from "node:timers/promises";
import { createClient } from "@latchkey/sdk/client";
import { afterEach, expect, test } from "vitest";
import { type Deployment, deployOnPostgres, deployOnSqlite } from "../nemesis/deployment.ts";
import { createLoad, type Reckoning, reckon } from "./load.ts";

/** Long enough for a source to report, and to be stored, a few times. */
const A_WHILE_MS = 2_500;

const deployments: Deployment[] = [];
afterEach(async () => {
  for (const deployment of deployments.splice(0)) await deployment.stop();
});

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`there is no number ${index}`);
  return found;
}

function expectRight({ arrived, unanswered, counted, lost, wrong }: Reckoning): void {
  process.stdout.write(
    `usage: ${arrived} verdicts arrived, ${unanswered} requests were not answered, ${counted} are counted, ${lost} were lost by kills\n`,
  );
  expect(wrong).toEqual([]);
  expect(arrived).toBeGreaterThan(5_000);
}

test("three nodes on Postgres and four apps count exactly what they verified, through restarts, cuts and lost answers; a kill costs a second", async () => {
  const deployment = await deployOnPostgres({ leaseSeconds: [10, 10, 10], apps: [{}, {}, {}, {}] });
  deployments.push(deployment);
  const { nodes, apps, first, restartDatabase } = deployment;
  const load = await createLoad(deployment);
  await outlast(A_WHILE_MS);

  await load.restart(at(nodes, 0), "SIGTERM");
  await load.restart(at(apps, 0), "SIGTERM");
  await outlast(A_WHILE_MS);
  await load.restart(at(nodes, 1), "SIGKILL");
  await load.restart(at(apps, 1), "SIGKILL");

  await restartDatabase?.("fast");
  await outlast(A_WHILE_MS);
  await restartDatabase?.("immediate");
  await outlast(A_WHILE_MS);

  // A statement is stored, and its answer lost.
  for (const node of nodes) at(node.links, 0).loseAnswerTo("usage_source");
  await outlast(A_WHILE_MS);
  // It is stored late, or twice sent: nobody is told that nothing passes.
  for (const way of ["answers", "requests", "both"] as const) {
    at(at(nodes, 2).links, 0).cut(way);
    for (const link of at(apps, 2).links) link.cut(way);
    await outlast(A_WHILE_MS);
    at(at(nodes, 2).links, 0).heal();
    for (const link of at(apps, 2).links) link.heal();
    for (const link of at(apps, 3).links) link.reset();
    await outlast(A_WHILE_MS / 2);
  }
  // What apps had sent to a node that is killed, they send to another.
  await load.restart(at(nodes, 2), "SIGKILL");
  await outlast(A_WHILE_MS);

  const ended = await load.finish();
  const client = createClient({ url: at(nodes, 0).url, token: first.service_token });
  expectRight(await reckon(client, ended));
}, 300_000);

test("one node on SQLite and four apps count exactly what they verified; a kill costs a second", async () => {
  const deployment = await deployOnSqlite({ leaseSeconds: 1, apps: [{}, {}, {}, {}] });
  deployments.push(deployment);
  const { nodes, apps, first } = deployment;
  const load = await createLoad(deployment);
  await outlast(A_WHILE_MS);
  for (const how of ["SIGTERM", "SIGKILL"] as const) {
    await load.restart(at(nodes, 0), how);
    await outlast(A_WHILE_MS);
    await load.restart(at(apps, 0), how);
    await outlast(A_WHILE_MS);
    for (const app of apps) at(app.links, 0).reset();
  }
  for (const way of ["answers", "requests", "both"] as const) {
    for (const app of apps) at(app.links, 0).cut(way);
    await outlast(A_WHILE_MS);
    for (const app of apps) at(app.links, 0).heal();
    await outlast(A_WHILE_MS);
  }
  const ended = await load.finish();
  const client = createClient({ url: at(nodes, 0).url, token: first.service_token });
  expectRight(await reckon(client, ended));
}, 300_000);
