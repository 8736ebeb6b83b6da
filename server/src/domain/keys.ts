import type { KeyType } from "@latchkey/sdk/core";
import type { Ambient } from "../ambient.ts";
import type {
  AccountStore,
  ApiKey,
  KeyFilter,
  NewKey,
  Once,
  Origin,
  PageAsk,
  PageOf,
} from "../store/store.ts";
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
  /** Unix ms; `null`: never. */
  readonly expiresAtMs: number | null;
}

/** A key just issued, with its token for this one answer; a replay has the key as it is now, and no token. */
export type Issued =
  | { readonly replayed: false; readonly key: ApiKey; readonly token: string }
  | { readonly replayed: true; readonly key: ApiKey };

/** Makes a key that is not stored yet. The token goes to the caller once; only public ones are kept in the record. */
export function draftKey(
  deps: Pick<KeyDeps, "ambient" | "makeToken">,
  draft: KeyDraft,
): { record: NewKey; token: string } {
  const { token, digest, hint } = deps.makeToken(draft.type === "secret" ? "sk" : "pk");
  const record = {
    ...draft,
    id: deps.ambient.sortableId("key"),
    digest,
    hint,
    token: draft.type === "public" ? token : null,
  };
  return { record, token };
}

/**
 * Issues a key. No verifier needs to hear of it: nobody can have asked for its digest before.
 *
 * @throws Failure `invalid_params` for an expiry in the past, `resource_missing` for an unknown environment,
 *   `idempotency_mismatch`.
 */
export async function issueKey(
  deps: KeyDeps,
  account: AccountStore,
  environmentSlug: string,
  draft: KeyDraft,
  origin: Origin,
  once: Once | null,
): Promise<Issued> {
  if (draft.expiresAtMs !== null && draft.expiresAtMs <= origin.atMs)
    throw wrong("expires_at", "Must be in the future.");
  const { record, token } = draftKey(deps, draft);
  const done = await account.createKey(environmentSlug, record, origin, once);
  switch (done.outcome) {
    case "created":
      return { replayed: false, key: done.key, token };
    case "replayed":
      return { replayed: true, key: await getKey(account, done.id) };
    case "absent":
      throw missing("environment");
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

/** Edits what people may edit. Resolves once this node has applied it, for metadata is part of the verdict. */
export async function editKey(
  deps: KeyDeps,
  account: AccountStore,
  id: string,
  edit: { readonly description?: string; readonly metadata?: Readonly<Record<string, string>> },
  origin: Origin,
): Promise<ApiKey> {
  const done = await account.editKey(id, edit, origin);
  if (done.outcome === "absent") throw missing("API key");
  await deps.barrier.publish();
  return done.key;
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
