import { sql } from "kysely";
import { absent, endOfKey } from "./absence.ts";
import { auditRow, recordAudit } from "./audit.ts";
import { recordRevocation } from "./changes.ts";
import { type Database, deed, type Engine, type Lanes, untilCertain } from "./engine.ts";
import { holdKey, markRevoked, readKey, revocationAudit, selectKeys } from "./held-key.ts";
import { claimOnce } from "./idempotency.ts";
import { editKey } from "./key-edit.ts";
import { endWithin, latestEnd } from "./key-end.ts";
import { listKeys } from "./key-list.ts";
import { readMaxAge } from "./key-max-age.ts";
import { findLivingEnvironment } from "./living.ts";
import { insertKey } from "./provisioning.ts";
import { rotateKey } from "./rotation.ts";
import { parseKey } from "./rows.ts";
import type { ApiKey, KeyStore, NewKey, Once, Origin } from "./store.ts";
import { confirmRevocation, IF_CLOCKED, ofHeld, writeTogether } from "./together.ts";

/** The keys of one account. */
export function keyStore(lanes: Lanes, engine: Engine, accountId: string): KeyStore {
  const db = lanes.requests;
  return {
    listKeys: (filter, page) => listKeys(db, engine, accountId, filter, page),

    createKey: (environmentSlug, key, origin, once) =>
      deed(db, async (trx, undo) => {
        const earlier = await claimOnce(trx, once, key.id, origin);
        if (earlier !== null) return earlier;
        const environment = await findLivingEnvironment(trx, accountId, environmentSlug);
        if (environment === undefined) return undo({ outcome: "absent" });
        const latestMs = latestEnd(await readMaxAge(trx, engine, accountId), origin.atMs);
        const expiresAtMs = endOfNew(key, latestMs);
        if (expiresAtMs === "too_late")
          return undo({ outcome: "too_late", latestMs: latestMs ?? origin.atMs });
        // No change is written: nobody can ask for a digest before its token exists.
        await insertKey(trx, environment.id, { ...key, expiresAtMs }, origin);
        await recordAudit(
          trx,
          {
            action: "api_key.created",
            accountId,
            environmentId: environment.id,
            subject: { type: "api_key", id: key.id },
            details: { type: key.type, hint: key.hint, expires_at: expiresAtMs },
          },
          origin,
        );
        return { outcome: "created", key: await readKey(trx, accountId, key.id) };
      }),

    async findKey(id) {
      const row = await selectKeys(db, accountId).where("api_key.id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : parseKey(row);
    },

    editKey: (id, edit, origin, nowMs = () => origin.atMs) =>
      untilCertain(engine, () =>
        editKey(lanes.revocations, engine, { accountId, id, edit, origin, nowMs }),
      ),

    rotateKey: (id, rotation, origin, nextEventId, once, nowMs = () => origin.atMs) =>
      untilCertain(engine, () =>
        rotateKey(lanes.revocations, engine, {
          accountId,
          id,
          rotation,
          origin,
          nextEventId,
          once,
          nowMs,
        }),
      ),

    revokeKey: (id, reason, origin, once) =>
      untilCertain(engine, () =>
        once === null && engine.writesTogether
          ? revokeTogether(lanes.revocations, engine, { accountId, id, reason, origin })
          : revokeKey(lanes.revocations, engine, { accountId, id, reason, origin }, once),
      ),
  };
}

/** When a new key ends: who names no end gets the latest. */
function endOfNew({ expiresAtMs }: NewKey, latestMs: number | null) {
  return endWithin(expiresAtMs === null ? { usual: null } : { named: expiresAtMs }, latestMs);
}

/** What a revocation of a key is asked with. */
interface RevocationAsk {
  readonly accountId: string;
  readonly id: string;
  readonly reason: string | null;
  readonly origin: Origin;
}

type Revoked = Awaited<ReturnType<KeyStore["revokeKey"]>>;

async function revokeKey(
  db: Database,
  engine: Engine,
  { accountId, id, reason, origin }: RevocationAsk,
  once: Once | null,
): Promise<Revoked> {
  const done = await deed<Revoked | null>(db, async (trx, undo) => {
    const earlier = await claimOnce(trx, once, id, origin);
    if (earlier?.outcome === "mismatch") return { outcome: "mismatch" };
    const held = await holdKey(trx, engine, accountId, id);
    if (held === undefined) return undo(null);
    const first = held.key.revocation;
    if (first !== null) return { outcome: "already_revoked", seq: first.seq, key: held.key };
    await recordAudit(trx, revocationAudit(accountId, held.key, reason), origin);
    const revoked = { kind: "key", subject: held.digest, subjectId: id } as const;
    const seq = await recordRevocation(trx, engine, revoked, origin, (seq) =>
      markRevoked(trx, id, seq, reason, origin),
    );
    return { outcome: "revoked", seq, key: await readKey(trx, accountId, id) };
  });
  return done ?? absent(db, endOfKey(db, accountId, id));
}

/**
 * The same as one autocommitted statement: key, change and audit event (design §6). Only where it found nothing to revoke
 * is the key read, to tell why.
 */
async function revokeTogether(db: Database, engine: Engine, ask: RevocationAsk): Promise<Revoked> {
  for (;;) {
    const revoked = await revokeLiving(db, engine, ask);
    if (revoked !== null) return { outcome: "revoked", ...revoked };
    const row = await selectKeys(db, ask.accountId)
      .where("api_key.id", "=", ask.id)
      .executeTakeFirst();
    if (row === undefined) return absent(db, endOfKey(db, ask.accountId, ask.id));
    const key = parseKey(row);
    const first = key.revocation;
    if (first === null) continue; // it is new
    if (first.effectiveAtMs === null) await confirmRevocation(db, first.seq);
    return { outcome: "already_revoked", seq: first.seq, key };
  }
}

/** @returns The key as it is now, or `null` when there is none to revoke. */
async function revokeLiving(
  db: Database,
  engine: Engine,
  { accountId, id, reason, origin }: RevocationAsk,
): Promise<{ seq: number; key: ApiKey } | null> {
  const deed = { action: "api_key.revoked", subject: { type: "api_key", id } } as const;
  const details = sql<string>`json_build_object('type', type, 'hint', hint, 'reason', ${reason}::text)::text`;
  const written = await writeTogether(db, {
    guard: selectKeys(db, accountId)
      .select("api_key.digest")
      .where("api_key.id", "=", id)
      .where("api_key.revoked_at", "is", null)
      .forNoKeyUpdate("api_key"),
    audit: {
      ...auditRow({ ...deed, accountId, environmentId: null, details: {} }, origin),
      environment_id: ofHeld(sql`environment_id`),
      details: ofHeld(details),
    },
    change: {
      id: engine.randomId(),
      kind: "key",
      subject: ofHeld(sql`translate(rtrim(encode(digest, 'base64'), '='), '+/', '-_')`),
    },
    revocation: { subjectId: id, revokedAtMs: origin.atMs },
    mark: (seq) => markRevoked(db, id, seq, reason, origin).where(IF_CLOCKED),
  });
  if (written === null) return null;
  const { seq, held } = written;
  const revocation = { seq, effectiveAtMs: null, tookMs: null, acknowledged: 0, lapsed: 0 };
  const revoked = { revokedAtMs: origin.atMs, revokedBy: origin.actor, revokedReason: reason };
  return { seq, key: { ...parseKey(held), ...revoked, revocation } };
}
