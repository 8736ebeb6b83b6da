import { ApiError } from "@latchkey/sdk/client";
import { Command, CommanderError } from "commander";
import type { Logger } from "pino";
import { CLIENT_VARIABLES, SETTINGS, type Settings } from "../config.ts";
import { describeAccounts } from "./accounts.ts";
import { describeAuditLogs } from "./audit-logs.ts";
import { describeBackup } from "./backup.ts";
import { describeConfig } from "./client-config.ts";
import { serverUrl } from "./connection.ts";
import { describeEnvironments } from "./environments.ts";
import { exitCodeOf, explain } from "./explain.ts";
import { describeInvitations } from "./invitations.ts";
import { describeKeys } from "./keys.ts";
import { describeMembers } from "./members.ts";
import { describePeople } from "./people.ts";
import { printableLines } from "./printable.ts";
import { describeRefusals } from "./refusals.ts";
import { describeRestore } from "./restore.ts";
import { describeRevocations } from "./revocations.ts";
import { type StartService, serve } from "./serve.ts";
import { type OpenSetup, type SetupOptions, setup } from "./setup.ts";
import { EXIT, EXIT_MEANINGS, type Terminal } from "./terminal.ts";
import { describeTokens } from "./tokens.ts";
import { describeUsage } from "./usage.ts";
import { describeVerify } from "./verify.ts";
import { describeWhoami } from "./whoami.ts";

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
    .addHelpText("after", HELP)
    .addHelpText("afterAll", EXIT_CODES);

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

  const done = (exit: number): void => {
    code = exit;
  };
  describeKeys(command, terminal, done);
  describeEnvironments(command, terminal, done);
  describeTokens(command, terminal, done);
  describeMembers(command, terminal, done);
  describeInvitations(command, terminal, done);
  describeAccounts(command, terminal, done);
  describePeople(command, terminal, done);
  describeUsage(command, terminal, done);
  describeRefusals(command, terminal, done);
  describeAuditLogs(command, terminal, done);
  describeVerify(command, terminal, done);
  describeWhoami(command, terminal, done);
  describeConfig(command, terminal, done);
  describeBackup(command, terminal, done);
  describeRestore(command, terminal, done);
  describeRevocations(command, terminal, done);
  return { command, exitCode: () => code };
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
    const place = error instanceof ApiError ? { url: serverUrl(terminal.env) } : {};
    terminal.stderr.write(`latchkey: ${explain(error, place)}\n`);
    const level = terminal.env.LATCHKEY_LOG_LEVEL;
    if (level === "debug" || level === "trace")
      terminal.stderr.write(`${printableLines(stackOf(error))}\n`);
    return exitCodeOf(error);
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
  $ latchkey config set token
      asks for a token, hidden, and remembers it for its server; each command below takes the one that it needs
  $ KEY=$(latchkey keys create --environment production)
      an API key
  $ latchkey keys revoke key_0195f2c47d3e7a41b6c0a2d95e1f8b37
      refused everywhere when it returns
  $ latchkey accounts create --name "Globex" --slug globex
      one more account, for a customer of yours
  $ latchkey tokens create --name "Checkout service"
      a verifier token, with which an app verifies keys in its own process
  $ latchkey refusals show req_7Jc0mQ2xkV4dRb9sYtHn3WfA
      why a request was refused

Environment variables:
  The server is configured by HOST, PORT, LATCHKEY_DATA, LATCHKEY_PUBLIC_URL and more: see \`latchkey serve --help\`.
${Object.entries(CLIENT_VARIABLES)
  .map(([name, purpose]) => `  ${name.padEnd(24)} ${purpose}`)
  .join("\n")}
`;

const EXIT_CODES = `
Exit codes:
${Object.entries(EXIT_MEANINGS).map(exitCodeLine).join("\n")}
`;

function exitCodeLine([name, meaning]: [string, string]): string {
  const code = Object.entries(EXIT).find(([each]) => each === name)?.[1];
  return `  ${String(code).padEnd(4)} ${meaning}`;
}

const SETUP_HELP = `
Without --password-stdin the password is asked for, hidden, at the terminal. It has 12 to 128 characters, and is
never taken from an option or from the environment. Stop the server first; its data folder is LATCHKEY_DATA.

Example:
  $ latchkey setup --email ada@example.com --name "Ada" --account "Acme" --password-stdin --json < password.txt
`;
