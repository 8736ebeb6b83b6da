import type { AuditLogJson } from "@latchkey/sdk/client";
import { csvLine } from "./csv.ts";

/** What an export is of: a line of JSON for each entry, or a table. */
export type AuditFormat = "jsonl" | "csv";

const COLUMNS = [
  "id",
  "at",
  "action",
  "actor_type",
  "actor_id",
  "actor_name",
  "environment",
  "subject_type",
  "subject_id",
  "subject_name",
  "api_key_id",
  "api_key_hint",
  "api_key_description",
  "address",
  "user_agent",
  "request_id",
  "details",
] as const;

/** Entries of the audit log as the text of a file, one piece for each that comes in. */
export async function* auditText(
  pieces: AsyncIterable<readonly AuditLogJson[]>,
  format: AuditFormat,
): AsyncGenerator<string, void, undefined> {
  if (format === "csv") yield csvLine(COLUMNS);
  const line = format === "csv" ? tableLine : (entry: AuditLogJson) => `${JSON.stringify(entry)}\n`;
  for await (const entries of pieces) yield entries.map(line).join("");
}

function tableLine(entry: AuditLogJson): string {
  const { actor, subject, api_key: key } = entry;
  return csvLine([
    entry.id,
    entry.at,
    entry.action,
    actor.type,
    actor.id,
    actor.name,
    entry.environment ?? "",
    subject.type,
    subject.id,
    subject.name ?? "",
    key?.id ?? "",
    key?.hint ?? "",
    key?.description ?? "",
    entry.address ?? "",
    entry.user_agent ?? "",
    entry.request_id ?? "",
    JSON.stringify(entry.details),
  ]);
}
