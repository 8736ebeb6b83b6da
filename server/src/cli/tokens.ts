import type { Client, ServiceTokenJson, TokenJson } from "@latchkey/sdk/client";
import { type Command, Option } from "commander";
import {
  type Done,
  type EndOptions,
  endOf,
  endOptions,
  jsonOption,
  yesOption,
} from "./argument.ts";
import { agree } from "./confirm.ts";
import { collect, connect } from "./connection.ts";
import { timeText } from "./duration.ts";
import { shown } from "./printable.ts";
import { receiptText } from "./receipt.ts";
import { table } from "./table.ts";
import { CommandFailure, EXIT, type Terminal, writeJson } from "./terminal.ts";

/** What the operator creates; the first unless told otherwise. The account's own are of the kind `service`. */
const OPERATOR_KINDS = ["verifier", "operator"] as const;
const KINDS = [...OPERATOR_KINDS, "service"] as const;

interface CreateOptions extends EndOptions {
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly json?: true;
}

interface ListOptions {
  readonly kind?: "service";
  readonly json?: true;
}

interface DeleteOptions extends ListOptions {
  readonly yes?: true;
}

/** Describes `latchkey tokens`. @param done Told the exit code. */
export function describeTokens(command: Command, terminal: Terminal, done: Done): void {
  const tokens = command
    .command("tokens")
    .description("Create, list and delete tokens: yours as the operator, or an account's.")
    .addHelpText("after", HELP);
  const [expiresIn, expiresAt] = endOptions();
  tokens
    .command("create")
    .description("Create a token and print it, this once.")
    .requiredOption("--name <name>", "what it is for; need not be unique")
    .addOption(new Option("--kind <kind>", "what it may do").choices(KINDS).default("verifier"))
    .addOption(expiresIn)
    .addOption(expiresAt)
    .addOption(jsonOption())
    .action(async (options: CreateOptions) => done(await createToken(terminal, options)));
  tokens
    .command("list")
    .description("List every token, the newest first.")
    .addOption(serviceOption())
    .addOption(jsonOption())
    .action(async (options: ListOptions) => done(await listTokens(terminal, options)));
  tokens
    .command("delete <id>")
    .description("Delete a token for good; what came with it has ended when this returns.")
    .addOption(serviceOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action(async (id: string, options: DeleteOptions) =>
      done(await deleteToken(terminal, id, options)),
    );
}

const serviceOption = (): Option =>
  new Option(
    "--kind <kind>",
    "`service` for those of the account; the operator's otherwise",
  ).choices(["service"]);

async function createToken(terminal: Terminal, options: CreateOptions): Promise<number> {
  const { name, kind, json } = options;
  const expires_at = endOf(terminal, options);
  if (kind !== "service" && expires_at !== undefined)
    throw new CommandFailure("Only a service token can expire.", { exitCode: EXIT.usage });
  const created =
    kind === "service"
      ? await connect(terminal, "service").serviceTokens.create({ name, expires_at })
      : await connect(terminal, "operator").tokens.create({ name, kind });
  if (json === true) writeJson(terminal, created);
  else {
    terminal.stderr.write(`${named(created)} is shown this once; keep it now.\n`);
    terminal.stdout.write(shown`${created.token}\n`);
  }
  return EXIT.done;
}

/** The tokens that the options mean, whoever's they are. */
function tokensOf(terminal: Terminal, { kind }: ListOptions): Client["tokens" | "serviceTokens"] {
  return kind === "service"
    ? connect(terminal, "service").serviceTokens
    : connect(terminal, "operator").tokens;
}

async function listTokens(terminal: Terminal, options: ListOptions): Promise<number> {
  const { entries } = await collect<Token>(tokensOf(terminal, options).all());
  if (options.json === true) writeJson(terminal, entries);
  else if (entries.length === 0) terminal.stdout.write("There are no tokens.\n");
  else
    terminal.stdout.write(
      table([HEADINGS, ...entries.map(row)], { to: terminal.stdout, cut: [0] }),
    );
  return EXIT.done;
}

type Token = TokenJson | ServiceTokenJson;

const HEADINGS = ["NAME", "KIND", "HINT", "ID", "CREATED", "EXPIRES", "LAST USED"];

function row(token: Token): string[] {
  const { name, hint, id, created_at, last_used_at } = token;
  return [
    name,
    kindOf(token),
    hint,
    id,
    created_at.slice(0, 10),
    "expires_at" in token ? timeText(token.expires_at) : "never",
    last_used_at?.slice(0, 10) ?? "never",
  ];
}

async function deleteToken(
  terminal: Terminal,
  id: string,
  options: DeleteOptions,
): Promise<number> {
  const tokens = tokensOf(terminal, options);
  const question = async (): Promise<string> => {
    const ends =
      options.kind === "service" ? "The keys that it was exchanged for end" : "Its sessions end";
    return `Delete ${named(await find(tokens, id))}? ${ends} at once.`;
  };
  await agree(terminal, options, question, "Nothing was deleted.");
  const receipt = await tokens.delete(id);
  if (options.json === true) writeJson(terminal, receipt);
  else terminal.stdout.write(`Deleted. ${receiptText(receipt.revocation)}\n`);
  return EXIT.done;
}

async function find(tokens: Client["tokens" | "serviceTokens"], id: string): Promise<Token> {
  for await (const token of tokens.all()) if (token.id === id) return token;
  throw new CommandFailure("There is no such token.", { exitCode: EXIT.absent });
}

const kindOf = (token: Token): string => ("kind" in token ? token.kind : "service");

function named(token: Token): string {
  const kind = kindOf(token);
  return shown`${kind.charAt(0).toUpperCase()}${kind.slice(1)} token "${token.name}" (${token.hint})`;
}

const HELP = `
A verifier token (vt_…) verifies keys of every account, an operator token (ot_…) provisions accounts and tokens; neither
does anything else, and both are created with LATCHKEY_OPERATOR_TOKEN. A service token (st_…) manages one account, and is
created with one: LATCHKEY_SERVICE_TOKEN.

Examples:
  $ LATCHKEY_VERIFIER_TOKEN=$(latchkey tokens create --name "Checkout service")
  $ latchkey tokens create --kind service --name CI --expires-in 30d
  $ latchkey tokens list
  $ latchkey tokens delete tok_0195f2c47d3e7a41b6c0a2d95e1f8b37
`;
