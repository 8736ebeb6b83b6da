import { z } from "@hono/zod-openapi";
import type { AuditLogJson } from "@latchkey/sdk/client";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import { actionsLike, listAuditEvents, streamAuditEvents } from "../domain/audit.ts";
import { wrong } from "../domain/outcomes.ts";
import type { AuditEvent, AuditFilter, AuditStore, Store } from "../store/store.ts";
import { auditText } from "./audit-table.ts";
import { CSV_TYPE } from "./csv.ts";
import { instant, keyId, nothing, pageAsk, pageQuery } from "./fields.ts";
import { asOperatorInPerson, inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import {
  actorJson,
  fileTime,
  isoTime,
  pageJson,
  shapeActor,
  shapePage,
  timeJson,
} from "./shapes.ts";
import { openFile, type StreamedFile } from "./streamed-file.ts";

export interface AuditDeps {
  readonly store: Store;
  readonly ambient: Ambient;
  readonly logger: Logger;
}

const auditLogJson = z
  .object({
    id: z.string(),
    at: timeJson,
    action: z.string().openapi({ example: "api_key.revoked" }),
    actor: actorJson,
    environment: z.string().nullable(),
    subject: z.object({ type: z.string(), id: z.string(), name: z.string().nullable() }),
    api_key: z.object({ id: z.string(), hint: z.string(), description: z.string() }).nullable(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    request_id: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
  })
  .openapi("AuditLog");

/** Ids of people, tokens and what else does or undergoes something. */
const anyId = z.string().regex(/^[\x21-\x7e]{1,64}$/, "Is not an id.");

const action = z
  .string()
  .regex(/^[a-z_]{1,40}\.(?:\*|[a-z_]{1,40})$/, "Must be an action, or like api_key.*.")
  .transform(actionsLike)
  .refine((actions) => actions.length > 0, "Is no action that the audit log knows.")
  .openapi({ type: "string", example: "api_key.*" });

const time = (description: string) =>
  instant.optional().openapi({ type: "string", format: "date-time", description });

const auditQuery = {
  actor: anyId.optional().openapi({ description: "Id of who did it." }),
  action: action.optional(),
  subject: anyId.optional().openapi({ description: "Id of what it was done to." }),
  from: time("The first moment."),
  to: time("Exclusive."),
  format: z.enum(["json", "jsonl", "csv"]).default("json"),
  ...pageQuery,
};

type AuditQuery = z.output<z.ZodObject<typeof auditQuery>> & {
  readonly api_key_id?: string | undefined;
};

/** `/v1/audit_logs` and `/v1/operator/audit_logs`: who changed what, when and from where. */
export function auditRoutes(deps: AuditDeps): readonly Route[] {
  return [ofAccount(deps), ofOperator(deps)];
}

const ofAccount = (deps: AuditDeps): Route =>
  route({
    method: "get",
    path: "/v1/audit_logs",
    summary: "List who changed what in the account, when and from where",
    permission: inAccount("audit_logs:read"),
    params: nothing,
    query: z.strictObject({
      ...auditQuery,
      api_key_id: keyId.optional().openapi({
        description: "Also what names the key in its details, as the rotation that made it.",
      }),
    }),
    body: nothing,
    response: pageJson(auditLogJson),
    statuses: [200],
    files: FILES,
    handle: ({ caller, query, requestId }) => answer(deps, caller.account, query, requestId),
  });

const ofOperator = (deps: AuditDeps): Route =>
  route({
    method: "get",
    path: "/v1/operator/audit_logs",
    summary: "List who changed what that belongs to no account",
    permission: asOperatorInPerson,
    params: nothing,
    query: z.strictObject(auditQuery),
    body: nothing,
    response: pageJson(auditLogJson),
    statuses: [200],
    files: FILES,
    handle: ({ query, requestId }) => answer(deps, deps.store.operatorAudit, query, requestId),
  });

async function answer(deps: AuditDeps, log: AuditStore, query: AuditQuery, requestId: string) {
  const filter: AuditFilter = {
    actorId: query.actor ?? null,
    actions: query.action ?? null,
    subjectId: query.subject ?? null,
    keyId: query.api_key_id ?? null,
    fromMs: query.from ?? null,
    toMs: query.to ?? null,
  };
  if (filter.fromMs !== null && filter.toMs !== null && filter.fromMs >= filter.toMs)
    throw wrong("to", "Must lie after from.");
  const ask = pageAsk(query);
  const { format } = query;
  if (format === "json") {
    const page = await listAuditEvents(log, filter, ask);
    return { status: 200 as const, body: shapePage(page, query.page_size, shapeAuditEvent) };
  }
  const cursor = ask.after === undefined ? "before" : "after";
  if (ask[cursor] !== undefined) throw wrong(cursor, "A file has every entry; leave it out.");
  return { file: await openExport(deps, streamAuditEvents(log, filter), format, requestId) };
}

const FILE_TYPES = {
  jsonl: "application/x-ndjson; charset=utf-8",
  csv: CSV_TYPE,
} as const;

const FILES = ["application/x-ndjson", "text/csv"] as const;

function openExport(
  { ambient, logger }: AuditDeps,
  events: AsyncIterable<readonly AuditEvent[]>,
  format: keyof typeof FILE_TYPES,
  requestId: string,
): Promise<StreamedFile> {
  const name = `latchkey-audit-log-${fileTime(ambient.nowMs())}.${format}`;
  const contentType = FILE_TYPES[format];
  return openFile({ name, contentType }, auditText(shaped(events), format), ambient, (err) =>
    logger.error({ err, requestId }, "an export of the audit log broke off"),
  );
}

async function* shaped(
  pieces: AsyncIterable<readonly AuditEvent[]>,
): AsyncGenerator<readonly AuditLogJson[], void, undefined> {
  for await (const events of pieces) yield events.map(shapeAuditEvent);
}

function shapeAuditEvent(event: AuditEvent): AuditLogJson {
  const { id, atMs, action, actor, environment, subject, apiKey } = event;
  return {
    id,
    at: isoTime(atMs),
    action,
    actor: shapeActor(actor),
    environment,
    subject: { ...subject },
    api_key: apiKey === null ? null : { ...apiKey },
    address: event.address,
    user_agent: event.userAgent,
    request_id: event.requestId,
    details: Object.fromEntries(
      Object.entries(event.details).map(([name, value]) => [name, shapeDetail(name, value)]),
    ),
  };
}

/** Times are stored as Unix ms, under names that say so. */
function shapeDetail(name: string, value: unknown): unknown {
  return typeof value === "number" && /_at(?:_before)?$/.test(name) ? isoTime(value) : value;
}
