import { Failure } from "@latchkey/sdk/core";
import type { AccountStore, ApiKey, Once, Origin, Rotation } from "../store/store.ts";
import { alreadyEnded, checkEnd, onlyExchanged, tooLate } from "./expiry.ts";
import { draftIdentity, getKey, type KeyDeps } from "./keys.ts";
import { mismatch, missing } from "./outcomes.ts";

/** A successor just issued, with its token for this one answer, and the key that it replaces as that is now. */
export type RotatedKey =
  | {
      readonly replayed: false;
      readonly successor: ApiKey;
      readonly token: string;
      readonly predecessor: ApiKey;
    }
  | { readonly replayed: true; readonly successor: ApiKey; readonly predecessor: ApiKey };

/**
 * Replaces a key: issues its successor, and ends the old one after the overlap. Resolves when every verifier anywhere
 * knows of that end, if it is brought forward. Once the successor is stored nothing fails: its token is in the answer. What
 * could not be proved by then the scan of pending revocations goes on to prove.
 *
 * @throws Failure `resource_missing`; `conflict` for a key that has ended, was exchanged for a service token or was rotated to
 *   one that lives;
 *   `invalid_params` for an end of the successor in the past or past the maximum age; `idempotency_mismatch`.
 */
export async function rotateKey(
  deps: KeyDeps,
  account: AccountStore,
  id: string,
  ask: Omit<Rotation, "successor">,
  origin: Origin,
  once: Once | null,
): Promise<RotatedKey> {
  checkEnd(ask.expiresAtMs ?? null, origin);
  const { type } = await getKey(account, id);
  const { record, token } = draftIdentity(deps, type);
  const rotation = { ...ask, successor: record };
  const nextEventId = () => deps.ambient.sortableId("evt");
  const done = await account.rotateKey(id, rotation, origin, nextEventId, once, () =>
    deps.ambient.nowMs(),
  );
  switch (done.outcome) {
    case "rotated":
    case "replayed": {
      const { successor } = done;
      const predecessor = await knownEverywhere(deps, done.predecessor, done.seq);
      return done.outcome === "replayed"
        ? { replayed: true, successor, predecessor }
        : { replayed: false, successor, predecessor, token };
    }
    case "absent":
      throw missing("API key");
    case "ended":
      throw alreadyEnded(done.how);
    case "exchanged":
      throw onlyExchanged();
    case "already_rotated":
      throw new Failure(
        "conflict",
        "This API key was rotated already. It can be rotated again once its successor has ended.",
      );
    case "too_late":
      throw tooLate(done.latestMs);
    case "mismatch":
      throw mismatch();
  }
}

/** Waits until verifiers know how the old key ends, as far as that can be proved, and completes its receipt. */
async function knownEverywhere(
  { barrier }: Pick<KeyDeps, "barrier">,
  predecessor: ApiKey,
  seq: number | null,
): Promise<ApiKey> {
  if (seq === null) {
    await barrier.publish();
    return predecessor;
  }
  const receipt = await barrier.complete(seq).catch(() => null);
  return receipt === null || predecessor.revocation === null
    ? predecessor
    : { ...predecessor, revocation: receipt };
}
