import type { InvitationJson, Role } from "@latchkey/sdk/client";
import type { Command } from "commander";
import { type Done, jsonOption } from "./argument.ts";
import { collect, connect } from "./connection.ts";
import { timeText } from "./duration.ts";
import { roleOption } from "./members.ts";
import { shown } from "./printable.ts";
import { table } from "./table.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

interface JsonOptions {
  readonly json?: true;
}

/** Describes `latchkey invitations`. @param done Told the exit code. */
export function describeInvitations(command: Command, terminal: Terminal, done: Done): void {
  const invitations = command
    .command("invitations")
    .description("Invite people to an account; list, send again and cancel invitations.")
    .addHelpText("after", HELP);
  invitations
    .command("list")
    .description("List every invitation that is neither accepted nor cancelled.")
    .addOption(jsonOption())
    .action(async (options: JsonOptions) => done(await list(terminal, options)));
  invitations
    .command("create")
    .description("Invite an address: by mail, or by the link that this prints once.")
    .requiredOption("--email <address>", "whom; an open invitation of theirs is replaced")
    .addOption(roleOption())
    .addOption(jsonOption())
    .action(async ({ email, role, json }: { email: string; role: Role } & JsonOptions) => {
      const sent = await connect(terminal, "service").invitations.create({ email, role });
      done(tell(terminal, sent, { json }));
    });
  invitations
    .command("send <id>")
    .description("Send an invitation again, with a new link; the one before is dead.")
    .addOption(jsonOption())
    .action(async (id: string, options: JsonOptions) => {
      const sent = await connect(terminal, "service").invitations.send(id);
      done(tell(terminal, sent, options));
    });
  invitations
    .command("cancel <id>")
    .description("Cancel an invitation; its link is dead when this returns.")
    .addOption(jsonOption())
    .action(async (id: string, { json }: JsonOptions) => {
      const cancelled = await connect(terminal, "service").invitations.cancel(id);
      if (json === true) writeJson(terminal, cancelled);
      else terminal.stdout.write(shown`Cancelled the invitation of ${cancelled.email}.\n`);
      done(EXIT.done);
    });
}

/** Tells what became of a link. It stands alone on standard output; that no mail went is a failure to a script. */
function tell(
  terminal: Terminal,
  sent: InvitationJson,
  { json }: { readonly json?: true | undefined },
): number {
  const { email, role, expires_at, link, mail_error } = sent;
  const code = mail_error === undefined ? EXIT.done : EXIT.failed;
  if (json === true) {
    writeJson(terminal, sent);
    return code;
  }
  const until = timeText(expires_at);
  if (link !== undefined) {
    terminal.stderr.write(
      shown`${email} is invited as ${role} until ${until}. Whoever has this link, shown this once, can accept:\n`,
    );
    terminal.stdout.write(shown`${link}\n`);
  } else if (mail_error === undefined)
    terminal.stdout.write(shown`Mailed to ${email}, invited as ${role} until ${until}.\n`);
  else
    terminal.stderr.write(
      shown`${email} is invited as ${role}, but not by mail: ${mail_error} Try: latchkey invitations send ${sent.id}\n`,
    );
  return code;
}

async function list(terminal: Terminal, options: JsonOptions): Promise<number> {
  const { entries } = await collect(connect(terminal, "service").invitations.all());
  if (options.json === true) writeJson(terminal, entries);
  else if (entries.length === 0) terminal.stdout.write("Nobody is invited.\n");
  else
    terminal.stdout.write(
      table([HEADINGS, ...entries.map(row)], { to: terminal.stdout, cut: [0, 3] }),
    );
  return EXIT.done;
}

const HEADINGS = ["E-MAIL", "ROLE", "MAILED", "INVITED BY", "ID", "EXPIRES"];

const row = ({ email, role, mailed, created_by, id, expires_at }: InvitationJson): string[] => [
  email,
  role,
  mailed ? "yes" : "no",
  created_by.name,
  id,
  timeText(expires_at),
];

const HELP = `
With the service token of the account (LATCHKEY_SERVICE_TOKEN), which may what an admin may. A link works once, for seven days.

Examples:
  $ latchkey invitations create --email grace@example.com --role member
  $ latchkey invitations list
  $ latchkey invitations send inv_0195f2c47d3e7a41b6c0a2d95e1f8b37
  $ latchkey invitations cancel inv_0195f2c47d3e7a41b6c0a2d95e1f8b37
`;
