import { join, resolve } from "node:path";
import type { Command } from "commander";
import { readSettings } from "../config.ts";
import { BackupExists, backUpSqlite, UnusableBackup } from "../store/backup.ts";
import { explain } from "./explain.ts";
import { CommandFailure, EXIT, type Terminal } from "./terminal.ts";

/** Describes `latchkey backup`. @param done Told the exit code. */
export function describeBackup(
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  command
    .command("backup <file>")
    .description("Copy the SQLite database while the server runs, and check the copy.")
    .option("--force", "replace the file when it is there")
    .addHelpText("after", HELP)
    .action(async (file: string, options: { force?: true }) =>
      done(await backUp(terminal, file, options.force === true)),
    );
}

async function backUp(terminal: Terminal, file: string, replace: boolean): Promise<number> {
  const { databaseUrl, dataFolder } = readSettings(terminal.env);
  if (databaseUrl !== null)
    throw new CommandFailure(
      "DATABASE_URL names a PostgreSQL database: back it up with pg_dump or by continuous archiving, as docs/operating.md says.",
    );
  const source = join(dataFolder, "latchkey.db");
  const bytes = await backUpSqlite({
    source,
    destination: resolve(file),
    replace,
    randomId: terminal.ambient.randomId("new"),
  }).catch((cause: unknown) => {
    throw new CommandFailure(explainBackup(cause, source, file), { cause });
  });
  terminal.stderr.write(
    `${file} holds the database as it was (${(bytes / 2 ** 20).toFixed(1)} MiB, checked). Keep ${join(dataFolder, "secret")} with it, or LATCHKEY_SECRET.\n`,
  );
  return EXIT.done;
}

function explainBackup(cause: unknown, source: string, file: string): string {
  if (cause instanceof BackupExists) return `${file} is there already; see --force.`;
  if (cause instanceof UnusableBackup) return `${source} ${cause.message}.`;
  if (cause instanceof Error && "code" in cause && cause.code === "SQLITE_CANTOPEN")
    return `There is no database ${source} that can be read; see LATCHKEY_DATA.`;
  return `The backup could not be made: ${explain(cause)}`;
}

const HELP = `
The copy is as the database was at one moment, is checked, and then takes its name at once. Nobody waits for it. To
restore it as one that revives no revoked key, see \`latchkey restore --help\`.

Examples:
  $ latchkey backup /mnt/elsewhere/latchkey-$(date +%F).db
  $ latchkey revocations export --append /mnt/elsewhere/revocations.jsonl
`;
