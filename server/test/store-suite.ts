import { test } from "vitest";
import type { OpenStore } from "../src/store/kysely-store.ts";
import { absencePromises } from "./store/absence.ts";
import { accountPromises } from "./store/accounts.ts";
import { auditPromises } from "./store/audit.ts";
import { auditLogPromises } from "./store/audit-log.ts";
import { confinementPromises } from "./store/confinement.ts";
import { exchangePromises } from "./store/exchange.ts";
import { idempotencyPromises } from "./store/idempotency.ts";
import { invitationPromises } from "./store/invitations.ts";
import { jointDeedPromises } from "./store/joint-deeds.ts";
import { keyPromises } from "./store/keys.ts";
import { leaseRacePromises } from "./store/lease-races.ts";
import { leasePromises } from "./store/leases.ts";
import { listPromises } from "./store/lists.ts";
import { memberPromises } from "./store/members.ts";
import { maxAgePromises, overlapPromises } from "./store/overlaps.ts";
import { refusalPromises } from "./store/refusals.ts";
import { revocationPromises } from "./store/revocation.ts";
import { expiryPromises, rotationPromises } from "./store/rotation.ts";
import { setupPromises } from "./store/setup.ts";
import { signInLinkPromises } from "./store/sign-in-links.ts";
import { strangerPromises } from "./store/strangers.ts";
import { tokenPromises } from "./store/tokens.ts";
import { usagePromises } from "./store/usage.ts";
import { usageReadingPromises } from "./store/usage-reading.ts";
import { usageSweepPromises } from "./store/usage-sweep.ts";
import { type Check, makeWorld } from "./store/world.ts";

/** What every engine promises, and how each promise is checked. */
const PROMISES: Readonly<Record<string, Check>> = {
  ...keyPromises,
  ...listPromises,
  ...revocationPromises,
  ...rotationPromises,
  ...expiryPromises,
  ...overlapPromises,
  ...maxAgePromises,
  ...confinementPromises,
  ...idempotencyPromises,
  ...leasePromises,
  ...leaseRacePromises,
  ...absencePromises,
  ...accountPromises,
  ...memberPromises,
  ...invitationPromises,
  ...setupPromises,
  ...signInLinkPromises,
  ...strangerPromises,
  ...jointDeedPromises,
  ...tokenPromises,
  ...exchangePromises,
  ...auditPromises,
  ...auditLogPromises,
  ...usagePromises,
  ...usageReadingPromises,
  ...refusalPromises,
  ...usageSweepPromises,
};

/**
 * Holds an engine to the whole suite.
 *
 * @param open Opens an empty, migrated store; called once for each promise.
 */
export function testStore(name: string, open: () => Promise<OpenStore>): void {
  for (const [promise, check] of Object.entries(PROMISES))
    test(`${name}: ${promise}`, async () => {
      const { store, db } = await open();
      try {
        await check(await makeWorld(store, db));
      } finally {
        await store.close();
      }
    });
}
