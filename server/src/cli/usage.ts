import type { UsageEntryJson, UsageJson, UsageOutcome, UsageQuery } from "@latchkey/sdk/client";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CLIENT_VARIABLES } from "../config.ts";
import { wholeNumber } from "./argument.ts";
import { connect } from "./connection.ts";
import { moment } from "./duration.ts";
import { printableLines, shown } from "./printable.ts";
import { sparkline } from "./sparkline.ts";
import { rightAligned, table } from "./table.ts";
import { EXIT, type Output, type Terminal, writeJson } from "./terminal.ts";

const GRANULARITIES = ["minute", "hour", "day"] as const;
const GROUPS = ["key", "outcome", "environment"] as const;

/** The options of `latchkey usage`, as commander gives them. */
interface UsageOptions {
  readonly environment?: string;
  readonly from?: string;
  readonly to?: string;
  readonly granularity?: (typeof GRANULARITIES)[number];
  readonly groupBy: readonly (typeof GROUPS)[number][];
  readonly apiKey?: readonly string[];
  readonly top?: number;
  readonly json?: true;
  readonly csv?: true;
}

/** Describes `latchkey usage`. @param done Told the exit code. */
export function describeUsage(
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  command
    .command("usage")
    .description("Show how often the API keys of an account were accepted and refused.")
    .option("--environment <slug>", "count only the keys of this environment")
    .option(
      "--from <time>",
      "ISO 8601, or a date; default: 1 hour, 24 hours or 30 days ago",
      moment,
    )
    .option("--to <time>", "ISO 8601, or a date; exclusive; default: now", moment)
    .addOption(
      new Option("--granularity <bucket>", "how long each row is (default: hour)").choices(
        GRANULARITIES,
      ),
    )
    .option("--group-by <what>", `one or more of ${GROUPS.join(",")}`, someGroups, ["outcome"])
    .option("--api-key <id>", "count only this key; may be given more than once", oneMore)
    .option("--top <count>", "when grouped by key: how many have rows of their own", wholeNumber)
    .option("--json", "print exactly one JSON document on standard output")
    .addOption(
      new Option("--csv", "print a table with every key, for a spreadsheet").conflicts([
        "json",
        "top",
      ]),
    )
    .addHelpText("after", HELP)
    .action(async (options: UsageOptions) => done(await usage(terminal, options)));
}

/** Prints usage: for people with sums, for programs as it comes. */
async function usage(terminal: Terminal, options: UsageOptions): Promise<number> {
  const client = connect(terminal, "service");
  const query: UsageQuery = {
    environment: options.environment,
    from: options.from,
    to: options.to,
    granularity: options.granularity,
    group_by: options.groupBy,
    api_key_ids: options.apiKey,
    top: options.top,
  };
  if (options.csv === true) {
    terminal.stdout.write(printableLines(await client.usage.csv(query)));
    return EXIT.done;
  }
  const read = await client.usage.read(query);
  if (options.json === true) writeJson(terminal, read);
  else if (read.entries.length === 0)
    terminal.stdout.write(shown`No key was verified from ${read.from} to ${read.to}.\n`);
  else terminal.stdout.write(picture(read, terminal.stdout) + usageText(read, options.groupBy));
  return EXIT.done;
}

const GRANULARITY_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** At a terminal: how the numbers went, in one line. */
function picture({ from, to, granularity, entries }: UsageJson, stdout: Output): string {
  if (stdout.isTTY !== true) return "";
  const [fromMs, stepMs] = [Date.parse(from), GRANULARITY_MS[granularity]];
  const buckets = Math.max(1, Math.ceil((Date.parse(to) - fromMs) / stepMs));
  const counts = new Array<number>(buckets).fill(0);
  for (const { at, count } of entries) {
    const bucket = Math.floor((Date.parse(at) - fromMs) / stepMs);
    counts[bucket] = (counts[bucket] ?? 0) + count;
  }
  return `${sparkline(counts, stdout.columns ?? COLUMNS)}\n\n`;
}

/** Of a terminal that does not tell how wide it is. */
const COLUMNS = 80;

const OUTCOMES = [
  ["accepted", "ACCEPTED"],
  ["revoked", "REVOKED"],
  ["expired", "EXPIRED"],
  ["incorrect_token_type", "WRONG TYPE"],
  ["environment_mismatch", "WRONG ENVIRONMENT"],
] as const;

/** One row for each bucket, key and environment, a column for each outcome, and their sums at the end. */
function usageText({ entries, granularity }: UsageJson, groupBy: UsageOptions["groupBy"]): string {
  const outcomes: readonly (UsageOutcome | undefined)[] = groupBy.includes("outcome")
    ? OUTCOMES.map(([outcome]) => outcome)
    : [undefined];
  const rows = rowsOf(entries);
  const numbers = (of: readonly UsageEntryJson[]): number[] => {
    const counts = outcomes.map((outcome) => sum(of.filter((entry) => entry.outcome === outcome)));
    return counts.length === 1 ? counts : [...counts, sum(of)];
  };
  const labels = [
    labelsOf(groupBy),
    ...rows.map(([first]) => [
      timeText(first.at, granularity),
      ...(groupBy.includes("key") ? [first.api_key_id ?? "(all others)"] : []),
      ...(groupBy.includes("environment") ? [first.environment ?? ""] : []),
    ]),
    ["TOTAL", ...labelsOf(groupBy).slice(1).fill("")],
  ];
  const headings =
    outcomes.length === 1 ? ["VERIFICATIONS"] : [...OUTCOMES.map(([, name]) => name), "ALL"];
  const counted = [...rows.map(numbers), numbers(entries)].map((row) => row.map(String));
  const columns = headings.map((heading, column) =>
    rightAligned([heading, ...counted.map((row) => row[column] ?? "")]),
  );
  return table(
    labels.map((cells, row) => [...cells, ...columns.map((column) => column[row] ?? "")]),
  );
}

function labelsOf(groupBy: UsageOptions["groupBy"]): string[] {
  return [
    "TIME (UTC)",
    ...(groupBy.includes("key") ? ["API KEY"] : []),
    ...(groupBy.includes("environment") ? ["ENVIRONMENT"] : []),
  ];
}

/** Entries that differ in nothing but their outcome, together. */
function rowsOf(entries: readonly UsageEntryJson[]) {
  const rows = new Map<string, [UsageEntryJson, ...UsageEntryJson[]]>();
  for (const entry of entries) {
    const name = JSON.stringify([entry.at, entry.api_key_id, entry.environment]);
    const row = rows.get(name);
    if (row === undefined) rows.set(name, [entry]);
    else row.push(entry);
  }
  return [...rows.values()];
}

const sum = (entries: readonly UsageEntryJson[]): number =>
  entries.reduce((total, { count }) => total + count, 0);

function timeText(at: string, granularity: UsageJson["granularity"]): string {
  return granularity === "day" ? at.slice(0, 10) : `${at.slice(0, 10)} ${at.slice(11, 16)}`;
}

function someGroups(text: string): UsageOptions["groupBy"] {
  return text.split(",").map((part) => {
    const group = GROUPS.find((known) => known === part);
    if (group === undefined) throw new InvalidArgumentError(`Takes ${GROUPS.join(", ")}.`);
    return group;
  });
}

function oneMore(id: string, before: readonly string[] = []): readonly string[] {
  return [...before, id];
}

const HELP = `
Times are UTC. Numbers are at most some seconds behind.

Environment variables:
  LATCHKEY_URL             ${CLIENT_VARIABLES.LATCHKEY_URL}
  LATCHKEY_SERVICE_TOKEN   ${CLIENT_VARIABLES.LATCHKEY_SERVICE_TOKEN}

Examples:
  $ latchkey usage
      the last 24 hours
  $ latchkey usage --environment production --granularity day --group-by key,outcome --top 10
      the last 30 days, of the ten keys that were used most
  $ latchkey usage --from 2026-11-01 --to 2026-12-01 --granularity day --group-by key,outcome --csv > november.csv
      a month of every key, for a spreadsheet
`;
