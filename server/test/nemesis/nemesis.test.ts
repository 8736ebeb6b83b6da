import { afterAll, beforeAll, test } from "vitest";
import { type Deployment, deployOnPostgres } from "./deployment.ts";
import { stand, TRIAL_TIMEOUT_MS } from "./trial.ts";

/** As short as they may be, so that much happens; and not all alike. */
const LEASE_SECONDS = [1, 1, 2];

let deployment: Deployment;
beforeAll(async () => {
  deployment = await deployOnPostgres({ leaseSeconds: LEASE_SECONDS, apps: [{}, {}] });
});
afterAll(() => deployment?.stop());

test(
  "kills, pauses, cut links and a restarted database let no revoked key in, and keep no living one out, in nodes and apps",
  (context) =>
    stand(
      deployment,
      {
        short: { faultsOfEach: 3, verifications: 20_000, revokes: 30, deletions: 10 },
        long: { faultsOfEach: 20, verifications: 500_000, revokes: 300, deletions: 100 },
      },
      context,
    ),
  TRIAL_TIMEOUT_MS,
);
