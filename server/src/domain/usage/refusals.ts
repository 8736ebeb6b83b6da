import type { RefusalReason } from "@latchkey/sdk/core";
import type {
  AccountStore,
  ApiKey,
  PageAsk,
  PageOf,
  RefusalFilter,
  Refused,
  Store,
} from "../../store/store.ts";
import { missing, pageOf } from "../outcomes.ts";

/** Refusals of an account's keys. @throws Failure `resource_missing` for an unknown environment, `invalid_params`. */
export async function listRefusals(
  account: AccountStore,
  filter: RefusalFilter,
  page: PageAsk,
): Promise<PageOf<Refused>> {
  const listed = await account.listRefusals(filter, page);
  if (listed.outcome === "absent") throw missing("environment");
  return pageOf(listed, page);
}

/** @throws Failure `resource_missing` */
export async function getRefusal(account: AccountStore, requestId: string): Promise<Refused> {
  return there(await account.findRefusal(requestId));
}

/** Refusals that belong to no account. @throws Failure `invalid_params` for a cursor of another list. */
export async function listUnattributedRefusals(
  store: Store,
  reason: RefusalReason | null,
  page: PageAsk,
): Promise<PageOf<Refused>> {
  return pageOf(await store.listUnattributedRefusals({ reason }, page), page);
}

/** @throws Failure `resource_missing` */
export async function getUnattributedRefusal(store: Store, requestId: string): Promise<Refused> {
  return there(await store.findUnattributedRefusal(requestId));
}

function there(refused: Refused | undefined): Refused {
  if (refused === undefined) throw missing("refusal");
  return refused;
}

/** What a key would be told to be now. */
export function statusOf(key: ApiKey, nowMs: number): "active" | "revoked" | "expired" {
  if (key.revokedAtMs !== null) return "revoked";
  return key.expiresAtMs !== null && key.expiresAtMs <= nowMs ? "expired" : "active";
}
