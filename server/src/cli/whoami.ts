import type { WhoamiJson } from "@latchkey/sdk/client";
import type { Command } from "commander";
import { type Done, jsonOption } from "./argument.ts";
import { clientWith, connect, serverUrl } from "./connection.ts";
import { table } from "./table.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

/** Describes `latchkey whoami`. @param done Told the exit code. */
export function describeWhoami(command: Command, terminal: Terminal, done: Done): void {
  command
    .command("whoami")
    .description("Show which account the service token, or an API key, is of.")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async ({ json }: { json?: true }) => {
      const { LATCHKEY_TOKEN: any } = terminal.env;
      const isKey = any !== undefined && /^[sp]k_/.test(any);
      const client = isKey
        ? clientWith(terminal.env, any, "API key")
        : connect(terminal, "service");
      const who = await client.whoami();
      if (json === true) writeJson(terminal, who);
      else terminal.stdout.write(table([["Server", serverUrl(terminal.env)], ...facts(who)]));
      done(EXIT.done);
    });
}

function facts(who: WhoamiJson): string[][] {
  const account = ["Account", `${who.account_name} (${who.account_slug})`];
  if (who.type === "service_token") return [account, ["Service token", who.service_token_name]];
  return [
    account,
    ["Environment", who.environment],
    ["API key", `${who.key_id} (${who.key_type})`],
    ...Object.entries(who.metadata).map(([name, value]) => ["Metadata", `${name}=${value}`]),
  ];
}

const HELP = `
With LATCHKEY_SERVICE_TOKEN, or an API key in LATCHKEY_TOKEN.

Example:
  $ latchkey whoami
`;
