import type { ApiKeyJson, Client } from "@latchkey/sdk/client";
import type { Command } from "commander";
import { type Done, jsonOption, yesOption } from "./argument.ts";
import { agree } from "./confirm.ts";
import { connect } from "./connection.ts";
import { exitCodeOf, explain } from "./explain.ts";
import { lastUseText } from "./key-facts.ts";
import { printable, shown } from "./printable.ts";
import { receiptText } from "./receipt.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

/** Keys that are revoked at one time: they share what they wait for. */
const AT_ONCE = 8;

interface RevokeOptions {
  readonly reason?: string;
  readonly yes?: true;
  /** `false` by `--no-wait`. */
  readonly wait: boolean;
  readonly json?: true;
}

/** Describes `latchkey keys revoke`. @param done Told the exit code. */
export function describeRevocation(keys: Command, terminal: Terminal, done: Done): void {
  keys
    .command("revoke <id...>")
    .description("Revoke keys for good; they are refused everywhere when this returns.")
    .option("--reason <text>", "why, for the audit log")
    .addOption(yesOption())
    .option("--no-wait", "return when it is recorded, before every verifier has confirmed")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (ids: string[], options: RevokeOptions) =>
      done(await revoke(terminal, [...new Set(ids)], options)),
    );
}

async function revoke(
  terminal: Terminal,
  ids: readonly string[],
  options: RevokeOptions,
): Promise<number> {
  const client = connect(terminal, "service");
  await agree(terminal, options, () => question(terminal, client, ids), "Nothing was revoked.");
  terminal.onStopSignal(() => {
    terminal.stderr.write(
      "Interrupted: they may be revoked all the same. See: latchkey keys describe <id>\n",
    );
    terminal.exit(EXIT.interrupted);
  });
  const revoked: ApiKeyJson[] = [];
  let code: number = EXIT.done;
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const some = ids.slice(at, at + AT_ONCE);
    const { reason, wait } = options;
    const outcomes = await Promise.allSettled(
      some.map((id) => client.apiKeys.revoke(id, { reason }, { wait })),
    );
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") {
        revoked.push(outcome.value);
        if (options.json !== true) terminal.stdout.write(`${told(outcome.value)}\n`);
        continue;
      }
      if (code === EXIT.done) code = exitCodeOf(outcome.reason);
      terminal.stderr.write(`latchkey: ${some[index]}: ${explain(outcome.reason)}\n`);
    }
  }
  if (options.json === true) writeJson(terminal, revoked);
  return code;
}

async function question(
  { stderr, ambient }: Terminal,
  { apiKeys }: Client,
  ids: readonly string[],
): Promise<string> {
  for (const id of ids) {
    const [key, usage] = await Promise.all([apiKeys.get(id), apiKeys.usage(id)]);
    const description = key.description === "" ? "" : ` "${key.description}"`;
    const name = `${key.id} (${key.hint})${description} of ${key.environment}`;
    stderr.write(`${printable(name)}\n  ${printable(lastUseText(usage, ambient.nowMs()))}\n`);
  }
  return `Revoke ${ids.length === 1 ? "it" : `these ${ids.length} keys`} for good?`;
}

function told({ id, hint, revocation }: ApiKeyJson): string {
  return shown`${id} (${hint}): ${revocation === null ? "revoked." : receiptText(revocation)}`;
}

const HELP = `
At a terminal it shows who used each key last, and asks. A key that is revoked already is told with its first receipt.

Examples:
  $ latchkey keys revoke key_0195f2c47d3e7a41b6c0a2d95e1f8b37 --reason "leaked in a log"
  $ latchkey keys list --environment production --q billing --json | jq -r '.[].id' | xargs latchkey keys revoke --yes
`;
