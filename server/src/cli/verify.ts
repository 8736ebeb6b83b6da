import { type Command, Option } from "commander";
import { type Done, jsonOption } from "./argument.ts";
import { connect } from "./connection.ts";
import { readSecret } from "./password.ts";
import { table } from "./table.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

interface VerifyOptions {
  readonly type: "secret" | "public" | "any";
  readonly environment?: string;
  readonly json?: true;
}

/** Describes `latchkey verify`. @param done Told the exit code. */
export function describeVerify(command: Command, terminal: Terminal, done: Done): void {
  command
    .command("verify")
    .description("Judge an API key, read from standard input or asked for.")
    .addOption(
      new Option("--type <type>", "the type that it has to be of")
        .choices(["secret", "public", "any"])
        .default("secret"),
    )
    .option("--environment <slug>", "the environment that it has to be of")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (options: VerifyOptions) => done(await verify(terminal, options)));
}

async function verify(terminal: Terminal, options: VerifyOptions): Promise<number> {
  const { apiKeys } = connect(terminal, "verifier");
  const api_key = await readSecret(terminal, "API key");
  const { type, environment, json } = options;
  const verdict = await apiKeys.verify({ api_key, type, environment });
  if (json === true) writeJson(terminal, verdict);
  else if (verdict.valid)
    terminal.stdout.write(
      `Accepted.\n${table([
        ["API key", `${verdict.key_id} (${verdict.key_type})`],
        ["Account", `${verdict.account_slug} (${verdict.account_id})`],
        ["Environment", verdict.environment],
        ...Object.entries(verdict.metadata).map(([name, value]) => [
          "Metadata",
          `${name}=${value}`,
        ]),
      ])}`,
    );
  else
    terminal.stdout.write(
      `Refused.\n${table([
        ["Status", `${verdict.status} ${verdict.code}`],
        ["Message", verdict.message],
        ["Request id", verdict.request_id],
      ])}`,
    );
  return verdict.valid ? EXIT.done : EXIT.refused;
}

const HELP = `
With a verifier token (LATCHKEY_VERIFIER_TOKEN). A key is never taken from an option: others on this machine could read
it. Why a key is refused is told by: latchkey refusals show <request id>

Examples:
  $ latchkey verify --environment production
      asks for it, hidden
  $ latchkey verify --json < key.txt
`;
