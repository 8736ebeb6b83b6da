import type { Database } from "./engine.ts";
import type { Origin } from "./store.ts";

/** Every deed that the audit log tells of. */
export type AuditAction =
  | "account.created"
  | "account.updated"
  | "account.suspended"
  | "account.unsuspended"
  | "account.deleted"
  | "environment.created"
  | "environment.renamed"
  | "environment.deleted"
  | "api_key.created"
  | "api_key.edited"
  | "api_key.revoked"
  | "api_key.rotated"
  | "api_key.overlap_started"
  | "access_token.created"
  | "access_token.deleted"
  | "setup.completed"
  | "member.joined"
  | "member.role_changed"
  | "member.removed"
  | "member.left"
  | "invitation.created"
  | "invitation.sent"
  | "invitation.cancelled"
  | "sign_in_link.created"
  | "sign_in_link.opened"
  | "password_reset_link.created"
  | "person.signed_up"
  | "person.password_changed"
  | "person.password_reset"
  | "person.two_factor_enabled"
  | "person.two_factor_disabled"
  | "person.recovery_codes_replaced"
  | "person.sessions_ended";

/** A value in the details of an audit event. Never a token or a digest. */
type Detail = string | number | boolean | null | readonly string[];

/** A deed as its audit event tells it. */
export interface AuditedDeed {
  readonly action: AuditAction;
  /** `null` when the deed concerns no account, but the operator alone. */
  readonly accountId: string | null;
  /** `null` when the deed concerns the whole account. */
  readonly environmentId: string | null;
  readonly subject: {
    readonly type:
      | "account"
      | "environment"
      | "api_key"
      | "access_token"
      | "person"
      | "invitation"
      | "sign_in_link";
    readonly id: string;
  };
  readonly details: Readonly<Record<string, Detail>>;
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
