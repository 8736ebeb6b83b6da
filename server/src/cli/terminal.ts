import type { Readable } from "node:stream";
import type { Ambient } from "../ambient.ts";

/** What a command may touch of the process that runs it; `main.ts` makes the real one. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ambient: Ambient;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** For people and for `--json`: what the command was asked for, and nothing else. */
  readonly stdout: NodeJS.WritableStream;
  /** Logs, prompts and refusals. */
  readonly stderr: NodeJS.WritableStream;
  /** Calls `listener` at each SIGINT and SIGTERM, instead of ending the process. */
  onStopSignal(listener: () => void): void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Exit codes of every command; `latchkey --help` and docs/operating.md name them. */
export const EXIT = { done: 0, refused: 1, usage: 2 } as const;

/** A command that cannot do what it was asked. The message is the whole answer: people read it, without a stack. */
export class CommandFailure extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "CommandFailure";
  }
}
