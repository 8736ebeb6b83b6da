import type { MemberJson, Role } from "@latchkey/sdk/client";
import { type Command, Option } from "commander";
import { type Done, jsonOption, yesOption } from "./argument.ts";
import { agree } from "./confirm.ts";
import { collect, connect } from "./connection.ts";
import { shown } from "./printable.ts";
import { table } from "./table.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

/** Roles in an account, from most to least rights. */
const ROLES = ["owner", "admin", "member", "support"] as const satisfies readonly Role[];

/** `--role`, wherever somebody is given one. */
export const roleOption = (description = "what they may do: docs/roles.md"): Option =>
  new Option("--role <role>", description).choices(ROLES).makeOptionMandatory();

/** Describes `latchkey members`. @param done Told the exit code. */
export function describeMembers(command: Command, terminal: Terminal, done: Done): void {
  const members = command
    .command("members")
    .description("List, update and remove the people of an account.")
    .addHelpText("after", HELP);
  members
    .command("list")
    .description("List everybody who belongs to the account.")
    .addOption(jsonOption())
    .action(async (options: { json?: true }) => done(await list(terminal, options)));
  members
    .command("update <id>")
    .description("Give a member another role; it holds when this returns.")
    .addOption(roleOption())
    .addOption(jsonOption())
    .action(async (id: string, { role, json }: { role: Role; json?: true }) => {
      const member = await connect(terminal, "service").members.update(id, { role });
      if (json === true) writeJson(terminal, member);
      else terminal.stdout.write(shown`${member.name} (${member.email}) is ${member.role}.\n`);
      done(EXIT.done);
    });
  members
    .command("remove <id>")
    .description("Remove a member; every request of theirs is refused when this returns.")
    .addOption(yesOption())
    .addOption(jsonOption())
    .action(async (id: string, options: { yes?: true; json?: true }) =>
      done(await remove(terminal, id, options)),
    );
}

async function list(terminal: Terminal, options: { readonly json?: true }): Promise<number> {
  const { entries } = await collect(connect(terminal, "service").members.all());
  if (options.json === true) writeJson(terminal, entries);
  else if (entries.length === 0) terminal.stdout.write("Nobody belongs to the account.\n");
  else
    terminal.stdout.write(
      table([HEADINGS, ...entries.map(row)], { to: terminal.stdout, cut: [0, 1] }),
    );
  return EXIT.done;
}

const HEADINGS = ["NAME", "E-MAIL", "ROLE", "SECOND FACTOR", "KEYS", "TOKENS", "ID", "JOINED"];

const row = (member: MemberJson): string[] => [
  member.name,
  member.email,
  member.role,
  member.two_factor ? "on" : "off",
  String(member.active_api_keys),
  String(member.active_service_tokens),
  member.id,
  member.joined_at.slice(0, 10),
];

async function remove(
  terminal: Terminal,
  id: string,
  options: { readonly yes?: true; readonly json?: true },
): Promise<number> {
  const { members } = connect(terminal, "service");
  const question = async (): Promise<string> => {
    const member = await members.get(id);
    const { name, email, role } = member;
    return shown`Remove ${name} (${email}, ${role})? ${leftText(member)}`;
  };
  await agree(terminal, options, question, "Nobody was removed.");
  const removed = await members.remove(id);
  if (options.json === true) writeJson(terminal, removed);
  else {
    const { name, email, active_api_keys, active_service_tokens } = removed;
    terminal.stdout.write(shown`Removed ${name} (${email}). ${leftText(removed)}\n`);
    if (active_api_keys > 0)
      terminal.stderr.write(shown`Rotate keys: latchkey keys list --created-by ${removed.id}\n`);
    if (active_service_tokens > 0)
      terminal.stderr.write(
        "Delete tokens: in the dashboard, Settings > Service tokens says who made each.\n",
      );
  }
  return EXIT.done;
}

/** What they leave behind. */
function leftText(member: MemberJson): string {
  const keys = livesOn(member.active_api_keys, "API key");
  const tokens = livesOn(member.active_service_tokens, "service token");
  return `${keys} ${tokens}`;
}

function livesOn(count: number, what: string): string {
  if (count === 0) return `No ${what} that they created lives.`;
  return count === 1
    ? `1 ${what} that they created lives on.`
    : `${count} ${what}s that they created live on.`;
}

const HELP = `
With the service token of the account (LATCHKEY_SERVICE_TOKEN), which may what an admin may: owners are for owners, in the
dashboard.

Examples:
  $ latchkey members list
  $ latchkey members update per_0195f2c47d3e7a41b6c0a2d95e1f8b37 --role support
  $ latchkey members remove per_0195f2c47d3e7a41b6c0a2d95e1f8b37
`;
