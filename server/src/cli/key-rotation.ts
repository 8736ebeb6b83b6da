import type { RotatedApiKeyJson } from "@latchkey/sdk/client";
import { type Command, Option } from "commander";
import { type Done, type EndOptions, endOf, endOptions, jsonOption } from "./argument.ts";
import { connect } from "./connection.ts";
import { duration, timeText } from "./duration.ts";
import { overlapText } from "./key-facts.ts";
import { shown } from "./printable.ts";
import { receiptText } from "./receipt.ts";
import { EXIT, type Terminal, writeJson } from "./terminal.ts";

const STARTS = { now: "now", "first-use": "first_use" } as const;

interface RotateOptions extends EndOptions {
  readonly overlap: number;
  readonly starts: keyof typeof STARTS;
  readonly json?: true;
}

/** Describes `latchkey keys rotate`. @param done Told the exit code. */
export function describeRotation(keys: Command, terminal: Terminal, done: Done): void {
  const [expiresIn, expiresAt] = endOptions();
  keys
    .command("rotate <id>")
    .description("Replace a key: print its successor's token, this once, and end the old one.")
    .requiredOption("--overlap <duration>", "how long the old key goes on; 0 revokes it", duration)
    .addOption(
      new Option("--starts <when>", "what that counts from")
        .choices(Object.keys(STARTS))
        .default("now"),
    )
    .addOption(expiresIn)
    .addOption(expiresAt)
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (id: string, options: RotateOptions) =>
      done(await rotate(terminal, id, options)),
    );
}

async function rotate(terminal: Terminal, id: string, options: RotateOptions): Promise<number> {
  const expires_at = endOf(terminal, options);
  const rotated = await connect(terminal, "service").apiKeys.rotate(id, {
    overlap_seconds: Math.ceil(options.overlap / 1_000),
    starts: STARTS[options.starts],
    ...(expires_at === undefined ? {} : { expires_at }),
  });
  if (options.json === true) writeJson(terminal, rotated);
  else {
    terminal.stderr.write(
      shown`The key ${rotated.id} (${rotated.hint}) is shown this once; keep it now.\n`,
    );
    terminal.stdout.write(shown`${rotated.api_key}\n`);
    terminal.stderr.write(`${endText(rotated)}\n`);
  }
  return EXIT.done;
}

function endText({ predecessor: old }: RotatedApiKeyJson): string {
  const name = shown`The old key ${old.id} (${old.hint})`;
  if (old.revoked_at !== null)
    return `${name} is revoked.${old.revocation === null ? "" : ` ${receiptText(old.revocation)}`}`;
  if (old.overlap !== null) return shown`${name} goes on for ${overlapText(old.overlap)}.`;
  return shown`${name} ends: ${timeText(old.expires_at)}.`;
}

const HELP = `
Standard output gets the token of the new key and nothing else. To end the overlap early, revoke the old key.

Examples:
  $ KEY=$(latchkey keys rotate key_0195f2c47d3e7a41b6c0a2d95e1f8b37 --overlap 24h)
  $ latchkey keys rotate key_0195f2c47d3e7a41b6c0a2d95e1f8b37 --overlap 1h --starts first-use
  $ latchkey keys rotate key_0195f2c47d3e7a41b6c0a2d95e1f8b37 --overlap 0
      at once: the old key is refused everywhere when this returns
`;
