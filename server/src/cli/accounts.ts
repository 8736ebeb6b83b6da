import type { AccountEdit, AccountJson } from "@latchkey/sdk/client";
import type { Command } from "commander";
import { type Done, jsonOption, yesOption } from "./argument.ts";
import { agree } from "./confirm.ts";
import { collect, connect } from "./connection.ts";
import { describeSignInLink } from "./people.ts";
import { shown } from "./printable.ts";
import { receiptText } from "./receipt.ts";
import { table } from "./table.ts";
import { CommandFailure, EXIT, type Terminal, writeJson } from "./terminal.ts";

interface CreateOptions {
  readonly name: string;
  readonly slug: string;
  readonly externalId?: string;
  readonly json?: true;
}

interface UpdateOptions {
  readonly name?: string;
  /** `false` by `--no-external-id`. */
  readonly externalId?: string | false;
  readonly json?: true;
}

interface EndOptions {
  readonly yes?: true;
  readonly json?: true;
}

/** Describes `latchkey accounts`. @param done Told the exit code. */
export function describeAccounts(command: Command, terminal: Terminal, done: Done): void {
  const accounts = command
    .command("accounts")
    .description("Provision, suspend and delete accounts on a running server, as the operator.")
    .addHelpText("after", HELP);
  accounts
    .command("create")
    .description("Make an account and print its first tokens, this once.")
    .requiredOption("--name <name>", "name of the account")
    .requiredOption("--slug <slug>", "its short name in addresses; never changes")
    .option("--external-id <id>", "your own name for this customer; part of every verdict")
    .addOption(jsonOption())
    .action(async (options: CreateOptions) => done(await createAccount(terminal, options)));
  accounts
    .command("list")
    .description("List every account, the newest first.")
    .addOption(jsonOption())
    .action(async (options: { json?: true }) => done(await listAccounts(terminal, options)));
  accounts
    .command("update <slug>")
    .description("Give an account another name or external id.")
    .option("--name <name>", "its new name")
    .option("--external-id <id>", "your own name for this customer; part of every verdict")
    .option("--no-external-id", "it has none any more")
    .addOption(jsonOption())
    .action(async (slug: string, options: UpdateOptions) =>
      done(await updateAccount(terminal, slug, options)),
    );
  accounts
    .command("suspend <slug>")
    .description("Refuse all keys of an account, everywhere when this returns, until it is lifted.")
    .addOption(yesOption())
    .addOption(jsonOption())
    .action(async (slug: string, options: EndOptions) => {
      await agree(
        terminal,
        options,
        async () => shown`Suspend the account ${slug}? All its keys are refused.`,
        "Nothing was suspended.",
      );
      done(await edit(terminal, slug, { suspended: true }, options));
    });
  accounts
    .command("unsuspend <slug>")
    .description("Accept the keys of an account again.")
    .addOption(jsonOption())
    .action(async (slug: string, options: { json?: true }) =>
      done(await edit(terminal, slug, { suspended: false }, options)),
    );
  describeSignInLink(accounts, terminal, done);
  accounts
    .command("delete <slug>")
    .description("Delete an account for good; its keys are refused everywhere when this returns.")
    .addOption(yesOption())
    .addOption(jsonOption())
    .action(async (slug: string, options: EndOptions) =>
      done(await deleteAccount(terminal, slug, options)),
    );
}

async function createAccount(terminal: Terminal, options: CreateOptions): Promise<number> {
  const { name, slug, externalId } = options;
  const created = await connect(terminal, "operator").accounts.create({
    name,
    slug,
    ...(externalId === undefined ? {} : { external_id: externalId }),
  });
  if (options.json === true) {
    writeJson(terminal, created);
    return EXIT.done;
  }
  const rows = created.environments.map((environment) => [
    environment.slug,
    environment.public_key,
    environment.secret_key,
  ]);
  terminal.stdout.write(
    shown`Account ${created.account.slug} (${created.account.id}) is there. These tokens are shown this once; keep them now.\n\n` +
      `${table([["ENVIRONMENT", "PUBLIC KEY", "SECRET KEY"], ...rows])}\n` +
      shown`Service token: ${created.service_token}\n`,
  );
  return EXIT.done;
}

async function listAccounts(
  terminal: Terminal,
  options: { readonly json?: true },
): Promise<number> {
  const { entries } = await collect(connect(terminal, "operator").accounts.all());
  if (options.json === true) writeJson(terminal, entries);
  else if (entries.length === 0) terminal.stdout.write("There are no accounts yet.\n");
  else
    terminal.stdout.write(
      table([HEADINGS, ...entries.map(row)], { to: terminal.stdout, cut: [1, 2] }),
    );
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

async function updateAccount(
  terminal: Terminal,
  slug: string,
  options: UpdateOptions,
): Promise<number> {
  const { name, externalId } = options;
  if (name === undefined && externalId === undefined)
    throw new CommandFailure("What is to change? See: latchkey accounts update --help", {
      exitCode: EXIT.usage,
    });
  const external_id = externalId === false ? null : externalId;
  return edit(terminal, slug, { name, external_id }, options);
}

async function edit(
  terminal: Terminal,
  slug: string,
  change: AccountEdit,
  { json }: { readonly json?: true },
): Promise<number> {
  const account = await connect(terminal, "operator").accounts.update(slug, change);
  if (json === true) writeJson(terminal, account);
  else {
    const { revocation } = account;
    const state =
      revocation === null ? "It is active." : `It is suspended. ${receiptText(revocation)}`;
    terminal.stdout.write(shown`${account.slug}, "${account.name}". ${state}\n`);
  }
  return EXIT.done;
}

async function deleteAccount(
  terminal: Terminal,
  slug: string,
  options: EndOptions,
): Promise<number> {
  const { accounts } = connect(terminal, "operator");
  const question = async (): Promise<string> =>
    shown`Delete the account ${slug} with everything in it for good? Its slug is never given out again.`;
  await agree(terminal, options, question, "Nothing was deleted.");
  const receipt = await accounts.delete(slug);
  if (options.json === true) writeJson(terminal, receipt);
  else terminal.stdout.write(`Deleted. ${receiptText(receipt.revocation)}\n`);
  return EXIT.done;
}

const HELP = `
With an operator token (LATCHKEY_OPERATOR_TOKEN).

Examples:
  $ latchkey accounts create --name "Globex" --slug globex --external-id cus_123 --json
  $ latchkey accounts list
  $ latchkey accounts sign-in-link globex --email grace@globex.example --role admin
  $ latchkey accounts suspend globex
`;
