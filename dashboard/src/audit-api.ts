import type { AuditLogSearch, PageAsk } from "@latchkey/sdk/client";
import { queryOptions } from "@tanstack/react-query";
import { cacheKeys, clientFor, ofSameAccount } from "./api.ts";
import { bounds } from "./bounds.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Spans of time that end now. */
export const AUDIT_RANGES = {
  "24h": { label: "Last 24 hours", days: 1 },
  "7d": { label: "Last 7 days", days: 7 },
  "30d": { label: "Last 30 days", days: 30 },
  "90d": { label: "Last 90 days", days: 90 },
} as const;

export type AuditRange = keyof typeof AUDIT_RANGES;

export const isAuditRange = (value: unknown): value is AuditRange =>
  typeof value === "string" && Object.hasOwn(AUDIT_RANGES, value);

/** Which entries the page shows; lives in the address. */
export interface AuditFilters {
  /** Id of who did it. */
  actor?: string | undefined;
  /** As the API takes it. */
  action?: string | undefined;
  /** Id of a key. */
  key?: string | undefined;
  /** Id of what it was done to. */
  subject?: string | undefined;
  range?: AuditRange | undefined;
  /** Days of the reader's calendar, `2026-01-31`; both are included. Instead of a range. */
  from?: string | undefined;
  to?: string | undefined;
}

export type AuditAddress = AuditFilters & Pick<PageAsk, "after" | "before">;

/** What the API is asked for. A range begins at a full minute, so that reading again asks for the same. */
export function searchOf(filters: AuditFilters, nowMs: number): AuditLogSearch {
  const { actor, action, key, subject, range, from, to } = filters;
  const minuteMs = Math.floor(nowMs / 60_000) * 60_000;
  return {
    actor,
    action,
    subject,
    api_key_id: key,
    from:
      range === undefined
        ? beginningOf(from, 0)
        : new Date(minuteMs - AUDIT_RANGES[range].days * dayMs).toISOString(),
    to: range === undefined ? beginningOf(to, 1) : undefined,
  };
}

/** When a day of the reader's calendar begins, or the one so many days after it. */
function beginningOf(day: string | undefined, later: number): string | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day ?? "") ?? [];
  if (year === undefined) return undefined;
  const at = new Date(Number(year), Number(month) - 1, Number(date) + later);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** One page of the audit log, newest first, read again every ten seconds while it can be seen. */
export const auditLogQuery = (account: string, { after, before, ...filters }: AuditAddress) =>
  queryOptions({
    queryKey: [...cacheKeys.auditLog(account), filters, { after, before }],
    queryFn: ({ signal }) =>
      clientFor(account).auditLogs.list(
        { ...searchOf(filters, Date.now()), after, before, page_size: bounds.auditPageSize },
        { signal },
      ),
    placeholderData: ofSameAccount(account),
    refetchInterval: 10_000,
  });

/** Who may have done something, to choose from: the people and the programs of the account, the newest of very many. */
export const auditActorsQuery = (account: string) =>
  queryOptions({
    queryKey: [...cacheKeys.auditLog(account), "actors"],
    queryFn: async ({ signal }) => {
      const client = clientFor(account);
      const [members, tokens] = await Promise.all([
        client.members.list({ page_size: bounds.auditActorsMax }, { signal }),
        client.serviceTokens.list({ page_size: bounds.auditActorsMax }, { signal }),
      ]);
      return { members: members.entries, tokens: tokens.entries };
    },
    staleTime: 60_000,
  });
