import { afterAll, beforeAll, test } from "vitest";
import { type Deployment, deployOnSqlite } from "./deployment.ts";
import { stand, TRIAL_TIMEOUT_MS } from "./trial.ts";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await deployOnSqlite({ leaseSeconds: 1, apps: [{}, {}] });
});
afterAll(() => deployment?.stop());

test(
  "one server on SQLite, killed, stopped and paused with sub-leases out, lets no revoked key in, in itself and in apps",
  (context) =>
    stand(
      deployment,
      {
        short: { faultsOfEach: 3, verifications: 10_000, revokes: 30, deletions: 10 },
        long: { faultsOfEach: 20, verifications: 200_000, revokes: 200, deletions: 70 },
      },
      context,
    ),
  TRIAL_TIMEOUT_MS,
);
