import type { Ambient } from "../ambient.ts";
import type {
  AccessToken,
  IssuedToken,
  NewAccessToken,
  Once,
  Origin,
  PageAsk,
  PageOf,
  Revocation,
  TokenStore,
} from "../store/store.ts";
import type { KeyDeps } from "./keys.ts";
import { gone, mismatch, missing, pageOf, wrong } from "./outcomes.ts";
import type { MakeToken } from "./tokens.ts";

/** An access token just created, with the token itself for this one answer; a replay has it as it is now, and none. */
export type CreatedToken =
  | { readonly replayed: false; readonly issued: IssuedToken; readonly token: string }
  | { readonly replayed: true; readonly issued: IssuedToken };

/** What somebody asks a new access token to be; without an end it lives until it is deleted. */
export type AccessTokenDraft = Pick<AccessToken, "kind" | "accountId" | "name"> & {
  readonly expiresAtMs?: number | null;
};

/** Makes a credential that is not stored yet; the token itself is for one answer. */
export function draftAccessToken(
  deps: { readonly ambient: Ambient; readonly makeToken: MakeToken },
  { expiresAtMs = null, ...draft }: AccessTokenDraft,
): { record: NewAccessToken; token: string } {
  const prefix = { service: "st", verifier: "vt", operator: "ot" } as const;
  const { token, digest, hint } = deps.makeToken(prefix[draft.kind]);
  const id = deps.ambient.sortableId("tok");
  return { record: { ...draft, id, expiresAtMs, digest, hint }, token };
}

/**
 * Creates an access token. No verifier needs to hear of it: nobody can have come with it before.
 *
 * @param tokens Of the account that the draft names, or of the operator when it names none.
 * @throws Failure `invalid_params` for an expiry in the past, `resource_missing` for a replay of one that is deleted,
 *   `idempotency_mismatch`.
 */
export async function createAccessToken(
  deps: KeyDeps,
  tokens: TokenStore,
  draft: AccessTokenDraft,
  origin: Origin,
  once: Once | null,
): Promise<CreatedToken> {
  if (typeof draft.expiresAtMs === "number" && draft.expiresAtMs <= origin.atMs)
    throw wrong("expires_at", "Must be in the future.");
  const { record, token } = draftAccessToken(deps, draft);
  const done = await tokens.createToken(record, origin, once);
  switch (done.outcome) {
    case "created":
      return { replayed: false, issued: done.token, token };
    case "replayed": {
      const issued = await tokens.findIssuedToken(done.id);
      if (issued === undefined) throw missing("token");
      return { replayed: true, issued };
    }
    case "mismatch":
      throw mismatch();
  }
}

/** @throws Failure `invalid_params` for a cursor of another list. */
export async function listAccessTokens(
  tokens: TokenStore,
  page: PageAsk,
): Promise<PageOf<IssuedToken>> {
  return pageOf(await tokens.listTokens(page), page);
}

/**
 * Deletes an access token for good and, with `wait`, resolves only when every node has ended the sessions that came with
 * it, and refuses the keys that it was exchanged for. Nothing keeps the last operator token from being deleted: the
 * operator can sign in and make another.
 *
 * @throws Failure `resource_missing`, of one that is deleted already not before that is so either, also without `wait`;
 *   `service_unavailable` when it is deleted but that could not be proved: calling again goes on waiting.
 */
export async function deleteAccessToken(
  deps: KeyDeps,
  tokens: TokenStore,
  ask: { readonly id: string; readonly wait: boolean },
  origin: Origin,
): Promise<Revocation> {
  const nextEventId = () => deps.ambient.sortableId("evt");
  const done = await tokens.deleteToken(ask.id, origin, nextEventId);
  if (done.outcome === "absent") throw await gone(deps.barrier, "token", done);
  const { seq, keySeqs } = done;
  // Whoever has applied the token's change has applied those of its keys: these are completed for their receipts.
  for (const each of keySeqs) deps.barrier.complete(each).catch(() => undefined);
  const completed = deps.barrier.complete(seq);
  if (ask.wait) return completed;
  // Nobody waits for this one; when it fails, the scan of pending revocations completes it.
  completed.catch(() => undefined);
  return { seq, effectiveAtMs: null, tookMs: null, acknowledged: 0, lapsed: 0 };
}
