import { Command, CommanderError, Option } from "commander";
import type { Logger } from "pino";
import { CLIENT_VARIABLES, SETTINGS, type Settings } from "../config.ts";
import { type CreateOptions, createAccount, listAccounts } from "./accounts.ts";
import { describeBackup } from "./backup.ts";
import { explain } from "./explain.ts";
import { describeRefusals } from "./refusals.ts";
import { describeRestore } from "./restore.ts";
import { describeRevocations } from "./revocations.ts";
import { type StartService, serve } from "./serve.ts";
import { type OpenSetup, type SetupOptions, setup } from "./setup.ts";
import { EXIT, type Terminal } from "./terminal.ts";
import {
  type CreateTokenOptions,
  createToken,
  deleteToken,
  listTokens,
  TOKEN_KINDS,
} from "./tokens.ts";
import { describeUsage } from "./usage.ts";

/** What commands need besides the terminal. */
export interface ProgramDeps {
  readonly version: string;
  readonly openLog: (level: Settings["logLevel"]) => Logger;
  readonly startService: StartService;
  readonly openSetup: Parameters<typeof setup>[2] extends (settings: infer S) => unknown
    ? (settings: S) => Promise<OpenSetup>
    : never;
}

/** A command line that is ready to be run by {@link runProgram}. */
export interface Program {
  readonly command: Command;
  /** What the command that ran answered. */
  exitCode(): number;
}

/** Describes every command, option and variable; what they do is in the files beside this one. */
export function buildProgram(terminal: Terminal, deps: ProgramDeps): Program {
  let code: number = EXIT.done;
  const command = new Command("latchkey")
    .description("API keys whose revocation is immediate. Without a command it serves.")
    .version(deps.version)
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .exitOverride()
    .showHelpAfterError("Run with --help to see what is possible.")
    .addHelpText("after", HELP);

  command
    .command("serve")
    .description("Serve the API and the dashboard until SIGINT or SIGTERM.")
    .addHelpText("after", `\n${variables()}`)
    .action(async () => {
      code = await serve(terminal, deps.openLog, deps.startService);
    });

  command
    .command("setup")
    .description("Make the first account and its owner, without a browser and without a server.")
    .requiredOption("--email <address>", "e-mail address of the owner, who signs in with it")
    .requiredOption("--name <name>", "name of the owner")
    .requiredOption("--account <name>", "name of the account")
    .option("--slug <slug>", "short name of the account in addresses (default: made of its name)")
    .option("--password-stdin", "read the password as one line from standard input")
    .option("--json", "print exactly one JSON document on standard output")
    .addHelpText("after", SETUP_HELP)
    .action(async (options: SetupOptions) => {
      code = await setup(terminal, options, deps.openSetup);
    });

  const accounts = command
    .command("accounts")
    .description("Provision accounts on a running server, with an operator token.")
    .addHelpText("after", ACCOUNTS_HELP);
  accounts
    .command("create")
    .description("Make an account and print its first tokens, this once.")
    .requiredOption("--name <name>", "name of the account")
    .requiredOption("--slug <slug>", "its short name in addresses; never changes")
    .option("--external-id <id>", "your own name for this customer; part of every verdict")
    .option("--json", "print exactly one JSON document on standard output")
    .action(async (options: CreateOptions) => {
      code = await createAccount(terminal, options);
    });
  accounts
    .command("list")
    .description("List every account, the newest first.")
    .option("--json", "print exactly one JSON document on standard output")
    .action(async (options: { json?: true }) => {
      code = await listAccounts(terminal, options);
    });

  const done = (exit: number): void => {
    code = exit;
  };
  describeTokens(command, terminal, done);
  describeUsage(command, terminal, done);
  describeRefusals(command, terminal, done);
  describeBackup(command, terminal, done);
  describeRestore(command, terminal, done);
  describeRevocations(command, terminal, done);
  return { command, exitCode: () => code };
}

function describeTokens(
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  const tokens = command
    .command("tokens")
    .description("Create, list and delete your own tokens on a running server.")
    .addHelpText("after", TOKENS_HELP);
  tokens
    .command("create")
    .description("Create a token and print it, this once.")
    .requiredOption("--name <name>", "what it is for; need not be unique")
    .addOption(
      new Option("--kind <kind>", "verifies keys, or provisions accounts and tokens")
        .choices(TOKEN_KINDS)
        .default(TOKEN_KINDS[0]),
    )
    .option("--json", "print exactly one JSON document on standard output")
    .action(async (options: CreateTokenOptions) => done(await createToken(terminal, options)));
  tokens
    .command("list")
    .description("List every verifier and operator token, the newest first.")
    .option("--json", "print exactly one JSON document on standard output")
    .action(async (options: { json?: true }) => done(await listTokens(terminal, options)));
  tokens
    .command("delete <id>")
    .description("Delete a token for good; its sessions have ended when this returns.")
    .option("--yes", "do not ask, at a terminal")
    .option("--json", "print exactly one JSON document on standard output")
    .action(async (id: string, options: { yes?: true; json?: true }) =>
      done(await deleteToken(terminal, id, options)),
    );
}

/**
 * Runs the command that `argv` names. Whatever goes wrong is told in plain words on standard error; with
 * `LATCHKEY_LOG_LEVEL=debug` (or `trace`) the stack follows.
 *
 * @returns The exit code.
 */
export async function runProgram(
  program: Program,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  try {
    // Not commander's default command, which would take a mistyped one for an argument of its own.
    await program.command.parseAsync(argv.length > 2 ? [...argv] : [...argv, "serve"]);
    return program.exitCode();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    terminal.stderr.write(`latchkey: ${explain(error)}\n`);
    const level = terminal.env.LATCHKEY_LOG_LEVEL;
    if (level === "debug" || level === "trace") terminal.stderr.write(`${stackOf(error)}\n`);
    return EXIT.refused;
  }
}

/** The stack of an error and of what caused it. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function variables(): string {
  const rows = Object.entries(SETTINGS).map(
    ([name, { purpose, fallback, bound }]) =>
      `  ${name}\n      ${purpose}\n      default: ${fallback}; takes: ${bound}`,
  );
  return `Environment variables:\n${rows.join("\n")}\n`;
}

const HELP = `
Examples:
  $ latchkey serve
      serves http://127.0.0.1:4400 with its data in ./data; the first time it prints a set-up link
  $ latchkey setup --email ada@example.com --name "Ada" --account "Acme" --password-stdin --json < password.txt
      the same set-up without a browser: prints the first tokens as JSON
  $ LATCHKEY_OPERATOR_TOKEN=ot_… latchkey accounts create --name "Globex" --slug globex
      one more account, for a customer of yours
  $ LATCHKEY_OPERATOR_TOKEN=ot_… latchkey tokens create --name "Checkout service"
      a verifier token, with which an app verifies keys in its own process
  $ LATCHKEY_SERVICE_TOKEN=st_… latchkey refusals show req_7Jc0mQ2xkV4dRb9sYtHn3WfA
      why a request was refused

Environment variables:
  The server is configured by HOST, PORT, LATCHKEY_DATA, LATCHKEY_PUBLIC_URL and more: see \`latchkey serve --help\`.
${Object.entries(CLIENT_VARIABLES)
  .map(([name, purpose]) => `  ${name.padEnd(24)} ${purpose}`)
  .join("\n")}

Exit codes:
  ${EXIT.done}  done
  ${EXIT.refused}  it could not be done; standard error says why
  ${EXIT.usage}  the command line was not understood
`;

const SETUP_HELP = `
Without --password-stdin the password is asked for, hidden, at the terminal. It has 12 to 128 characters, and is
never taken from an option or from the environment. Stop the server first; its data folder is LATCHKEY_DATA.

Example:
  $ latchkey setup --email ada@example.com --name "Ada" --account "Acme" --password-stdin --json < password.txt

Exit codes:
  ${EXIT.done}  set up; the tokens are printed, this once
  ${EXIT.refused}  not set up (set up already, wrong value, server running); no token is printed
  ${EXIT.usage}  the command line was not understood
`;

const ACCOUNTS_HELP = `
Environment variables:
  LATCHKEY_URL             ${CLIENT_VARIABLES.LATCHKEY_URL}
  LATCHKEY_OPERATOR_TOKEN  ${CLIENT_VARIABLES.LATCHKEY_OPERATOR_TOKEN}

Examples:
  $ latchkey accounts create --name "Globex" --slug globex --external-id cus_123 --json
  $ latchkey accounts list
`;

const TOKENS_HELP = `
A verifier token (vt_…) verifies keys of every account, an operator token (ot_…) provisions accounts and tokens; neither
does anything else.

Environment variables:
  LATCHKEY_URL             ${CLIENT_VARIABLES.LATCHKEY_URL}
  LATCHKEY_OPERATOR_TOKEN  ${CLIENT_VARIABLES.LATCHKEY_OPERATOR_TOKEN}

Examples:
  $ LATCHKEY_VERIFIER_TOKEN=$(latchkey tokens create --name "Checkout service")
  $ latchkey tokens list
  $ latchkey tokens delete tok_0195f2c47d3e7a41b6c0a2d95e1f8b37
`;
