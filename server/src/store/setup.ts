import { recordAudit } from "./audit.ts";
import { type Database, deed, digestBytes, type Engine } from "./engine.ts";
import { insertAccount, startingDetails } from "./provisioning.ts";
import { rowOf } from "./row.ts";
import type { NewAccount, Origin, Store } from "./store.ts";

type SetupStore = Pick<Store, "isSetUp" | "openSetup" | "completeSetup">;
type Outcome = Awaited<ReturnType<Store["completeSetup"]>>;

/** The one row of set-up. */
const SETUP_ID = 1;

/** Set-up: it happens once, and stays done whatever is deleted afterwards. */
export function setupStore(db: Database, engine: Engine): SetupStore {
  return {
    async isSetUp() {
      const link = await db
        .selectFrom("setup_link")
        .select(["id", "completed_at"])
        .where("id", "=", SETUP_ID)
        .executeTakeFirstOrThrow();
      return rowOf("setup_link", link).integerOrNull("completed_at") !== null;
    },

    async openSetup(digest, expiresAtMs) {
      await db
        .updateTable("setup_link")
        .set({ digest: digestBytes(digest), expires_at: expiresAtMs })
        .where("id", "=", SETUP_ID)
        .where("completed_at", "is", null)
        .execute();
    },

    completeSetup: (account, linkDigest, origin) =>
      deed<Outcome>(db, async (trx, undo) => {
        const refusal = await refuseLink(trx, engine, linkDigest, origin);
        if (refusal !== null) return { outcome: refusal };
        const created = await insertAccount(trx, engine, account, origin);
        // No account is there yet that could hold an external id.
        if (created === "external_id_taken")
          throw new Error("set-up found an account's external id");
        if (typeof created === "string") return undo({ outcome: created });
        await closeSetup(trx, engine, account, origin);
        return { outcome: "created" };
      }),
  };
}

/** Why this link does not open set-up, or `null`. Where rows are locked, concurrent calls wait here for the first. */
async function refuseLink(
  trx: Database,
  engine: Engine,
  linkDigest: string | null,
  origin: Origin,
): Promise<"already_set_up" | "link_unknown" | "link_expired" | null> {
  const query = trx.selectFrom("setup_link").selectAll().where("id", "=", SETUP_ID);
  const link = rowOf(
    "setup_link",
    await (engine.locksRows ? query.forUpdate() : query).executeTakeFirstOrThrow(),
  );
  if (link.integerOrNull("completed_at") !== null) return "already_set_up";
  if (linkDigest === null) return null;
  const expiresAtMs = link.integerOrNull("expires_at");
  if (expiresAtMs === null || link.digest("digest") !== linkDigest) return "link_unknown";
  return expiresAtMs <= origin.atMs ? "link_expired" : null;
}

async function closeSetup(
  trx: Database,
  engine: Engine,
  account: NewAccount,
  origin: Origin,
): Promise<void> {
  if (account.owner !== null)
    await trx
      .updateTable("person")
      .set({ operator: engine.boolean(true) })
      .where("id", "=", account.owner.id)
      .execute();
  await trx
    .updateTable("setup_link")
    .set({ digest: null, expires_at: null, completed_at: origin.atMs })
    .where("id", "=", SETUP_ID)
    .execute();
  await recordAudit(
    trx,
    {
      action: "setup.completed",
      accountId: account.id,
      environmentId: null,
      subject: { type: "account", id: account.id },
      details: startingDetails(account),
    },
    origin,
  );
}
