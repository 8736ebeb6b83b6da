import type { Role } from "@latchkey/sdk/client";
import type { Command } from "commander";
import { type Done, jsonOption } from "./argument.ts";
import { connect } from "./connection.ts";
import { roleOption } from "./members.ts";
import { shown } from "./printable.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

interface LinkOptions {
  readonly email: string;
  readonly role: Role;
  readonly name?: string;
  readonly json?: true;
}

interface ResetOptions {
  readonly removeTwoFactor?: true;
  readonly json?: true;
}

/** Describes `latchkey people`. @param done Told the exit code. */
export function describePeople(command: Command, terminal: Terminal, done: Done): void {
  const people = command
    .command("people")
    .description("Help people to sign in, as the operator.")
    .addHelpText("after", HELP);
  people
    .command("reset-password <email>")
    .description("Print a link with which somebody chooses a new password, once, for 30 minutes.")
    .option("--remove-two-factor", "turn their second factor off now: they have lost it")
    .addOption(jsonOption())
    .action(async (email: string, options: ResetOptions) =>
      done(await resetPassword(terminal, email, options)),
    );
}

/** Describes `latchkey accounts sign-in-link`. @param accounts The command `accounts`. */
export function describeSignInLink(accounts: Command, terminal: Terminal, done: Done): void {
  accounts
    .command("sign-in-link <slug>")
    .description("Print a link that signs somebody in to an account, once, within 60 seconds.")
    .requiredOption("--email <address>", "whom it signs in")
    .addOption(roleOption("their role, should they be no member yet"))
    .option("--name <name>", "what they are called, should they be new here")
    .addOption(jsonOption())
    .action(async (slug: string, options: LinkOptions) =>
      done(await signInLink(terminal, slug, options)),
    );
}

async function resetPassword(
  terminal: Terminal,
  email: string,
  options: ResetOptions,
): Promise<number> {
  const link = await connect(terminal, "operator").passwordResetLinks.create({
    email,
    ...(options.removeTwoFactor === true ? { remove_two_factor: true } : {}),
  });
  return print(terminal, link, options);
}

async function signInLink(
  terminal: Terminal,
  slug: string,
  { json, ...body }: LinkOptions,
): Promise<number> {
  const link = await connect(terminal, "operator").accounts.createSignInLink(slug, body);
  return print(terminal, link, json === true ? { json } : {});
}

/** The link alone goes to standard output, so that a program can take it. */
function print(
  terminal: Terminal,
  link: { url: string; expires_at: string },
  { json }: { json?: true },
): number {
  if (json === true) writeJson(terminal, link);
  else {
    terminal.stdout.write(shown`${link.url}\n`);
    terminal.stderr.write(
      shown`It works once, until ${link.expires_at}. Whoever has it is let in.\n`,
    );
  }
  return EXIT.done;
}

const HELP = `
With an operator token (LATCHKEY_OPERATOR_TOKEN). Hand the link to nobody but that person: whoever has it is them.

Example:
  $ latchkey people reset-password ada@example.com
`;
