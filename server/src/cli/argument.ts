import { InvalidArgumentError, Option } from "commander";
import { duration, moment } from "./duration.ts";
import type { Terminal } from "./terminal.ts";

/** Tells the program the exit code of the command that ran. */
export type Done = (exitCode: number) => void;

/** An argument that is a number of things. @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new InvalidArgumentError("Takes a whole number from 1 on.");
  return Number(text);
}

/** `--json`, which every command spells alike. */
export const jsonOption = (): Option =>
  new Option("--json", "print exactly one JSON document on standard output");

/** `--yes`, of every command that asks. */
export const yesOption = (): Option => new Option("--yes", "do not ask; a program has to say so");

/** When something ends, as options say it. */
export interface EndOptions {
  readonly expiresIn?: number;
  readonly expiresAt?: string;
}

/** `--expires-in` and `--expires-at`. */
export const endOptions = (): [Option, Option] => [
  new Option("--expires-in <duration>", "how long it lives from now on, e.g. 90d")
    .argParser(duration)
    .conflicts("expiresAt"),
  new Option("--expires-at <time>", "when it ends, ISO 8601; a date is its first moment in UTC")
    .argParser(moment)
    .conflicts("expiresIn"),
];

/** The end that options name, as the API takes it. */
export function endOf(
  { ambient }: Pick<Terminal, "ambient">,
  { expiresIn, expiresAt }: EndOptions,
): string | undefined {
  return expiresIn === undefined ? expiresAt : new Date(ambient.nowMs() + expiresIn).toISOString();
}
