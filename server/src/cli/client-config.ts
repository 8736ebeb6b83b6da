import { type Command, Option } from "commander";
import { configPath, type Remembered, readRemembered, remember, tokensIn } from "./config-file.ts";
import { originFor, originOf, TOKENS } from "./connection.ts";
import { readSecret } from "./password.ts";
import { shown } from "./printable.ts";
import { CommandFailure, EXIT, type Terminal, writeJson } from "./terminal.ts";

const NAMES = ["url", "service_token", "operator_token", "verifier_token"] as const;

/** Describes `latchkey config`. @param done Told the exit code. */
export function describeConfig(
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  const config = command
    .command("config")
    .description("Remember where the server is, and your tokens for it.")
    .addHelpText("after", HELP);
  const set = config.command("set").description("Remember the server, or a token.");
  set
    .command("url <url>")
    .description("Remember where the server is; forgets the tokens of another one.")
    .action((url: string) => done(setUrl(terminal, url)));
  set
    .command("token")
    .description("Remember a token, read from standard input or asked for; its prefix tells which.")
    .action(async () => done(await setToken(terminal)));
  config
    .command("unset")
    .description("Forget a token; or the URL, and every token with it.")
    .addArgument(set.createArgument("<name>").choices(NAMES))
    .action((name: (typeof NAMES)[number]) => done(unset(terminal, name)));
  config
    .command("show")
    .description("Show what is remembered; of tokens the end.")
    .addOption(new Option("--json", "print exactly one JSON document on standard output"))
    .action((options: { json?: true }) => done(show(terminal, options)));
  config
    .command("path")
    .description("Print where it is remembered.")
    .action(() => {
      terminal.stdout.write(`${configPath(terminal.env) ?? ""}\n`);
      done(EXIT.done);
    });
}

function setUrl(terminal: Terminal, url: string): number {
  const { protocol, origin } = URL.canParse(url) ? new URL(url) : { protocol: "", origin: "" };
  if (protocol !== "https:" && protocol !== "http:")
    throw new CommandFailure("Takes an http:// or https:// URL.", { exitCode: EXIT.usage });
  const before = readRemembered(terminal.env);
  const isSame = before.url !== undefined && originOf(before.url) === origin;
  const path = remember(terminal, isSame ? before : { url: origin });
  terminal.stderr.write(`${path} has the URL.\n`);
  if (!isSame) tellForgotten(terminal, before);
  return EXIT.done;
}

function unset(terminal: Terminal, name: (typeof NAMES)[number]): number {
  const before = readRemembered(terminal.env);
  const { [name]: _, ...rest } = before;
  remember(terminal, name === "url" ? {} : rest);
  if (name === "url") tellForgotten(terminal, before);
  return EXIT.done;
}

/** A token belongs to the server that it was remembered for, and goes with its URL. */
function tellForgotten({ stderr }: Terminal, before: Remembered): void {
  const tokens = tokensIn(before).map(words);
  if (tokens.length > 0)
    stderr.write(shown`Forgot what was for ${before.url}: ${tokens.join(", ")}.\n`);
}

const words = (field: string): string => field.replace("_", " ");

async function setToken(terminal: Terminal): Promise<number> {
  const before = readRemembered(terminal.env);
  const url = originFor(terminal.env, "token");
  if (before.url !== undefined && originOf(before.url) !== url)
    throw new CommandFailure(
      `LATCHKEY_URL is ${url}, but what is remembered is for ${before.url}. Unset LATCHKEY_URL, or run: latchkey config set url ${url}`,
    );
  const token = await readSecret(terminal, "token");
  const kind = Object.values(TOKENS).find(({ prefix }) => token.startsWith(prefix));
  if (kind === undefined || !/^[\x21-\x7e]{8,128}$/.test(token))
    throw new CommandFailure(
      "That is no service (st_…), operator (ot_…) or verifier (vt_…) token.",
    );
  const path = remember(terminal, { ...before, url, [kind.field]: token });
  terminal.stderr.write(`${path} has the ${words(kind.field)}, for ${url}.\n`);
  return EXIT.done;
}

function show(terminal: Terminal, options: { readonly json?: true }): number {
  const remembered: Remembered = readRemembered(terminal.env);
  const entries = NAMES.flatMap((name): [string, string][] => {
    const value = remembered[name];
    if (value === undefined) return [];
    return [[name, name === "url" ? value : `${value.slice(0, 3)}…${value.slice(-4)}`]];
  });
  if (options.json === true) writeJson(terminal, Object.fromEntries(entries));
  else
    terminal.stdout.write(
      entries.map(([name, value]) => `${name.padEnd(14)}  ${value}\n`).join(""),
    );
  return EXIT.done;
}

const HELP = `
Kept in XDG_CONFIG_HOME/latchkey/config.json (~/.config unless set), readable by you alone; a file that others may read is
not used. The environment comes first: LATCHKEY_URL, then for each command the variable of the token that it needs, then
LATCHKEY_TOKEN if that is of the kind. A token is remembered for the server in force, and goes to that one alone: another
URL, or none, forgets it.

Examples:
  $ latchkey config set url https://keys.example.com
  $ latchkey config set token
      asks for it, hidden; or: latchkey config set token < token.txt
  $ latchkey config show
`;
