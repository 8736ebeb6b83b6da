import type { EnvironmentJson } from "@latchkey/sdk/client";
import type { Command } from "commander";
import { type Done, jsonOption, yesOption } from "./argument.ts";
import { agree } from "./confirm.ts";
import { collect, connect } from "./connection.ts";
import { shown } from "./printable.ts";
import { receiptText } from "./receipt.ts";
import { table } from "./table.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

/** Describes `latchkey environments`. @param done Told the exit code. */
export function describeEnvironments(command: Command, terminal: Terminal, done: Done): void {
  const environments = command
    .command("environments")
    .description("List, create, rename and delete the environments of an account.")
    .addHelpText("after", HELP);
  environments
    .command("list")
    .description("List every environment, the newest first.")
    .addOption(jsonOption())
    .action(async (options: { json?: true }) => done(await list(terminal, options)));
  environments
    .command("create")
    .description("Create an environment and print its first two keys, this once.")
    .requiredOption("--name <name>", "its name")
    .requiredOption("--slug <slug>", "its short name in addresses; never changes")
    .addOption(jsonOption())
    .action(async ({ json, ...body }: { name: string; slug: string; json?: true }) => {
      const created = await connect(terminal, "service").environments.create(body);
      if (json === true) writeJson(terminal, created);
      else {
        terminal.stderr.write(
          shown`Environment ${created.slug} (${created.id}) is there. Its keys are shown this once; keep them now.\n`,
        );
        terminal.stdout.write(
          table([
            ["public", created.public_key],
            ["secret", created.secret_key],
          ]),
        );
      }
      done(EXIT.done);
    });
  environments
    .command("rename <slug>")
    .description("Give an environment another name; its slug stays.")
    .requiredOption("--name <name>", "its new name")
    .addOption(jsonOption())
    .action(async (slug: string, { name, json }: { name: string; json?: true }) => {
      const renamed = await connect(terminal, "service").environments.rename(slug, { name });
      if (json === true) writeJson(terminal, renamed);
      else terminal.stdout.write(shown`${renamed.slug} is called "${renamed.name}".\n`);
      done(EXIT.done);
    });
  environments
    .command("delete <slug>")
    .description(
      "Delete an environment with its keys; they are refused everywhere when this returns.",
    )
    .addOption(yesOption())
    .addOption(jsonOption())
    .action(async (slug: string, options: { yes?: true; json?: true }) =>
      done(await remove(terminal, slug, options)),
    );
}

async function list(terminal: Terminal, options: { readonly json?: true }): Promise<number> {
  const { entries } = await collect(connect(terminal, "service").environments.all());
  if (options.json === true) writeJson(terminal, entries);
  else
    terminal.stdout.write(
      table([HEADINGS, ...entries.map(row)], { to: terminal.stdout, cut: [1] }),
    );
  return EXIT.done;
}

const HEADINGS = ["SLUG", "NAME", "ID", "CREATED"];

const row = ({ slug, name, id, created_at }: EnvironmentJson): string[] => [
  slug,
  name,
  id,
  created_at.slice(0, 10),
];

async function remove(
  terminal: Terminal,
  slug: string,
  options: { readonly yes?: true; readonly json?: true },
): Promise<number> {
  const { environments, apiKeys } = connect(terminal, "service");
  const question = async (): Promise<string> => {
    const { entries, more } = await collect(apiKeys.all({ environment: slug }), COUNTED_MAX);
    const keys = `${more ? "more than " : ""}${entries.length} active keys`;
    return shown`Delete the environment ${slug} with ${keys} for good? Its slug is never given out again.`;
  };
  await agree(terminal, options, question, "Nothing was deleted.");
  const receipt = await environments.delete(slug);
  if (options.json === true) writeJson(terminal, receipt);
  else terminal.stdout.write(`Deleted. ${receiptText(receipt.revocation)}\n`);
  return EXIT.done;
}

/** Keys that a question counts; what is more is many. */
const COUNTED_MAX = 1_000;

const HELP = `
With the service token of the account (LATCHKEY_SERVICE_TOKEN).

Examples:
  $ latchkey environments create --name Staging --slug staging
  $ latchkey environments delete staging
`;
