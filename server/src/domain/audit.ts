import {
  AUDIT_ACTIONS,
  type AuditAction,
  type AuditEvent,
  type AuditFilter,
  type AuditStore,
  type PageAsk,
  type PageOf,
} from "../store/store.ts";
import { pageOf } from "./outcomes.ts";

/** Events that an export reads at once: half a megabyte of what people write. */
const EXPORTED_AT_ONCE = 500;

/**
 * The actions that a pattern means: one by its name, or all that begin like `api_key.*`.
 *
 * @returns None when it means none.
 */
export function actionsLike(pattern: string): readonly AuditAction[] {
  if (!pattern.endsWith(".*")) return AUDIT_ACTIONS.filter((action) => action === pattern);
  const prefix = pattern.slice(0, -1);
  return AUDIT_ACTIONS.filter((action) => action.startsWith(prefix));
}

/** A page of the audit log. @throws Failure `invalid_params` for a cursor of another list. */
export async function listAuditEvents(
  log: AuditStore,
  filter: AuditFilter,
  page: PageAsk,
): Promise<PageOf<AuditEvent>> {
  return pageOf(await log.listAuditEvents(filter, page), page);
}

/**
 * All events that were there when it began, from the newest down, piece by piece. What is written meanwhile is newer than
 * the first and not among them, so that none comes twice and none is passed over.
 */
export async function* streamAuditEvents(
  log: AuditStore,
  filter: AuditFilter,
): AsyncGenerator<readonly AuditEvent[], void, undefined> {
  for (let oldest: string | null = null; ; ) {
    const events: readonly AuditEvent[] = await log.olderAuditEvents(
      filter,
      oldest,
      EXPORTED_AT_ONCE,
    );
    if (events.length > 0) yield events;
    const last = events.at(-1);
    if (last === undefined || events.length < EXPORTED_AT_ONCE) return;
    oldest = last.id;
  }
}
