import { z } from "zod";
import type { AuditAction } from "./audit.ts";
import type { Database } from "./engine.ts";
import type { RestoreDeed, RestoreReceipt, RestoreRecord } from "./restore-record.ts";
import { type Row, rowOf } from "./row.ts";
import { ACTOR_TYPES } from "./rows.ts";
import type { Actor } from "./store.ts";

/** Revocations that one statement reads. */
const PAGE_ROWS = 500;

/**
 * Everything that was taken away and still is, in the order in which that was committed.
 *
 * The rows are the truth of what is gone: each deed that takes something away leaves a row in `revocation`, and marks
 * what it took with the row's seq in the same transaction, so a row whose seq marks nothing any more was undone (a
 * suspension that was lifted) or outdone (an end that was brought forward again). Only a maximum age of keys marks none of
 * them. Who did it stands in the key's own row; of everything else only the audit log knows.
 *
 * @param afterSeq Where an earlier reading ended: a seq that can be seen has none below it that cannot be seen yet.
 */
export async function* readRecords(
  db: Database,
  afterSeq = 0,
): AsyncGenerator<RestoreRecord, void, undefined> {
  for (let after = afterSeq; ; ) {
    const page = await selectRevocations(db, after).execute();
    for (const columns of page) {
      const row = rowOf("revocation", columns, "seq");
      after = row.integer("seq");
      yield* recordsOf(db, row);
    }
    if (page.length < PAGE_ROWS) return;
  }
}

/** By the subject, whose id is the primary key everywhere; whether the seq is this one is looked at afterwards. */
function selectRevocations(db: Database, afterSeq: number) {
  return db
    .selectFrom("revocation")
    .leftJoin("api_key", "api_key.id", "revocation.subject_id")
    .leftJoin("access_token", "access_token.id", "revocation.subject_id")
    .leftJoin("environment", "environment.id", "revocation.subject_id")
    .leftJoin("account", "account.id", "revocation.subject_id")
    .where("revocation.seq", ">", afterSeq)
    .select([
      "revocation.seq",
      "revocation.subject_id",
      "revocation.revoked_at",
      "revocation.effective_at",
      "revocation.took_ms",
      "revocation.acknowledged",
      "revocation.lapsed",
      "api_key.revocation_seq",
      "api_key.revoked_by_type",
      "api_key.revoked_by_id",
      "api_key.revoked_by_name",
      "api_key.revoked_reason",
      "api_key.expiry_seq",
      "api_key.expires_at",
      "access_token.deletion_seq as token_deletion_seq",
      "access_token.account_id as token_account_id",
      "environment.deletion_seq as environment_deletion_seq",
      "environment.account_id as environment_account_id",
      "account.deletion_seq as account_deletion_seq",
      "account.suspension_seq",
      "account.id as account_id",
    ])
    .orderBy("revocation.seq")
    .limit(PAGE_ROWS);
}

async function* recordsOf(db: Database, row: Row): AsyncGenerator<RestoreRecord, void, undefined> {
  const seq = row.integer("seq");
  const id = row.text("subject_id");
  const common = {
    seq,
    atMs: row.integer("revoked_at"),
    id,
    reason: null,
    expiresAtMs: null,
    maxAgeDays: null,
    effective: receiptOf(row),
  };
  const marks = (column: string): boolean => row.integerOrNull(column) === seq;
  const told = async (
    deed: Exclude<RestoreDeed, "api_key.revoked" | "api_key.expires" | "account.key_max_age">,
    accountId: string | null,
  ): Promise<RestoreRecord> => {
    const event = await findEvent(db, { ...common, action: deed, accountId });
    return { ...common, deed, actor: event?.actor ?? null };
  };

  if (marks("revocation_seq"))
    yield {
      ...common,
      deed: "api_key.revoked",
      actor: actorOf(row, "revoked_by"),
      reason: row.textOrNull("revoked_reason"),
    };
  const expiresAtMs = row.integerOrNull("expires_at");
  if (marks("expiry_seq") && expiresAtMs !== null)
    yield { ...common, deed: "api_key.expires", actor: null, expiresAtMs };
  if (marks("token_deletion_seq"))
    yield told("access_token.deleted", row.textOrNull("token_account_id"));
  if (marks("environment_deletion_seq"))
    yield told("environment.deleted", row.textOrNull("environment_account_id"));
  if (marks("suspension_seq")) yield told("account.suspended", id);
  if (marks("account_deletion_seq")) yield told("account.deleted", id);
  if (row.textOrNull("account_id") !== null) {
    const event = await findEvent(db, { ...common, action: "account.updated", accountId: id });
    if (event?.maxAgeDays != null) yield { ...common, ...event, deed: "account.key_max_age" };
  }
}

function receiptOf(row: Row): RestoreReceipt | null {
  const atMs = row.integerOrNull("effective_at");
  if (atMs === null) return null;
  return {
    atMs,
    tookMs: row.integer("took_ms"),
    acknowledged: row.integer("acknowledged"),
    lapsed: row.integer("lapsed"),
  };
}

function actorOf(row: Row, prefix: "revoked_by" | "actor"): Actor {
  return {
    type: row.oneOf(`${prefix}_type`, ACTOR_TYPES),
    id: row.text(`${prefix}_id`),
    name: row.text(`${prefix}_name`),
  };
}

/** The audit event of a deed: who did it, and what maximum age of keys it set. */
async function findEvent(
  db: Database,
  deed: { action: AuditAction; accountId: string | null; id: string; atMs: number },
): Promise<Pick<RestoreRecord, "actor" | "maxAgeDays"> | null> {
  const event = await db
    .selectFrom("audit_event")
    .select(["id", "actor_type", "actor_id", "actor_name", "details"])
    .where("account_id", deed.accountId === null ? "is" : "=", deed.accountId)
    .where("subject_id", "=", deed.id)
    .where("action", "=", deed.action)
    .where("at", "=", deed.atMs)
    .executeTakeFirst();
  if (event === undefined) return null;
  const row = rowOf("audit_event", event);
  const { data } = MAX_AGE.safeParse(JSON.parse(row.text("details")));
  return { actor: actorOf(row, "actor"), maxAgeDays: data?.api_key_max_age_days ?? null };
}

/** What the audit log tells of a maximum age. It has shortened lives of keys where a revocation is of the same moment. */
const MAX_AGE = z.object({ api_key_max_age_days: z.int().min(1) });
