import { z } from "@hono/zod-openapi";
import type { UsageEntryJson, UsageTotalJson } from "@latchkey/sdk/client";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import { getKey } from "../domain/keys.ts";
import { wrong } from "../domain/outcomes.ts";
import {
  askOfKey,
  type KeyUsageReport,
  type ReportAsk,
  readKeyUsage,
  readUsage,
  streamUsage,
  type UsageEntry,
  type UsageTotal,
} from "../domain/usage/report.ts";
import { spanOf } from "../domain/usage/span.ts";
import type { AccountStore, KeyCaller, Span } from "../store/store.ts";
import { CSV_TYPE } from "./csv.ts";
import { environmentInQuery, instant, keyId, keyIdInPath, listOf, nothing } from "./fields.ts";
import { inAccount } from "./permit.ts";
import { type Route, route } from "./route.ts";
import { fileTime, isoTime, OUTCOME_ON_WIRE, outcomeJson, timeJson } from "./shapes.ts";
import { openFile, type StreamedFile } from "./streamed-file.ts";
import { usageTable } from "./usage-table.ts";

export interface UsageDeps {
  readonly ambient: Ambient;
  readonly logger: Logger;
}

const KEYS_ASKED_MAX = 200;
const TOP_MAX = 1_000;
const TOP_DEFAULT = 100;

const granularity = z.enum(["minute", "hour", "day"]);

const groups = ["key", "outcome", "environment"] as const;

/** What both routes are asked with. */
const rangeQuery = {
  from: instant.optional().openapi({
    type: "string",
    format: "date-time",
    description: "Rounded down to its bucket; without it, 1 hour, 24 hours or 30 days before `to`.",
  }),
  to: instant
    .optional()
    .openapi({ type: "string", format: "date-time", description: "Exclusive; now unless given." }),
  granularity: granularity.default("hour"),
  format: z.enum(["json", "csv"]).default("json"),
};

const usageEntryJson = z.object({
  at: timeJson,
  api_key_id: z.string().nullable().optional(),
  environment: z.string().optional(),
  outcome: outcomeJson.optional(),
  count: z.number().int(),
});

const usageJson = z
  .object({ from: timeJson, to: timeJson, granularity, entries: z.array(usageEntryJson) })
  .openapi("Usage");

const totalJson = z.object({ accepted: z.number().int(), refused: z.number().int() });

const keyUsageJson = z
  .object({
    from: timeJson,
    to: timeJson,
    granularity,
    entries: z.array(z.object({ at: timeJson, outcome: outcomeJson, count: z.number().int() })),
    totals: z.object({ last_24_hours: totalJson, last_7_days: totalJson }),
    last_used_at: timeJson.nullable(),
    callers: z.array(
      z.object({
        address: z.string().nullable(),
        user_agent: z.string().nullable(),
        first_seen_at: timeJson,
        last_seen_at: timeJson,
        count: z.number().int(),
      }),
    ),
    callers_last_24_hours: z.number().int(),
  })
  .openapi("ApiKeyUsage");

/** `/v1/usage` and `/v1/api_keys/:id/usage`: how often keys were verified, and by whom. */
export function usageRoutes(deps: UsageDeps): readonly Route[] {
  return [usage(deps), keyUsage(deps)];
}

const usage = (deps: UsageDeps): Route =>
  route({
    method: "get",
    path: "/v1/usage",
    summary: "Read how often keys were accepted and refused, by time, key, outcome, environment",
    permission: inAccount("keys:read"),
    params: nothing,
    query: z.strictObject({
      environment: environmentInQuery.optional(),
      ...rangeQuery,
      group_by: listOf(z.enum(groups), groups.length, "of key, outcome and environment")
        .default(["outcome"])
        .openapi({ type: "string", example: "key,outcome" }),
      api_key_ids: listOf(keyId, KEYS_ASKED_MAX, "ids of API keys").optional().openapi({
        type: "string",
        description: "Ids of the only keys to count, separated by commas.",
      }),
      top: z
        .string()
        .regex(/^[1-9][0-9]{0,3}$/, `Must be a whole number from 1 to ${TOP_MAX}.`)
        .transform(Number)
        .refine((top) => top <= TOP_MAX, `Must be at most ${TOP_MAX}.`)
        .optional()
        .openapi({ type: "integer", minimum: 1, maximum: TOP_MAX, default: TOP_DEFAULT }),
    }),
    body: nothing,
    response: usageJson,
    statuses: [200],
    files: ["text/csv"],
    async handle({ caller, query, requestId }) {
      const { environment = null, api_key_ids: keyIds = null, group_by, format, top } = query;
      const by = {
        key: group_by.includes("key"),
        outcome: group_by.includes("outcome"),
        environment: group_by.includes("environment"),
      };
      const range = { fromMs: query.from, toMs: query.to, granularity: query.granularity };
      const ask: ReportAsk = { ...range, environment, keyIds, by };
      const nowMs = deps.ambient.nowMs();
      if (format === "csv") {
        if (top !== undefined) throw wrong("top", "A table has every key; leave it out.");
        return { file: await table(deps, caller.account, ask, environment ?? "all", requestId) };
      }
      const report = await readUsage(caller.account, ask, top ?? TOP_DEFAULT, nowMs);
      const entries = report.entries.map((entry) => shapeEntry(entry, ask.by));
      return { status: 200, body: { ...shapeSpan(report), granularity: ask.granularity, entries } };
    },
  });

const keyUsage = (deps: UsageDeps): Route =>
  route({
    method: "get",
    path: "/v1/api_keys/:id/usage",
    summary: "Read how often an API key was accepted and refused, and who used it lately",
    permission: inAccount("keys:read"),
    params: keyIdInPath,
    query: z.strictObject(rangeQuery),
    body: nothing,
    response: keyUsageJson,
    statuses: [200],
    files: ["text/csv"],
    async handle({ caller, params: { id }, query, requestId }) {
      const range = { fromMs: query.from, toMs: query.to, granularity: query.granularity };
      if (query.format === "json") {
        const report = await readKeyUsage(caller.account, id, range, deps.ambient.nowMs());
        return { status: 200, body: shapeKeyUsage(report) };
      }
      const ask = askOfKey(await getKey(caller.account, id), range);
      return { file: await table(deps, caller.account, ask, id, requestId) };
    },
  });

/** A table of usage. @param of What it is of, for its name. */
function table(
  { ambient, logger }: UsageDeps,
  account: AccountStore,
  ask: ReportAsk,
  of: string,
  requestId: string,
): Promise<StreamedFile> {
  const span = spanOf(ask, ambient.nowMs());
  const name = `latchkey-usage-${of}-${fileTime(span.fromMs)}-${fileTime(span.toMs)}.csv`;
  const pieces = usageTable(account, streamUsage(account, ask, span), ask.by);
  return openFile({ name, contentType: CSV_TYPE }, pieces, ambient, (err) =>
    logger.error({ err, requestId }, "a table of usage broke off"),
  );
}

function shapeSpan({ fromMs, toMs }: Span): { from: string; to: string } {
  return { from: isoTime(fromMs), to: isoTime(toMs) };
}

function shapeEntry(entry: UsageEntry, by: ReportAsk["by"]): UsageEntryJson {
  const { atMs, keyId: id, environment, outcome, count } = entry;
  return {
    at: isoTime(atMs),
    ...(by.key ? { api_key_id: id } : {}),
    ...(environment === null ? {} : { environment }),
    ...(outcome === null ? {} : { outcome: OUTCOME_ON_WIRE[outcome] }),
    count,
  };
}

function shapeKeyUsage(report: KeyUsageReport): z.input<typeof keyUsageJson> {
  return {
    ...shapeSpan(report),
    granularity: report.granularity,
    entries: report.entries.flatMap(({ atMs, outcome, count }) =>
      outcome === null ? [] : [{ at: isoTime(atMs), outcome: OUTCOME_ON_WIRE[outcome], count }],
    ),
    totals: { last_24_hours: shapeTotal(report.lastDay), last_7_days: shapeTotal(report.lastWeek) },
    last_used_at: isoTime(report.lastUsedAtMs),
    callers: report.callers.map(shapeCaller),
    callers_last_24_hours: report.callersOfLastDay,
  };
}

function shapeTotal({ accepted, refused }: UsageTotal): UsageTotalJson {
  return { accepted, refused };
}

function shapeCaller(caller: KeyCaller) {
  return {
    address: caller.address,
    user_agent: caller.userAgent,
    first_seen_at: isoTime(caller.firstMs),
    last_seen_at: isoTime(caller.lastMs),
    count: caller.count,
  };
}
