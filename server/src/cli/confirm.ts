import { createInterface } from "node:readline";
import type { Terminal } from "./terminal.ts";

/** Asks at the terminal for a yes; anything else, and the end of the input, is a no. */
export async function confirm(terminal: Terminal, question: string): Promise<boolean> {
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
