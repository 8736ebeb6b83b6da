import type { ApiKeyJson, ApiKeySearch } from "@latchkey/sdk/client";
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type Done,
  type EndOptions,
  endOf,
  endOptions,
  jsonOption,
  wholeNumber,
} from "./argument.ts";
import { collect, connect } from "./connection.ts";
import { duration, timeText } from "./duration.ts";
import { describeKey, statusOf } from "./key-facts.ts";
import { describeRevocation } from "./key-revocation.ts";
import { describeRotation } from "./key-rotation.ts";
import { shown } from "./printable.ts";
import { table } from "./table.ts";
import { CommandFailure, EXIT, type Terminal, writeJson } from "./terminal.ts";

const LIMIT = 50;
const STATUSES = ["active", "revoked", "expired", "all"] as const;
const EXPIRES = {
  "within-7-days": "within_7_days",
  "within-30-days": "within_30_days",
  never: "never",
} as const;
const LAST_USED = { never: "never", "over-90-days-ago": "over_90_days_ago" } as const;

interface ListOptions {
  readonly environment?: string;
  readonly createdBy?: string;
  readonly status: (typeof STATUSES)[number];
  readonly q?: string;
  readonly expires?: keyof typeof EXPIRES;
  readonly lastUsed?: keyof typeof LAST_USED;
  readonly limit: number;
  readonly all?: true;
  readonly json?: true;
}

interface CreateOptions extends EndOptions {
  readonly environment: string;
  readonly type: "secret" | "public";
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly json?: true;
}

interface UpdateOptions extends EndOptions {
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** `false` by `--no-expiry`. */
  readonly expiry: boolean;
  readonly overlap?: number;
  readonly json?: true;
}

/** Describes `latchkey keys`. @param done Told the exit code. */
export function describeKeys(command: Command, terminal: Terminal, done: Done): void {
  const keys = command
    .command("keys")
    .description("List, create, rotate and revoke the API keys of an account.")
    .addHelpText("after", HELP);
  keys
    .command("list")
    .description("List the keys of an environment, the newest first.")
    .option("--environment <slug>", "the environment; may be left out with --created-by")
    .option("--created-by <id>", "only those that this person or service token created")
    .addOption(new Option("--status <status>", "which keys").choices(STATUSES).default("active"))
    .option("--q <text>", "only those with this in their hint, description or id")
    .addOption(
      new Option("--expires <when>", "only those that end so").choices(Object.keys(EXPIRES)),
    )
    .addOption(
      new Option("--last-used <when>", "only those last used so").choices(Object.keys(LAST_USED)),
    )
    .option("--limit <count>", "how many at most", wholeNumber, LIMIT)
    .option("--all", "every one, however many there are")
    .addOption(jsonOption())
    .addHelpText("after", LIST_HELP)
    .action(async (options: ListOptions) => done(await listKeys(terminal, options)));
  keys
    .command("create")
    .description("Create a key and print its token, this once.")
    .requiredOption("--environment <slug>", "the environment")
    .addOption(
      new Option("--type <type>", "its type").choices(["secret", "public"]).default("secret"),
    )
    .option("--description <text>", "what it is for")
    .option(
      "--metadata <name=value>",
      "part of every verdict; may be given more than once",
      oneMore,
    )
    .addOption(endOptions()[0])
    .addOption(endOptions()[1])
    .addOption(jsonOption())
    .addHelpText("after", CREATE_HELP)
    .action(async (options: CreateOptions) => done(await createKey(terminal, options)));
  describeKey(keys, terminal, done);
  describeRotation(keys, terminal, done);
  describeRevocation(keys, terminal, done);
  keys
    .command("update <id>")
    .description("Describe a key anew, or give it another end.")
    .option("--description <text>", "what it is for")
    .option("--metadata <name=value>", "replaces all of it; may be given more than once", oneMore)
    .addOption(endOptions()[0].conflicts(["expiresAt", "overlap"]))
    .addOption(endOptions()[1].conflicts(["expiresIn", "overlap"]))
    .addOption(
      new Option("--no-expiry", "it lives until it is revoked").conflicts([
        "expiresIn",
        "expiresAt",
      ]),
    )
    .option("--overlap <duration>", "of a key that is being rotated: how long it goes on", duration)
    .addOption(jsonOption())
    .addHelpText("after", UPDATE_HELP)
    .action(async (id: string, options: UpdateOptions) =>
      done(await updateKey(terminal, id, options)),
    );
}

async function listKeys(terminal: Terminal, options: ListOptions): Promise<number> {
  const { environment, createdBy, status, q, expires, lastUsed } = options;
  if (environment === undefined && createdBy === undefined)
    throw new CommandFailure("Say which --environment, or whose keys with --created-by.", {
      exitCode: EXIT.usage,
    });
  const search: ApiKeySearch = {
    environment,
    created_by: createdBy,
    status,
    q,
    expires: expires === undefined ? undefined : EXPIRES[expires],
    last_used: lastUsed === undefined ? undefined : LAST_USED[lastUsed],
  };
  const max = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
  const { entries, more } = await collect(connect(terminal, "service").apiKeys.all(search), max);
  if (options.json === true) writeJson(terminal, entries);
  else if (entries.length === 0) terminal.stdout.write("There are no such keys.\n");
  else {
    const rows = [HEADINGS, ...entries.map((key) => row(key, terminal.ambient.nowMs()))];
    // Of one environment it goes without saying.
    const places = ["ENVIRONMENT", ...entries.map((key) => key.environment)];
    const shownRows =
      environment === undefined ? rows.map((cells, at) => [...cells, places[at] ?? ""]) : rows;
    terminal.stdout.write(table(shownRows, { to: terminal.stdout, cut: [3] }));
  }
  if (more) terminal.stderr.write(`There are more than these ${max}: see --limit and --all.\n`);
  return EXIT.done;
}

const HEADINGS = ["ID", "HINT", "TYPE", "DESCRIPTION", "STATUS", "CREATED", "EXPIRES", "LAST USED"];

function row(key: ApiKeyJson, nowMs: number): string[] {
  return [
    key.id,
    key.hint,
    key.type,
    key.description || "-",
    statusOf(key, nowMs),
    key.created_at.slice(0, 10),
    timeText(key.expires_at),
    timeText(key.last_used_at),
  ];
}

async function createKey(terminal: Terminal, options: CreateOptions): Promise<number> {
  const { environment, type, description, metadata } = options;
  const body = { type, description, metadata, expires_at: endOf(terminal, options) };
  const created = await connect(terminal, "service").apiKeys.create(environment, body);
  if (options.json === true) writeJson(terminal, created);
  else {
    const once = type === "secret" ? " is shown this once; keep it now" : "";
    terminal.stderr.write(shown`The ${type} key ${created.id} (${created.hint})${once}.\n`);
    // Alone on standard output, for a file or a variable.
    terminal.stdout.write(shown`${created.api_key}\n`);
  }
  return EXIT.done;
}

async function updateKey(terminal: Terminal, id: string, options: UpdateOptions): Promise<number> {
  const { description, metadata, overlap, expiry } = options;
  const expires_at = expiry ? endOf(terminal, options) : null;
  if ([description, metadata, overlap, expires_at].every((each) => each === undefined))
    throw new CommandFailure("What is to change? See: latchkey keys update --help", {
      exitCode: EXIT.usage,
    });
  const overlap_seconds = overlap === undefined ? undefined : Math.ceil(overlap / 1_000);
  const edit = { description, metadata, expires_at, overlap_seconds };
  const key = await connect(terminal, "service").apiKeys.update(id, edit);
  if (options.json === true) writeJson(terminal, key);
  else terminal.stdout.write(shown`${key.id} (${key.hint}) ends: ${timeText(key.expires_at)}.\n`);
  return EXIT.done;
}

function oneMore(
  pair: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = pair.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Takes name=value.");
  return { ...before, [pair.slice(0, at)]: pair.slice(at + 1) };
}

const HELP = `
With the service token of the account (LATCHKEY_SERVICE_TOKEN).

Examples:
  $ latchkey keys list --environment production
  $ KEY=$(latchkey keys create --environment production --description "Billing" --expires-in 90d)
  $ latchkey keys revoke key_0195f2c47d3e7a41b6c0a2d95e1f8b37
`;

const LIST_HELP = `
Examples:
  $ latchkey keys list --environment production --last-used over-90-days-ago --all
      what may be revoked
  $ latchkey keys list --environment production --status all --q 9fQ2 --json
`;

const CREATE_HELP = `
Standard output gets the token and nothing else.

Examples:
  $ KEY=$(latchkey keys create --environment production --metadata plan=gold --metadata region=eu)
  $ latchkey keys create --environment development --type public --json
`;

const UPDATE_HELP = `
An end that is brought forward holds everywhere when this returns.

Examples:
  $ latchkey keys update key_0195f2c47d3e7a41b6c0a2d95e1f8b37 --description "Billing, old"
  $ latchkey keys update key_0195f2c47d3e7a41b6c0a2d95e1f8b37 --expires-in 7d
  $ latchkey keys update key_0195f2c47d3e7a41b6c0a2d95e1f8b37 --overlap 1h
`;
