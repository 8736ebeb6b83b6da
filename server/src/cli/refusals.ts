import type { RefusalJson, RefusalSearch, UnattributedRefusalSearch } from "@latchkey/sdk/client";
import { type Command, Option } from "commander";
import { CLIENT_VARIABLES } from "../config.ts";
import { wholeNumber } from "./argument.ts";
import { collect, connect } from "./connection.ts";
import { timeText } from "./duration.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";
import { CommandFailure, EXIT, type Terminal, writeJson } from "./terminal.ts";

/** Reasons of refusals of known keys, and those that only the operator sees. */
const KEY_REASONS = [
  "revoked",
  "expired",
  "incorrect_token_type",
  "environment_mismatch",
] as const satisfies readonly RefusalSearch["reason"][];
const OTHER_REASONS = [
  "authentication_required",
  "malformed",
  "wrong_kind",
  "unknown",
] as const satisfies readonly UnattributedRefusalSearch["reason"][];

const LIMIT = 50;

/** The options of `latchkey refusals list`, as commander gives them. */
interface ListOptions {
  readonly environment?: string;
  readonly apiKey?: string;
  readonly reason?: (typeof KEY_REASONS)[number] | (typeof OTHER_REASONS)[number];
  readonly limit: number;
  readonly operator?: true;
  readonly json?: true;
}

/** The options of `latchkey refusals show`. */
type ShowOptions = Pick<ListOptions, "operator" | "json">;

/** Describes `latchkey refusals`. @param done Told the exit code. */
export function describeRefusals(
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  const refusals = command
    .command("refusals")
    .description("Find out why requests were refused: what their callers were not told.")
    .addHelpText("after", HELP);
  refusals
    .command("list")
    .description("List the latest refused requests.")
    .option("--environment <slug>", "only of keys of this environment")
    .option("--api-key <id>", "only of this key")
    .addOption(
      new Option("--reason <reason>", "only for this reason").choices([
        ...KEY_REASONS,
        ...OTHER_REASONS,
      ]),
    )
    .option("--limit <count>", "how many at most", wholeNumber, LIMIT)
    .addOption(operatorOption().conflicts(["environment", "apiKey"]))
    .option("--json", "print exactly one JSON document on standard output")
    .action(async (options: ListOptions) => done(await listRefusals(terminal, options)));
  refusals
    .command("show <request_id>")
    .description("Tell the truth about one request, by the X-Request-Id that its caller got.")
    .addOption(operatorOption())
    .option("--json", "print exactly one JSON document on standard output")
    .action(async (id: string, options: ShowOptions) =>
      done(await showRefusal(terminal, id, options)),
    );
}

const operatorOption = (): Option =>
  new Option("--operator", "those that belong to no account, with the operator token");

/** Lists refusals, the newest first. */
async function listRefusals(terminal: Terminal, options: ListOptions): Promise<number> {
  const { entries, more } = await collect(refusalsOf(terminal, options), options.limit);
  if (options.json === true) writeJson(terminal, entries);
  else if (entries.length === 0) terminal.stdout.write("There are no refusals.\n");
  else terminal.stdout.write(table([HEADINGS, ...entries.map(row)]));
  if (more) terminal.stderr.write(`There are more than these ${options.limit}: see --limit.\n`);
  return EXIT.done;
}

function refusalsOf(
  terminal: Terminal,
  { operator, environment, apiKey, reason }: ListOptions,
): AsyncIterable<RefusalJson> {
  const keyReason = KEY_REASONS.find((known) => known === reason);
  const otherReason = OTHER_REASONS.find((known) => known === reason);
  if (operator === true) {
    if (reason !== undefined && otherReason === undefined) throw otherSide(OTHER_REASONS);
    return connect(terminal, "operator").operatorRefusals.all({ reason: otherReason });
  }
  if (reason !== undefined && keyReason === undefined) throw otherSide(KEY_REASONS);
  const client = connect(terminal, "service");
  return client.refusals.all({ environment, api_key_id: apiKey, reason: keyReason });
}

const otherSide = (reasons: readonly string[]): CommandFailure =>
  new CommandFailure(`--reason takes ${reasons.join(", ")} here: see --operator.`, {
    exitCode: EXIT.usage,
  });

const HEADINGS = ["TIME (UTC)", "REASON", "API KEY", "ADDRESS", "REQUEST ID"];

function row({ at, reason, api_key, address, request_id }: RefusalJson): string[] {
  return [timeText(at), reason, api_key?.hint ?? "-", address ?? "-", request_id];
}

/** Prints what is known of one refused request. */
async function showRefusal(terminal: Terminal, id: string, options: ShowOptions): Promise<number> {
  const { operator, json } = options;
  const calls =
    operator === true
      ? connect(terminal, "operator").operatorRefusals
      : connect(terminal, "service").refusals;
  const refusal = await calls.get(id);
  if (json === true) writeJson(terminal, refusal);
  else terminal.stdout.write(`${printable(refusal.explanation)}\n\n${table(details(refusal))}`);
  return EXIT.done;
}

function details(refusal: RefusalJson): string[][] {
  const { api_key: key, asked } = refusal;
  return [
    ["Request id", refusal.request_id],
    ["Time (UTC)", timeText(refusal.at)],
    ["Caller was told", `${refusal.status} ${refusal.code}`],
    ["Checked for", [asked.types.join(" or "), asked.environment ?? "any environment"].join(", ")],
    ["From", [refusal.address ?? "unknown", refusal.user_agent ?? []].flat().join(", ")],
    ...(key === null
      ? []
      : [["API key", `${key.hint}, ${key.id}, ${key.environment}, now ${key.status}`]]),
    ...(key === null || key.description === "" ? [] : [["Description", key.description]]),
    ...(key === null || key.revoked_reason === null ? [] : [["Reason given", key.revoked_reason]]),
  ];
}

const HELP = `
Environment variables:
  LATCHKEY_URL             ${CLIENT_VARIABLES.LATCHKEY_URL}
  LATCHKEY_SERVICE_TOKEN   ${CLIENT_VARIABLES.LATCHKEY_SERVICE_TOKEN}
  LATCHKEY_OPERATOR_TOKEN  with --operator: those without a known key belong to no account

Examples:
  $ latchkey refusals show req_7Jc0mQ2xkV4dRb9sYtHn3WfA
  $ latchkey refusals list --reason revoked
      who still uses revoked keys
  $ latchkey refusals list --operator
`;
