import type { Readable } from "node:stream";
import { CommandFailure, type Terminal } from "./terminal.ts";

/** More than the longest password in UTF-8, and little enough to hold. */
const INPUT_BYTES_MAX = 4096;

/**
 * Reads the one line that standard input holds.
 *
 * @param what It is, for people.
 * @returns The line without its end. The caller judges its length.
 * @throws CommandFailure when there is more than one line, or no text at all.
 */
export async function readSecretLine(stdin: Readable, what = "password"): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > INPUT_BYTES_MAX)
      throw new CommandFailure(`The ${what} on standard input is too long.`);
    chunks.push(piece);
  }
  const line = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (line === "") throw new CommandFailure(`The ${what} on standard input is empty.`);
  if (/[\r\n]/.test(line))
    throw new CommandFailure(`Standard input holds more than one line; the ${what} is one line.`);
  return line;
}

/** Reads a secret from standard input, or asks for it at a terminal, without showing it. */
export async function readSecret(terminal: Terminal, what: string): Promise<string> {
  if (terminal.stdin.isTTY !== true) return readSecretLine(terminal.stdin, what);
  const { default: prompt } = await import("@inquirer/password");
  try {
    return await prompt(
      { message: `The ${what}:` },
      { input: terminal.stdin, output: terminal.stderr },
    );
  } catch (cause) {
    throw new CommandFailure(`No ${what} was given.`, { cause });
  }
}

/**
 * Asks for a new password twice, without showing it.
 *
 * @param problemOf What is wrong with a password, or `undefined`.
 * @throws CommandFailure when there is no terminal to ask at, or the question was given up.
 */
export async function askPassword(
  terminal: Terminal,
  problemOf: (password: string) => string | undefined,
): Promise<string> {
  if (terminal.stdin.isTTY !== true)
    throw new CommandFailure(
      "There is no terminal to ask at: give the password with --password-stdin.",
    );
  const { default: prompt } = await import("@inquirer/password");
  const streams = { input: terminal.stdin, output: terminal.stderr };
  try {
    const first = await prompt(
      { message: "Password of the owner:", validate: (text) => problemOf(text) ?? true },
      streams,
    );
    await prompt(
      {
        message: "The same once more:",
        validate: (text) => text === first || "The two are not the same.",
      },
      streams,
    );
    return first;
  } catch (cause) {
    throw new CommandFailure("No password was given.", { cause });
  }
}
