import { isDone } from "./absence.ts";
import { recordAudit } from "./audit.ts";
import { pendingEnd, recordEnd } from "./ends.ts";
import { type Database, deed, type Engine } from "./engine.ts";
import { endedHow, type HeldKey, holdKey, readKey } from "./held-key.ts";
import { endInOverlap, endWithin, isSooner, type KeyMaxAge, latestEnd } from "./key-end.ts";
import { readMaxAge } from "./key-max-age.ts";
import { searchText } from "./provisioning.ts";
import type { ApiKey, KeyEdit, KeyStore, Origin } from "./store.ts";

type Edited = Awaited<ReturnType<KeyStore["editKey"]>>;

/** What an edit of a key is asked with. */
interface EditAsk {
  readonly accountId: string;
  readonly id: string;
  readonly edit: KeyEdit;
  readonly origin: Origin;
  readonly nowMs: () => number;
}

/** Edits a key, all of it by one deed. */
export function editKey(
  db: Database,
  engine: Engine,
  { accountId, id, edit, origin, nowMs }: EditAsk,
): Promise<Edited> {
  return deed(db, async (trx) => {
    const namesEnd = edit.expiresAtMs !== undefined || edit.overlapMs !== undefined;
    // Before the key's row: whoever sets it takes the rows of keys.
    const maxAge = namesEnd ? await readMaxAge(trx, engine, accountId) : null;
    const held = await holdKey(trx, engine, accountId, id);
    if (held === undefined) return { outcome: "absent" };
    const pending = () => (namesEnd ? pendingEnd(trx, accountId, held.expirySeq) : null);
    // Done before, and its answer lost: what others changed since then stands.
    if (await isDone(trx, origin))
      return { outcome: "edited", key: held.key, seq: await pending() };
    const end = newEnd(held, edit, maxAge, Math.max(origin.atMs, nowMs()));
    if (end.outcome !== "end") return end;
    const details = differences(held, edit, end.expiresAtMs);
    const { fields } = details;
    if (fields.length === 0) return { outcome: "edited", key: held.key, seq: await pending() };

    await writeEdit(trx, held, edit, end.expiresAtMs);
    await recordAudit(
      trx,
      {
        action: "api_key.edited",
        accountId,
        environmentId: held.key.environment.id,
        subject: { type: "api_key", id },
        details,
      },
      origin,
    );
    const key = await readKey(trx, accountId, id);
    // The description is no part of the verdict, so it is no news to verifiers.
    const isNews = fields.includes("metadata");
    const seq = await recordEnd(trx, engine, held, end.expiresAtMs, origin, isNews);
    return { outcome: "edited", key, seq };
  });
}

/** When the key is to end, which is as before unless the edit names an end, or why it cannot. */
function newEnd(
  { key, ownEndMs, exchangedBy }: HeldKey,
  { expiresAtMs, overlapMs }: KeyEdit,
  maxAge: KeyMaxAge | null,
  nowMs: number,
): { outcome: "end"; expiresAtMs: number | null } | Exclude<Edited, { outcome: "edited" }> {
  const { overlap } = key;
  if (expiresAtMs === undefined && overlapMs === undefined)
    return { outcome: "end", expiresAtMs: key.expiresAtMs };
  const how = endedHow(key, nowMs);
  if (how !== null) return { outcome: "ended", how };
  if (overlapMs !== undefined) {
    if (overlap === null) return { outcome: "not_in_rotation" };
    const endMs = endInOverlap(ownEndMs, overlap.startedAtMs, overlapMs);
    if (endMs !== null && endMs <= nowMs) return { outcome: "in_the_past" };
    return { outcome: "end", expiresAtMs: endMs };
  }
  if (overlap !== null) return { outcome: "in_rotation" };
  // How many live of one token is bounded, and so is what its deletion revokes: for as long as none outlives its hour.
  if (exchangedBy !== null && isSooner(key.expiresAtMs, expiresAtMs ?? null))
    return { outcome: "exchanged" };
  const latestMs = latestEnd(maxAge, key.createdAtMs);
  const endMs = endWithin({ named: expiresAtMs ?? null }, latestMs);
  return endMs === "too_late"
    ? { outcome: "too_late", latestMs: latestMs ?? nowMs }
    : { outcome: "end", expiresAtMs: endMs };
}

/** What of the key the edit alters, as its audit event tells it. */
function differences({ key }: HeldKey, edit: KeyEdit, expiresAtMs: number | null) {
  const { description = key.description, metadata = key.metadata } = edit;
  const overlapMs = edit.overlapMs ?? key.overlap?.lengthMs;
  const hasOtherOverlap = overlapMs !== undefined && overlapMs !== key.overlap?.lengthMs;
  const hasOtherEnd = expiresAtMs !== key.expiresAtMs;
  const changed = changedEntries(key.metadata, metadata);
  const details = {
    ...(description === key.description
      ? {}
      : { description, description_before: key.description }),
    ...(changed === null ? {} : { metadata: changed.now, metadata_before: changed.before }),
    ...(hasOtherOverlap
      ? {
          overlap_seconds: overlapMs / 1_000,
          overlap_seconds_before: key.overlap === null ? null : key.overlap.lengthMs / 1_000,
        }
      : {}),
    ...(hasOtherEnd ? { expires_at: expiresAtMs, expires_at_before: key.expiresAtMs } : {}),
  };
  const fields = Object.keys(details).filter((name) => !name.endsWith("_before"));
  return { type: key.type, hint: key.hint, fields, ...details };
}

/** The entries that differ, before and now: `null` is none. An order of its own is no difference to anybody. */
function changedEntries(
  before: ApiKey["metadata"],
  now: ApiKey["metadata"],
): Readonly<Record<"before" | "now", Readonly<Record<string, string | null>>>> | null {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
    (name) => entryOf(before, name) !== entryOf(now, name),
  );
  if (names.length === 0) return null;
  const pick = (from: ApiKey["metadata"]) =>
    Object.fromEntries(names.map((name) => [name, entryOf(from, name)]));
  return { before: pick(before), now: pick(now) };
}

const entryOf = (metadata: ApiKey["metadata"], name: string): string | null =>
  Object.hasOwn(metadata, name) ? (metadata[name] ?? null) : null;

async function writeEdit(
  trx: Database,
  { key }: HeldKey,
  edit: KeyEdit,
  expiresAtMs: number | null,
): Promise<void> {
  const { description = key.description, metadata = key.metadata } = edit;
  await trx
    .updateTable("api_key")
    .set({
      description,
      metadata: JSON.stringify(metadata),
      search_text: searchText({ ...key, description }),
      overlap_ms: edit.overlapMs ?? key.overlap?.lengthMs ?? null,
      expires_at: expiresAtMs,
    })
    .where("id", "=", key.id)
    .execute();
}
