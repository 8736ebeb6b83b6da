import type { AccountJson } from "@latchkey/sdk/client";
import { collect, connect, fail } from "./operator.ts";
import { table } from "./table.ts";
import { EXIT, type Terminal } from "./terminal.ts";

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
