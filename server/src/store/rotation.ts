import { isDone } from "./absence.ts";
import { recordAudit } from "./audit.ts";
import { recordRevocation } from "./changes.ts";
import { pendingEnd, recordEnd } from "./ends.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import {
  endedHow,
  type HeldKey,
  holdKey,
  markRevoked,
  readKey,
  revocationAudit,
  selectKeys,
} from "./held-key.ts";
import { claimOnce } from "./idempotency.ts";
import { type EndAsk, endInOverlap, endWithin, LAST_END_MS, latestEnd } from "./key-end.ts";
import { readMaxAge } from "./key-max-age.ts";
import { insertKey } from "./provisioning.ts";
import { rowOf } from "./row.ts";
import { parseKey } from "./rows.ts";
import type { ApiKey, KeyStore, NewKey, Once, Origin, Rotation } from "./store.ts";

type Outcome = Awaited<ReturnType<KeyStore["rotateKey"]>>;
type Done = Extract<Outcome, { readonly successor: ApiKey }>;

/** What a rotation is asked with. */
interface RotationAsk {
  readonly accountId: string;
  /** Of the old key. */
  readonly id: string;
  readonly rotation: Rotation;
  readonly origin: Origin;
  readonly nextEventId: () => string;
  readonly once: Once | null;
  readonly nowMs: () => number;
}

/** Replaces a key: its successor is stored, and its end with it, or neither. */
export function rotateKey(db: Database, engine: Engine, ask: RotationAsk): Promise<Outcome> {
  const { accountId, id, rotation, origin, once } = ask;
  return deed<Outcome>(db, async (trx, undo) => {
    const ownId = rotation.successor.id;
    const earlier = await claimOnce(trx, once, ownId, origin);
    if (earlier?.outcome === "mismatch") return earlier;
    if (earlier?.outcome === "replayed") {
      // Its own claim is of a deed whose answer was lost: the token is with whoever asks, and no replay has it.
      const outcome = earlier.id === ownId ? "rotated" : "replayed";
      return (await readRotation(trx, engine, accountId, earlier.id, outcome)) ?? ABSENT;
    }

    // Before the key's row: whoever sets it takes the rows of keys.
    const maxAge = await readMaxAge(trx, engine, accountId);
    const held = await holdKey(trx, engine, accountId, id);
    if (held === undefined) return undo(ABSENT);
    // The same of one that made no claim. Asked under the lock: the first may still have been committing.
    if (await isDone(trx, origin))
      return (await readRotation(trx, engine, accountId, ownId, "rotated")) ?? ABSENT;
    const heldMs = Math.max(origin.atMs, ask.nowMs());
    const how = endedHow(held.key, heldMs);
    if (how !== null) return undo({ outcome: "ended", how });
    if (held.exchangedBy !== null) return undo({ outcome: "exchanged" });
    if (await hasLivingSuccessor(trx, held.key, heldMs))
      return undo({ outcome: "already_rotated" });
    const latestMs = latestEnd(maxAge, origin.atMs);
    const endMs = endWithin(endOfSuccessor(held, rotation, origin.atMs), latestMs);
    if (endMs === "too_late")
      return undo({ outcome: "too_late", latestMs: latestMs ?? origin.atMs });

    const { type, description, metadata } = held.key;
    const successor = { ...rotation.successor, type, description, metadata, expiresAtMs: endMs };
    await storeSuccessor(trx, held, successor, ask);
    return rotation.overlapMs === 0
      ? endAtOnce(trx, engine, held, ask)
      : beginOverlap(trx, engine, held, ask);
  });
}

const ABSENT = { outcome: "absent" } as const;

/** A successor that has ended stands in nobody's way: its token may never have arrived. */
async function hasLivingSuccessor(
  trx: Database,
  { rotatedTo }: ApiKey,
  nowMs: number,
): Promise<boolean> {
  if (rotatedTo === null) return false;
  const columns = await trx
    .selectFrom("api_key")
    .select(["id", "revoked_at", "expires_at"])
    .where("id", "=", rotatedTo)
    .executeTakeFirstOrThrow();
  const row = rowOf("api_key", columns);
  const successor = {
    revokedAtMs: row.integerOrNull("revoked_at"),
    expiresAtMs: row.integerOrNull("expires_at"),
  };
  return endedHow(successor, nowMs) === null;
}

/** Unless an end is named, it lives as long as the old key was made for, as far as there are dates. */
function endOfSuccessor({ key, ownEndMs }: HeldKey, rotation: Rotation, nowMs: number): EndAsk {
  if (rotation.expiresAtMs !== undefined) return { named: rotation.expiresAtMs };
  if (ownEndMs === null) return { usual: null };
  return { usual: Math.min(nowMs + (ownEndMs - key.createdAtMs), LAST_END_MS) };
}

/** Stores the successor, with the audit events of both keys. */
async function storeSuccessor(
  trx: Database,
  { key }: HeldKey,
  successor: NewKey,
  { accountId, rotation, origin, nextEventId }: RotationAsk,
): Promise<void> {
  const environmentId = key.environment.id;
  // No change is written for it: nobody can ask for a digest before its token exists.
  await insertKey(trx, environmentId, successor, origin, { rotatedFrom: key.id });
  await recordAudit(
    trx,
    {
      action: "api_key.rotated",
      accountId,
      environmentId,
      subject: { type: "api_key", id: key.id },
      details: {
        type: key.type,
        hint: key.hint,
        rotated_to: successor.id,
        rotated_to_hint: successor.hint,
        overlap_seconds: rotation.overlapMs / 1_000,
        starts: rotation.starts,
      },
    },
    origin,
  );
  const { type, hint, expiresAtMs } = successor;
  await recordAudit(
    trx,
    {
      action: "api_key.created",
      accountId,
      environmentId,
      subject: { type: "api_key", id: successor.id },
      details: {
        type,
        hint,
        expires_at: expiresAtMs,
        rotated_from: key.id,
        rotated_from_hint: key.hint,
      },
    },
    { ...origin, eventId: nextEventId() },
  );
}

/** Revokes the old key: it has no overlap. */
async function endAtOnce(
  trx: Database,
  engine: Engine,
  { key, digest }: HeldKey,
  { accountId, rotation, origin, nextEventId }: RotationAsk,
): Promise<Done> {
  const { id } = key;
  await recordAudit(trx, revocationAudit(accountId, key, null), {
    ...origin,
    eventId: nextEventId(),
  });
  await trx
    .updateTable("api_key")
    .set({ rotated_to: rotation.successor.id })
    .where("id", "=", id)
    .execute();
  const keys = await readBoth(trx, accountId, id, rotation.successor.id);
  const seq = await recordRevocation(
    trx,
    engine,
    { kind: "key", subject: digest, subjectId: id },
    origin,
    (seq) => markRevoked(trx, id, seq, null, origin),
  );
  const predecessor: ApiKey = {
    ...keys.predecessor,
    revokedAtMs: origin.atMs,
    revokedBy: origin.actor,
    revokedReason: null,
    revocation: { seq, effectiveAtMs: null, tookMs: null, acknowledged: 0, lapsed: 0 },
  };
  return { outcome: "rotated", successor: keys.successor, predecessor, seq };
}

/** Gives the old key the end of its overlap, or none while that waits for the successor's first use. */
async function beginOverlap(
  trx: Database,
  engine: Engine,
  held: HeldKey,
  { accountId, rotation, origin }: RotationAsk,
): Promise<Done> {
  const { id } = held.key;
  const fromMs = rotation.starts === "now" ? origin.atMs : null;
  const endMs = endInOverlap(held.ownEndMs, fromMs, rotation.overlapMs);
  await trx
    .updateTable("api_key")
    .set({
      rotated_to: rotation.successor.id,
      overlap_ms: rotation.overlapMs,
      overlap_from: fromMs,
      expires_before: held.ownEndMs,
      expires_at: endMs,
    })
    .where("id", "=", id)
    .execute();
  const keys = await readBoth(trx, accountId, id, rotation.successor.id);
  const seq = await recordEnd(trx, engine, held, endMs, origin);
  return { outcome: "rotated", ...keys, seq };
}

async function readBoth(trx: Database, accountId: string, id: string, successorId: string) {
  return {
    predecessor: await readKey(trx, accountId, id),
    successor: await readKey(trx, accountId, successorId),
  };
}

/** A rotation that was done before, as its keys are now; `null` when they were deleted. */
async function readRotation(
  trx: Database,
  engine: Engine,
  accountId: string,
  successorId: string,
  outcome: Done["outcome"],
): Promise<Done | null> {
  const row = await selectKeys(trx, accountId)
    .where("api_key.id", "=", successorId)
    .executeTakeFirst();
  const successor = row === undefined ? null : parseKey(row);
  if (successor === null || successor.rotatedFrom === null) return null;
  // Held, so that the commit waits for what was visible here before it was safe.
  const held = await holdKey(trx, engine, accountId, successor.rotatedFrom);
  if (held === undefined) return null;
  const { key: predecessor, expirySeq } = held;
  const revocation = predecessor.revocation;
  const seq =
    revocation === null
      ? await pendingEnd(trx, accountId, expirySeq)
      : revocation.effectiveAtMs === null
        ? revocation.seq
        : null;
  return { outcome, successor, predecessor, seq };
}
