import { once } from "node:events";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type GivenSettings, readSettings } from "../config.ts";
import { openStore } from "../open-store.ts";
import type { Database } from "../store/engine.ts";
import { migrate } from "../store/migrations/migrate.ts";
import { readRecords } from "../store/restore-export.ts";
import { formatRecord, parseRecord, RECORD_CHARACTERS_MAX } from "../store/restore-record.ts";
import { openReadOnly } from "../store/restore-sqlite.ts";
import { explain } from "./explain.ts";
import { CommandFailure, EXIT, type Terminal } from "./terminal.ts";

/** The options of `latchkey revocations export`. */
interface ExportOptions {
  readonly after?: number;
  readonly append?: string;
}

/** Describes `latchkey revocations`. @param done Told the exit code. */
export function describeRevocations(
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  command
    .command("revocations")
    .description("Export what was taken away, so that no restored backup revives it.")
    .command("export")
    .description("Write everything that was revoked, deleted or suspended, as JSON lines.")
    .option(
      "--after <seq>",
      "only what came after this seq, that of the last line so far",
      seqOf,
      0,
    )
    .option("--append <file>", "go on at the end of this file, after its last line")
    .addHelpText("after", HELP)
    .action(async (options: ExportOptions) => done(await exportRevocations(terminal, options)));
}

/** Reads the database itself, so that it needs no token, and no server that runs. */
async function exportRevocations(terminal: Terminal, options: ExportOptions): Promise<number> {
  const settings = readSettings(terminal.env);
  const { db, close } = await open(settings, terminal).catch((cause: unknown) => {
    throw new CommandFailure(explain(cause, settings), { cause });
  });
  try {
    if (options.append === undefined) await print(db, options.after ?? 0, terminal);
    else terminal.stderr.write(`${await append(db, options.append)} lines were added.\n`);
  } finally {
    await close();
  }
  return EXIT.done;
}

async function open(
  settings: GivenSettings,
  terminal: Terminal,
): Promise<{ db: Database; close(): Promise<void> }> {
  if (settings.databaseUrl !== null) {
    const { db, store } = await openStore(settings, terminal.ambient);
    return { db, close: store.close };
  }
  const db = openReadOnly(join(settings.dataFolder, "latchkey.db"));
  try {
    await migrate(db, "sqlite"); // which only looks, when the database is of this release
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return { db, close: () => db.destroy() };
}

async function print(db: Database, after: number, { stdout }: Terminal): Promise<void> {
  for await (const record of readRecords(db, after))
    if (!stdout.write(`${formatRecord(record)}\n`)) await once(stdout, "drain");
}

/** Adds what is new to a file; a last line that was cut short, by a crash or a full disk, is written anew. */
async function append(db: Database, path: string): Promise<number> {
  const file = openSync(path, "a+", 0o600);
  try {
    const { size } = fstatSync(file);
    const { after, length } = lastLine(file, size, path);
    if (length < size) ftruncateSync(file, length);
    let added = 0;
    for await (const record of readRecords(db, after)) {
      writeSync(file, `${formatRecord(record)}\n`);
      added += 1;
    }
    fsyncSync(file);
    return added;
  } finally {
    closeSync(file);
  }
}

/** @returns The seq of the last whole line, and where the file ends after it. */
function lastLine(file: number, size: number, path: string): { after: number; length: number } {
  const bytes = Buffer.alloc(Math.min(size, 2 * RECORD_CHARACTERS_MAX));
  readSync(file, bytes, 0, bytes.length, size - bytes.length);
  const text = bytes.toString("latin1"); // one character for a byte; ids and seqs are ASCII
  const end = text.lastIndexOf("\n") + 1;
  const length = size - bytes.length + end;
  if (length === 0) return { after: 0, length };
  const line = bytes.subarray(text.lastIndexOf("\n", end - 2) + 1, end).toString("utf8");
  const last = parseRecord(line);
  if (last === undefined || end === 0)
    throw new CommandFailure(
      `The last line of ${path} was not written by this command. Nothing was added.`,
    );
  return { after: last.seq, length };
}

function seqOf(text: string): number {
  const seq = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(seq))
    throw new InvalidArgumentError("Takes the seq of a line, a whole number.");
  return seq;
}

const HELP = `
It reads the database of LATCHKEY_DATA or DATABASE_URL, beside a running server. Run it often, and keep what it writes
elsewhere than the database: \`latchkey restore\` does all of it again.

Examples:
  $ latchkey revocations export --append /mnt/elsewhere/revocations.jsonl
      adds what is new since the last time, e.g. every minute
  $ latchkey revocations export > revocations.jsonl
      everything; each line has its seq
`;
