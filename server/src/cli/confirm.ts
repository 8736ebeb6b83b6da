import { createInterface } from "node:readline";
import { CommandFailure, EXIT, type Terminal } from "./terminal.ts";

/**
 * Sees to it that whoever sits at the terminal wants it; a program says so by `--yes`.
 *
 * @param question What is asked; found out only when it is.
 * @throws CommandFailure `undone` when they do not, and when there is nobody to ask.
 */
export async function agree(
  terminal: Terminal,
  { yes }: { readonly yes?: true },
  question: () => Promise<string>,
  undone: string,
): Promise<void> {
  if (yes === true) return;
  if (terminal.stdin.isTTY !== true)
    throw new CommandFailure(`There is no terminal to ask at: say --yes. ${undone}`, {
      exitCode: EXIT.usage,
    });
  if (!(await confirm(terminal, await question()))) throw new CommandFailure(undone);
}

/** Asks at the terminal for a yes; anything else, and the end of the input, is a no. */
async function confirm(terminal: Terminal, question: string): Promise<boolean> {
  terminal.stderr.write(`${question} [y/N] `);
  // The terminal edits the line itself, so that Ctrl-C ends the command as it ends any other.
  const lines = createInterface({ input: terminal.stdin, terminal: false });
  try {
    for await (const line of lines) return /^\s*y(es)?\s*$/i.test(line);
    return false;
  } finally {
    lines.close();
  }
}
