import type { Client, RevocationJson, TokenJson } from "@latchkey/sdk/client";
import { confirm } from "./confirm.ts";
import { collect, connect, fail } from "./operator.ts";
import { printable, table } from "./table.ts";
import { CommandFailure, EXIT, type Terminal } from "./terminal.ts";

/** Kinds of tokens that the operator makes; the first unless told otherwise. */
export const TOKEN_KINDS = ["verifier", "operator"] as const;

/** The options of `latchkey tokens create`, as commander gives them. */
export interface CreateTokenOptions {
  readonly name: string;
  readonly kind: (typeof TOKEN_KINDS)[number];
  readonly json?: true;
}

/** Creates a token on the running server and prints it, this once: alone on its line, for a file or a variable. */
export async function createToken(
  terminal: Terminal,
  { name, kind, json }: CreateTokenOptions,
): Promise<number> {
  const created = await connect(terminal.env).tokens.create({ name, kind }).catch(fail);
  if (json === true) {
    terminal.stdout.write(`${JSON.stringify(created, null, 2)}\n`);
    return EXIT.done;
  }
  terminal.stderr.write(`${named(created)} is shown this once; keep it now.\n`);
  terminal.stdout.write(`${created.token}\n`);
  return EXIT.done;
}

/** Lists the operator's tokens, the newest first. */
export async function listTokens(
  terminal: Terminal,
  options: { readonly json?: true },
): Promise<number> {
  const entries = await collect(connect(terminal.env).tokens.all()).catch(fail);
  if (options.json === true) terminal.stdout.write(`${JSON.stringify({ entries }, null, 2)}\n`);
  else if (entries.length === 0) terminal.stdout.write("There are no tokens.\n");
  else terminal.stdout.write(table([HEADINGS, ...entries.map(row)]));
  return EXIT.done;
}

const HEADINGS = ["NAME", "KIND", "HINT", "ID", "CREATED", "LAST USED"];

function row({ name, kind, hint, id, created_at, last_used_at }: TokenJson): string[] {
  return [name, kind, hint, id, created_at.slice(0, 10), last_used_at?.slice(0, 10) ?? "never"];
}

/** Deletes a token for good, once whoever sits at the terminal has said yes; a program is not asked. */
export async function deleteToken(
  terminal: Terminal,
  id: string,
  options: { readonly yes?: true; readonly json?: true },
): Promise<number> {
  const client = connect(terminal.env);
  if (options.yes !== true && terminal.stdin.isTTY === true) {
    const token = await find(client, id).catch(fail);
    const question = `Delete ${named(token)}? Its sessions end at once.`;
    if (!(await confirm(terminal, question))) throw new CommandFailure("Nothing was deleted.");
  }
  const receipt = await client.tokens.delete(id).catch(fail);
  terminal.stdout.write(
    options.json === true
      ? `${JSON.stringify(receipt, null, 2)}\n`
      : `Deleted. ${ended(receipt.revocation)}\n`,
  );
  return EXIT.done;
}

async function find(client: Client, id: string): Promise<TokenJson> {
  for await (const token of client.tokens.all()) if (token.id === id) return token;
  throw new CommandFailure("There is no such token.");
}

function named({ kind, name, hint }: TokenJson): string {
  return `${kind === "verifier" ? "Verifier" : "Operator"} token "${printable(name)}" (${hint})`;
}

function ended({ took_ms, acknowledged, lapsed }: RevocationJson): string {
  const after = `Refused everywhere after ${took_ms ?? 0} ms`;
  return `${after}: ${acknowledged} of ${acknowledged + lapsed} verifiers confirmed.`;
}
