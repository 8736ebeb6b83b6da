import type { AuditLogJson, AuditLogSearch } from "@latchkey/sdk/client";
import { type Command, Option } from "commander";
import { CLIENT_VARIABLES } from "../config.ts";
import { wholeNumber } from "./argument.ts";
import { collect, connect } from "./connection.ts";
import { moment, timeText } from "./duration.ts";
import { printableLine, printableLines } from "./printable.ts";
import { table } from "./table.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

const LIMIT = 50;

/** What both commands are asked with, as commander gives it. */
interface SearchOptions {
  readonly actor?: string;
  readonly action?: string;
  readonly apiKey?: string;
  readonly subject?: string;
  readonly from?: string;
  readonly to?: string;
  readonly operator?: true;
}

/** The options of `latchkey audit-logs list`. */
interface ListOptions extends SearchOptions {
  readonly limit: number;
  readonly json?: true;
}

/** The options of `latchkey audit-logs export`. */
interface ExportOptions extends SearchOptions {
  readonly format: "jsonl" | "csv";
}

/** Describes `latchkey audit-logs`. @param done Told the exit code. */
export function describeAuditLogs(
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  const logs = command
    .command("audit-logs")
    .description("Find out who changed what, when and from where.")
    .addHelpText("after", HELP);
  searched(logs.command("list"))
    .description("List the latest changes.")
    .option("--limit <count>", "how many at most", wholeNumber, LIMIT)
    .option("--json", "print exactly one JSON document on standard output")
    .action(async (options: ListOptions) => done(await list(terminal, options)));
  searched(logs.command("export"))
    .description("Print all of them, the newest first, for a file or another system.")
    .addOption(
      new Option("--format <format>", "a line of JSON for each, or a table")
        .choices(["jsonl", "csv"])
        .default("jsonl"),
    )
    .action(async (options: ExportOptions) => done(await exportAll(terminal, options)));
}

function searched(command: Command): Command {
  return command
    .option("--actor <id>", "only by this person or token")
    .option("--action <action>", "only this, or all that begin like 'api_key.*'")
    .addOption(
      new Option("--api-key <id>", "only of this key, and what names it").conflicts("operator"),
    )
    .option("--subject <id>", "only what was done to this")
    .option("--from <time>", "ISO 8601, or a date", moment)
    .option("--to <time>", "ISO 8601, or a date; exclusive", moment)
    .option("--operator", "what belongs to no account, with the operator token");
}

/** The calls that these options mean, bound to what is searched for. */
function logOf(terminal: Terminal, { operator, apiKey, ...options }: SearchOptions) {
  const { actor, action, subject, from, to } = options;
  const search: AuditLogSearch = { actor, action, subject, from, to };
  if (operator === true) {
    const { operatorAuditLogs } = connect(terminal, "operator");
    return {
      all: () => operatorAuditLogs.all(search),
      csv: () => operatorAuditLogs.export("csv", search),
    };
  }
  const { auditLogs } = connect(terminal, "service");
  const ofKey = { ...search, api_key_id: apiKey };
  return { all: () => auditLogs.all(ofKey), csv: () => auditLogs.export("csv", ofKey) };
}

async function list(terminal: Terminal, { limit, json, ...search }: ListOptions): Promise<number> {
  const { entries, more } = await collect(logOf(terminal, search).all(), limit);
  if (json === true) writeJson(terminal, entries);
  else if (entries.length === 0) terminal.stdout.write("There are no such changes.\n");
  else
    terminal.stdout.write(
      table([HEADINGS, ...entries.map(row)], { to: terminal.stdout, cut: [1, 3] }),
    );
  if (more) terminal.stderr.write(`There are more than these ${limit}: see --limit.\n`);
  return EXIT.done;
}

const HEADINGS = ["TIME (UTC)", "WHO", "ACTION", "WHAT", "ENVIRONMENT", "ADDRESS"];

function row({ at, actor, action, subject, api_key, environment, address }: AuditLogJson) {
  const what = [api_key?.hint, subject.name ?? undefined].filter((name) => name !== undefined);
  return [
    timeText(at),
    actor.name,
    action,
    what.length === 0 ? subject.id : what.join(" "),
    environment ?? "-",
    address ?? "-",
  ];
}

/** Lines are printed page by page: however many there are, a page of them is in memory. */
async function exportAll(
  terminal: Terminal,
  { format, ...search }: ExportOptions,
): Promise<number> {
  const log = logOf(terminal, search);
  if (format === "csv") terminal.stdout.write(printableLines(await log.csv()));
  else
    for await (const entry of log.all())
      if (!terminal.stdout.write(`${printableLine(entry)}\n`)) await drained(terminal.stdout);
  return EXIT.done;
}

/** Resolves when whoever reads has caught up. */
function drained(stdout: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => stdout.once("drain", resolve));
}

const HELP = `
Environment variables:
  LATCHKEY_URL             ${CLIENT_VARIABLES.LATCHKEY_URL}
  LATCHKEY_SERVICE_TOKEN   ${CLIENT_VARIABLES.LATCHKEY_SERVICE_TOKEN}
  LATCHKEY_OPERATOR_TOKEN  with --operator: what belongs to no account

Examples:
  $ latchkey audit-logs list --action 'api_key.*' --from 2026-11-01
  $ latchkey audit-logs list --api-key key_0195f2c47d3e7a41b6c0a2d95e1f8b37
      what was done to a key, and the rotation that made it
  $ latchkey audit-logs export --from 2026-11-01 --to 2026-12-01 > november.jsonl
  $ latchkey audit-logs export --format csv > all.csv
`;
