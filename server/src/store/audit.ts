import type { AuditAction, AuditDetail, AuditSubject } from "./audit-deeds.ts";
import type { Database } from "./engine.ts";
import type { Origin } from "./store.ts";

export type { AuditAction } from "./audit-deeds.ts";

/** A deed as its audit event tells it. */
export interface AuditedDeed {
  readonly action: AuditAction;
  /** `null` when the deed concerns no account, but the operator alone. */
  readonly accountId: string | null;
  /** `null` when the deed concerns the whole account. */
  readonly environmentId: string | null;
  readonly subject: AuditSubject;
  readonly details: Readonly<Record<string, AuditDetail>>;
}

/** Writes the audit event of a deed, in the deed's own transaction: neither is there without the other. */
export async function recordAudit(trx: Database, deed: AuditedDeed, origin: Origin): Promise<void> {
  await trx.insertInto("audit_event").values(auditRow(deed, origin)).execute();
}

/** The row of a deed's audit event. */
export function auditRow(deed: AuditedDeed, origin: Origin) {
  return {
    id: origin.eventId,
    account_id: deed.accountId,
    environment_id: deed.environmentId,
    at: origin.atMs,
    actor_type: origin.actor.type,
    actor_id: origin.actor.id,
    actor_name: origin.actor.name,
    action: deed.action,
    subject_type: deed.subject.type,
    subject_id: deed.subject.id,
    request_id: origin.requestId,
    address: origin.address,
    user_agent: origin.userAgent,
    details: JSON.stringify(deed.details),
  };
}
