import { Failure, type KeyType } from "@latchkey/sdk/core";
import type { Ambient } from "../ambient.ts";
import type {
  AccountStore,
  ApiKey,
  KeyEdit,
  KeyFilter,
  NewKey,
  Once,
  Origin,
  PageAsk,
  PageOf,
} from "../store/store.ts";
import { alreadyEnded, checkEnd, onlyExchanged, tooLate } from "./expiry.ts";
import { gone, mismatch, missing, pageOf, wrong } from "./outcomes.ts";
import type { Barrier } from "./revocation/barrier.ts";
import type { MakeToken } from "./tokens.ts";

export interface KeyDeps {
  readonly barrier: Pick<Barrier, "publish" | "complete">;
  readonly ambient: Ambient;
  readonly makeToken: MakeToken;
}

/** What somebody asks a new key to be. */
export interface KeyDraft {
  readonly type: KeyType;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Unix ms; `null`: as late as may be, which is never unless the account has a maximum age. */
  readonly expiresAtMs: number | null;
}

/** A key just issued, with its token for this one answer; a replay has the key as it is now, and no token. */
export type Issued =
  | { readonly replayed: false; readonly key: ApiKey; readonly token: string }
  | { readonly replayed: true; readonly key: ApiKey };

/**
 * Makes what a key is known by. The token goes to the caller once; only public ones are kept in the record.
 *
 * @returns `record.token` is what is kept of the token: nothing of a secret one.
 */
export function draftIdentity(
  deps: Pick<KeyDeps, "ambient" | "makeToken">,
  type: KeyType,
): { record: Pick<NewKey, "id" | "digest" | "hint" | "token">; token: string } {
  const { token, digest, hint } = deps.makeToken(type === "secret" ? "sk" : "pk");
  const id = deps.ambient.sortableId("key");
  return { record: { id, digest, hint, token: type === "public" ? token : null }, token };
}

/** Makes a key that is not stored yet. */
export function draftKey(
  deps: Pick<KeyDeps, "ambient" | "makeToken">,
  draft: KeyDraft,
): { record: NewKey; token: string } {
  const { record, token } = draftIdentity(deps, draft.type);
  return { record: { ...draft, ...record }, token };
}

/**
 * Issues a key. No verifier needs to hear of it: nobody can have asked for its digest before.
 *
 * @throws Failure `invalid_params` for an expiry in the past or past the account's maximum age, `resource_missing` for an
 *   unknown environment, `idempotency_mismatch`.
 */
export async function issueKey(
  deps: KeyDeps,
  account: AccountStore,
  environmentSlug: string,
  draft: KeyDraft,
  origin: Origin,
  once: Once | null,
): Promise<Issued> {
  checkEnd(draft.expiresAtMs, origin);
  const { record, token } = draftKey(deps, draft);
  const done = await account.createKey(environmentSlug, record, origin, once);
  switch (done.outcome) {
    case "created":
      return { replayed: false, key: done.key, token };
    case "replayed":
      return { replayed: true, key: await getKey(account, done.id) };
    case "absent":
      throw missing("environment");
    case "too_late":
      throw tooLate(done.latestMs);
    case "mismatch":
      throw mismatch();
  }
}

/** @throws Failure `resource_missing` for an unknown environment, `invalid_params` for a cursor of another list. */
export async function listKeys(
  account: AccountStore,
  filter: KeyFilter,
  page: PageAsk,
): Promise<PageOf<ApiKey>> {
  const listed = await account.listKeys(filter, page);
  if (listed.outcome === "absent") throw missing("environment");
  return pageOf(listed, page);
}

/** @throws Failure `resource_missing` */
export async function getKey(account: AccountStore, id: string): Promise<ApiKey> {
  const key = await account.findKey(id);
  if (key === undefined) throw missing("API key");
  return key;
}

/**
 * Edits what people may edit. Resolves once this node has applied it, for metadata is part of the verdict; of an end that
 * is brought forward when every verifier anywhere knows it, and saying so again goes on waiting for that.
 *
 * @throws Failure `resource_missing`; `conflict` for another end of a key that has ended, for one that its being in
 *   rotation, or not, does not allow, and for a later one of an exchanged key; `invalid_params` for an end in the past or past the maximum age;
 *   `service_unavailable` when the end is recorded but that it is known everywhere could not be proved.
 */
export async function editKey(
  deps: KeyDeps,
  account: AccountStore,
  id: string,
  edit: KeyEdit,
  origin: Origin,
): Promise<ApiKey> {
  checkEnd(edit.expiresAtMs ?? null, origin);
  const done = await account.editKey(id, edit, origin, () => deps.ambient.nowMs());
  switch (done.outcome) {
    case "edited":
      await (done.seq === null ? deps.barrier.publish() : deps.barrier.complete(done.seq));
      return done.key;
    case "absent":
      throw missing("API key");
    case "ended":
      throw alreadyEnded(done.how);
    case "exchanged":
      throw onlyExchanged();
    case "too_late":
      throw tooLate(done.latestMs);
    case "in_rotation":
      throw new Failure(
        "conflict",
        "This API key is being rotated and ends with its overlap: change overlap_seconds instead.",
      );
    case "not_in_rotation":
      throw new Failure(
        "conflict",
        "This API key is not being rotated: change expires_at instead.",
      );
    case "in_the_past":
      throw wrong(
        "overlap_seconds",
        "The overlap would have ended already. To end it now, revoke the API key.",
      );
  }
}

/**
 * Revokes a key for good and, with `wait`, resolves only when no verifier anywhere accepts it any more.
 * Revoking again changes nothing and waits for the first revocation's barrier, if that has not ended.
 *
 * @throws Failure `resource_missing`, also without `wait` not before a key that was deleted with its environment is
 *   refused everywhere; `idempotency_mismatch`; `service_unavailable` when the key is revoked but that it is refused
 *   everywhere could not be proved: calling again goes on waiting.
 */
export async function revokeKey(
  deps: KeyDeps,
  account: AccountStore,
  id: string,
  ask: { readonly reason: string | null; readonly wait: boolean },
  origin: Origin,
  once: Once | null,
): Promise<ApiKey> {
  const done = await account.revokeKey(id, ask.reason, origin, once);
  if (done.outcome === "absent") throw await gone(deps.barrier, "API key", done);
  if (done.outcome === "mismatch") throw mismatch();
  if (done.key.revocation !== null && done.key.revocation.effectiveAtMs !== null) return done.key;
  if (ask.wait) return { ...done.key, revocation: await deps.barrier.complete(done.seq) };
  // Nobody waits for this one; when it fails, the scan of pending revocations completes it.
  deps.barrier.complete(done.seq).catch(() => undefined);
  return done.key;
}
