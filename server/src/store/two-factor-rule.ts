import { recordAudit } from "./audit.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import { findOwn, selectOwn } from "./key-max-age.ts";
import type { OwnAccountStore } from "./store.ts";

/** Whether an account is closed to whoever has no second factor. */
export function twoFactorRule(
  db: Database,
  engine: Engine,
  accountId: string,
): Pick<OwnAccountStore, "setTwoFactorRequired"> {
  return {
    setTwoFactorRequired: (required, origin) =>
      deed(db, async (trx) => {
        if (engine.locksRows) await selectOwn(trx, accountId).forNoKeyUpdate("account").execute();
        const own = await findOwn(trx, accountId);
        if (own === undefined) return { outcome: "absent" };
        const before = own.account.twoFactorRequired;
        if (before === required) return { outcome: "set", account: own.account };
        await trx
          .updateTable("account")
          .set({ two_factor_required_at: required ? origin.atMs : null })
          .where("id", "=", accountId)
          .execute();
        await recordAudit(
          trx,
          {
            action: "account.updated",
            accountId,
            environmentId: null,
            subject: { type: "account", id: accountId },
            details: { require_two_factor: required, require_two_factor_before: before },
          },
          origin,
        );
        return { outcome: "set", account: { ...own.account, twoFactorRequired: required } };
      }),
  };
}
