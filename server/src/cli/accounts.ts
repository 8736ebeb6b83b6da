import { type AccountJson, type Client, createClient } from "@latchkey/sdk/client";
import { isLoopback } from "../config.ts";
import { explain } from "./explain.ts";
import { CommandFailure, EXIT, type Terminal } from "./terminal.ts";

/** Where a server listens unless told otherwise. */
const DEFAULT_URL = "http://127.0.0.1:4400";

/** The options of `latchkey accounts create`, as commander gives them. */
export interface CreateOptions {
  readonly name: string;
  readonly slug: string;
  readonly externalId?: string;
  readonly json?: true;
}

/** Provisions an account on the running server and prints its tokens, this once. */
export async function createAccount(terminal: Terminal, options: CreateOptions): Promise<number> {
  const client = connect(terminal.env);
  const created = await client.accounts
    .create({
      name: options.name,
      slug: options.slug,
      ...(options.externalId === undefined ? {} : { external_id: options.externalId }),
    })
    .catch(fail);
  if (options.json === true) {
    terminal.stdout.write(`${JSON.stringify(created, null, 2)}\n`);
    return EXIT.done;
  }
  const rows = created.environments.map((environment) => [
    environment.slug,
    environment.public_key,
    environment.secret_key,
  ]);
  terminal.stdout.write(
    `Account ${created.account.slug} (${created.account.id}) is there. These tokens are shown this once; keep them now.\n\n` +
      `${table([["ENVIRONMENT", "PUBLIC KEY", "SECRET KEY"], ...rows])}\n` +
      `Service token: ${created.service_token}\n`,
  );
  return EXIT.done;
}

/** Lists every account of the running server, the newest first. */
export async function listAccounts(
  terminal: Terminal,
  options: { readonly json?: true },
): Promise<number> {
  const client = connect(terminal.env);
  const entries = await collect(client.accounts.all()).catch(fail);
  if (options.json === true) terminal.stdout.write(`${JSON.stringify({ entries }, null, 2)}\n`);
  else if (entries.length === 0) terminal.stdout.write("There are no accounts yet.\n");
  else terminal.stdout.write(table([HEADINGS, ...entries.map(row)]));
  return EXIT.done;
}

const HEADINGS = ["SLUG", "NAME", "EXTERNAL ID", "ID", "CREATED", "STATE"];

function row(account: AccountJson): string[] {
  return [
    account.slug,
    account.name,
    account.external_id ?? "-",
    account.id,
    account.created_at.slice(0, 10),
    account.suspended_at === null ? "active" : "suspended",
  ];
}

async function collect<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const entry of entries) collected.push(entry);
  return collected;
}

/** @throws CommandFailure when the token is missing, or would travel readably over a network. */
function connect(env: Terminal["env"]): Client {
  const url = env.LATCHKEY_URL || DEFAULT_URL;
  const token = env.LATCHKEY_OPERATOR_TOKEN;
  if (token === undefined || token === "")
    throw new CommandFailure(
      "LATCHKEY_OPERATOR_TOKEN is not set. It is the operator token (ot_…) that set-up showed.",
    );
  if (!URL.canParse(url)) throw new CommandFailure("LATCHKEY_URL is not a URL.");
  const { protocol, hostname, origin } = new URL(url);
  if (protocol !== "https:" && !(protocol === "http:" && isLoopback(hostname)))
    throw new CommandFailure(
      `LATCHKEY_URL must be https:// (http:// for a loopback host only), for the operator token travels to ${hostname || "it"}.`,
    );
  return createClient({ url: origin, token });
}

function fail(cause: unknown): never {
  throw new CommandFailure(explain(cause), { cause });
}

/** Columns two spaces apart. Control characters, which names may hold, are shown as "?": a terminal obeys them. */
function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((cells) => cells.map((cell) => cell.replace(/\p{Cc}/gu, "?")));
  const widths = (clean[0] ?? []).map((_, column) =>
    Math.max(...clean.map((cells) => cells[column]?.length ?? 0)),
  );
  return clean
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}
