import { everyEntry } from "./paging.ts";
import type { ActorJson, Page, PageAsk } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** An entry of the audit log: a change, who made it and from where. Times are ISO 8601 UTC. */
export interface AuditLogJson {
  /** `evt_…`; newer ones sort after older ones. */
  id: string;
  at: string;
  /** What was done, e.g. `api_key.revoked`; docs/audit-log.md lists every action. */
  action: string;
  actor: ActorJson;
  /** Slug; `null` when it concerns the whole account. */
  environment: string | null;
  /** What it was done to; `name` is the one that it has now, or had last. */
  subject: { type: string; id: string; name: string | null };
  /** The subject, when it is a key. */
  api_key: { id: string; hint: string; description: string } | null;
  address: string | null;
  user_agent: string | null;
  /** What the caller got as `X-Request-Id`. */
  request_id: string | null;
  /** More of it, by action: what it was called, old and new values. Never a token. */
  details: Record<string, unknown>;
}

/** Which entries: those that meet all of it. */
export interface AuditLogSearch {
  /** Id of who did it: a person, a token, `setup` and the like. */
  actor?: string | undefined;
  /** An action, or all that begin alike: `api_key.*`. */
  action?: string | undefined;
  /** Id of a key: what was done to it, and what names it, as the rotation does that made it. */
  api_key_id?: string | undefined;
  /** Id of what it was done to. */
  subject?: string | undefined;
  /** ISO 8601. */
  from?: string | undefined;
  /** ISO 8601, exclusive. */
  to?: string | undefined;
}

/** Which page of which entries. */
export type AuditLogFilter = AuditLogSearch & PageAsk;

/** Which entries of those that belong to no account: no key does. */
export type OperatorAuditLogSearch = Omit<AuditLogSearch, "api_key_id">;

/** Bytes of an export that is read whole: some half a million entries. Walk `all()` through more. */
const EXPORT_BYTES_MAX = 256 * 1024 * 1024;

function auditLogCalls<Search extends OperatorAuditLogSearch>(
  { call }: Transport,
  path: readonly string[],
) {
  const page = (query: AuditLogFilter, options?: CallOptions) =>
    call<Page<AuditLogJson>>({ method: "GET", path, query: { ...query } }, options);

  return {
    /** One page, newest first. */
    list: (filter?: Search & PageAsk, options?: CallOptions) => page({ ...filter }, options),
    /** All of them, newest first; pages are fetched as they are needed. */
    all: (search?: Search, options?: CallOptions) =>
      everyEntry((cursor) => page({ ...search, ...cursor }, options)),
    /** All of them as the text of a file: a line of JSON for each, or a table (RFC 4180). Resolves when it is here whole. */
    export: (format: "jsonl" | "csv", search?: Search, options?: CallOptions) =>
      call<string>(
        {
          method: "GET",
          path,
          query: { ...search, format },
          as: format,
          bytesMax: EXPORT_BYTES_MAX,
          waits: true,
        },
        options,
      ),
  };
}

/** `/v1/audit_logs`: of an account. */
export const accountAuditLogCalls = (transport: Transport) =>
  auditLogCalls<AuditLogSearch>(transport, ["v1", "audit_logs"]);

/** `/v1/operator/audit_logs`: of what belongs to no account. */
export const operatorAuditLogCalls = (transport: Transport) =>
  auditLogCalls<OperatorAuditLogSearch>(transport, ["v1", "operator", "audit_logs"]);
