import { accessStore } from "./access.ts";
import { operatorStore } from "./accounts.ts";
import { auditStore } from "./audit-reading.ts";
import type { Database, Engine, Lanes } from "./engine.ts";
import { environmentStore } from "./environments.ts";
import { exchangeStore } from "./exchange.ts";
import { invitationStore } from "./invitations.ts";
import { jointDeeds } from "./joint-deeds.ts";
import { ownAccountStore } from "./key-max-age.ts";
import { keyLoader } from "./key-records.ts";
import { keyStore } from "./keys.ts";
import { clockSeq, leaseStore } from "./leases.ts";
import { memberStore } from "./members.ts";
import { openInvitationStore } from "./open-invitations.ts";
import { overlapStarter } from "./overlaps.ts";
import { peopleStore } from "./people.ts";
import { refusalStore, unattributedRefusals } from "./refusals.ts";
import { setupStore } from "./setup.ts";
import { signInLinkStore } from "./sign-in-links.ts";
import type { Store } from "./store.ts";
import { sweeper } from "./sweep.ts";
import { tokenStore } from "./tokens.ts";
import { twoFactorRule } from "./two-factor-rule.ts";
import { usageRecorder } from "./usage.ts";
import { usageReader } from "./usage-reading.ts";

/** The migrated store, and the connection under it for better-auth: `database: { db, type }`. */
export interface OpenStore {
  readonly store: Store;
  /** What is written to it takes part in a joint deed (`store.jointly`), where it is written in one. */
  readonly db: Database;
}

/**
 * The store on a migrated database.
 *
 * @param release Called once the connections are closed; ends what else the engine holds.
 */
export function kyselyStore(lanes: Lanes, engine: Engine, release: () => Promise<void>): OpenStore {
  const db = lanes.requests;
  const joint = jointDeeds(db, engine);
  const store: Store = {
    leases: leaseStore(lanes, engine),
    account: (accountId) => ({
      accountId,
      ...environmentStore(lanes, engine, accountId),
      ...keyStore(lanes, engine, accountId),
      ...ownAccountStore(lanes, engine, accountId),
      ...twoFactorRule(db, engine, accountId),
      ...exchangeStore(db, engine, accountId),
      ...memberStore(db, engine, accountId),
      ...invitationStore(db, engine, accountId),
      tokens: tokenStore(lanes, engine, accountId),
      ...usageReader(db, engine, accountId),
      ...refusalStore(db, accountId),
      ...auditStore(db, engine, accountId),
    }),
    loadKeys: keyLoader(db),
    ...accessStore(db, engine),
    ...peopleStore(joint, engine),
    ...openInvitationStore(db, engine),
    ...signInLinkStore(db, engine),
    ...operatorStore(lanes, engine),
    operatorTokens: tokenStore(lanes, engine, null),
    operatorAudit: auditStore(db, engine, null),
    ...setupStore(db, engine),

    startOverlaps: overlapStarter(lanes, engine),
    recordUsage: usageRecorder(db, engine),
    ...unattributedRefusals(db),
    sweep: sweeper(db, engine),

    async ping() {
      const clock = await db
        .selectFrom("change_clock")
        .select("seq as clock_seq")
        .executeTakeFirstOrThrow();
      return { seq: clockSeq(clock) };
    },

    async close() {
      for (const lane of new Set(Object.values(lanes))) await lane.destroy();
      await release();
    },
  };
  return { store, db: joint.db };
}
