import type { Actor, Listed, PageAsk } from "./deeds.ts";

/** Every deed that the audit log tells of; docs/audit-log.md says what of each. */
export const AUDIT_ACTIONS = [
  "account.created",
  "account.updated",
  "account.suspended",
  "account.unsuspended",
  "account.deleted",
  "environment.created",
  "environment.renamed",
  "environment.deleted",
  "api_key.created",
  "api_key.edited",
  "api_key.revoked",
  "api_key.rotated",
  "api_key.overlap_started",
  "access_token.created",
  "access_token.deleted",
  "setup.completed",
  "member.joined",
  "member.role_changed",
  "member.removed",
  "member.left",
  "invitation.created",
  "invitation.sent",
  "invitation.cancelled",
  "sign_in_link.created",
  "sign_in_link.opened",
  "password_reset_link.created",
  "person.signed_up",
  "person.address_confirmed",
  "person.renamed",
  "person.password_changed",
  "person.password_reset",
  "person.two_factor_enabled",
  "person.two_factor_disabled",
  "person.recovery_codes_replaced",
  "person.recovery_code_used",
  "person.sessions_ended",
  "person.deleted",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A value in the details of an audit event. Never a token or a digest. Times are Unix ms, under names that say so. */
export type AuditDetail =
  | string
  | number
  | boolean
  | null
  | readonly string[]
  | { readonly [name: string]: string | null };

/** What a deed was done to. */
export interface AuditSubject {
  readonly type:
    | "account"
    | "environment"
    | "api_key"
    | "access_token"
    | "person"
    | "invitation"
    | "sign_in_link";
  readonly id: string;
}

/** A deed as the audit log has it. What has a name is told with the one that it has now, or had last. */
export interface AuditEvent {
  /** `evt_…`; ids sort as the deeds were done, by the clocks of the nodes that did them. */
  readonly id: string;
  readonly atMs: number;
  /** One of {@link AUDIT_ACTIONS}, or one of a later release beside this one. */
  readonly action: string;
  readonly actor: Actor;
  /** Slug; also of one that was deleted. `null` when the deed concerns the whole account. */
  readonly environment: string | null;
  readonly subject: { readonly type: string; readonly id: string; readonly name: string | null };
  /** The subject, when it is a key. */
  readonly apiKey: {
    readonly id: string;
    readonly hint: string;
    readonly description: string;
  } | null;
  readonly requestId: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Which audit events: those that meet all of it. `null` is any. */
export interface AuditFilter {
  readonly actorId: string | null;
  readonly actions: readonly AuditAction[] | null;
  readonly subjectId: string | null;
  /** Also events that name the key in their details, as the rotation does that it came from. */
  readonly keyId: string | null;
  readonly fromMs: number | null;
  /** Exclusive. */
  readonly toMs: number | null;
}

/** The audit log of one account, or of what the operator does to no account. */
export interface AuditStore {
  listAuditEvents(filter: AuditFilter, page: PageAsk): Promise<Listed<AuditEvent>>;
  /** The newest of those that are older than the event of this id, which need not exist; of all when it is `null`. */
  olderAuditEvents(
    filter: AuditFilter,
    olderThan: string | null,
    limit: number,
  ): Promise<readonly AuditEvent[]>;
}
