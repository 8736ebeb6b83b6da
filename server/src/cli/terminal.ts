import type { Readable } from "node:stream";
import type { Ambient } from "../ambient.ts";
import { printableJson } from "./printable.ts";

/** A stream of text, and whether somebody reads it at a terminal, how wide that is. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/** What a command may touch of the process that runs it; `main.ts` makes the real one. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ambient: Ambient;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** For people and for `--json`: what the command was asked for, and nothing else. */
  readonly stdout: Output;
  /** Logs, prompts and refusals. */
  readonly stderr: NodeJS.WritableStream;
  /** Calls `listener` at each SIGINT and SIGTERM, instead of ending the process. */
  onStopSignal(listener: () => void): void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Exit codes of every command; `--help` of each and docs/command-line.md name them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  absent: 4,
  forbidden: 5,
  interrupted: 130,
  unread: 141,
} as const;

/** What each code of {@link EXIT} says. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: "done; of verify: the key is accepted",
  failed: "it could not be done, or not be decided; standard error says why",
  usage: "the command line was not understood, or lacks --yes",
  refused: "of verify: the key is refused",
  absent: "there is no such thing",
  forbidden: "the token is not accepted, or may not do this",
  interrupted: "ended by Ctrl-C; of serve: by a second signal",
  unread: "whoever read standard output has stopped reading",
};

/** A command that cannot do what it was asked. The message is the whole answer: people read it, without a stack. */
export class CommandFailure extends Error {
  /** One of {@link EXIT}. */
  readonly exitCode: number;

  constructor(message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options);
    this.name = "CommandFailure";
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}

/** Writes what a program asked for by `--json`: one document. */
export function writeJson({ stdout }: Terminal, value: unknown): void {
  stdout.write(`${printableJson(value)}\n`);
}
