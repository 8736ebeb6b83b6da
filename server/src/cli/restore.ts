import { join } from "node:path";
import type { Command } from "commander";
import { type GivenSettings, readSettings } from "../config.ts";
import { UnusableBackup } from "../store/backup.ts";
import { LONGEST_LEASE_MS, type Revival } from "../store/restore.ts";
import { NodesAlive, restorePostgres } from "../store/restore-postgres.ts";
import {
  DatabaseOpen,
  NothingTells,
  type RestoreStep,
  restoreSqlite,
} from "../store/restore-sqlite.ts";
import { explain } from "./explain.ts";
import { checkExported, type Exported } from "./exported.ts";
import { printable } from "./printable.ts";
import { CommandFailure, EXIT, type Terminal, writeJson } from "./terminal.ts";

/** The options of `latchkey restore`. */
interface RestoreOptions {
  readonly revocations?: readonly string[];
  readonly withoutRevocations?: true;
  readonly json?: true;
}

/** Describes `latchkey restore`. @param done Told the exit code. */
export function describeRestore(
  command: Command,
  terminal: Terminal,
  done: (exitCode: number) => void,
): void {
  command
    .command("restore [file]")
    .description("Put a backup in place as one that revives nothing. The server must be stopped.")
    .option("--revocations <jsonl...>", "what `latchkey revocations export` wrote since the backup")
    .option(
      "--without-revocations",
      "go on where nothing tells what was revoked since the backup: IT IS VALID AGAIN",
    )
    .option("--json", "print exactly one JSON document on standard output")
    .addHelpText("after", HELP)
    .action(async (file: string | undefined, options: RestoreOptions) =>
      done(await restore(terminal, file, options)),
    );
}

async function restore(
  terminal: Terminal,
  file: string | undefined,
  options: RestoreOptions,
): Promise<number> {
  const settings = readSettings(terminal.env);
  const exported =
    options.revocations === undefined ? null : await checkExported(options.revocations);
  const restored = await (settings.databaseUrl === null
    ? intoSqlite(terminal, settings, file, exported, options)
    : intoPostgres(terminal, settings.databaseUrl, file, exported, options)
  ).catch((cause: unknown) => {
    if (cause instanceof CommandFailure) throw cause;
    throw new CommandFailure(explainRestore(cause, settings, file), { cause });
  });
  if (options.json === true) writeJson(terminal, restored.json);
  // Ids are of a file that anybody may have written.
  else terminal.stdout.write(`${restored.lines.map(printable).join("\n")}\n`);
  return EXIT.done;
}

/** What is printed of it. */
interface Told {
  readonly json: object;
  readonly lines: readonly string[];
}

const STEPS: Readonly<Record<RestoreStep, string>> = {
  checked: "The backup is whole.",
  revived: "What was taken away since then is taken away from it.",
  "put aside": "The database of before has a name of its own.",
  done: "The backup is in its place.",
};

async function intoSqlite(
  { ambient, stderr }: Terminal,
  { dataFolder }: GivenSettings,
  file: string | undefined,
  exported: Exported | null,
  { withoutRevocations }: RestoreOptions,
): Promise<Told> {
  if (file === undefined)
    throw new CommandFailure("Which backup? `latchkey restore <file>`.", { exitCode: EXIT.usage });
  const restored = await restoreSqlite({
    file,
    path: join(dataFolder, "latchkey.db"),
    exported,
    reviving: withoutRevocations === true,
    nowMs: ambient.nowMs(),
    randomId: () => ambient.randomId("row"),
    sortableId: ambient.sortableId,
    onStep: (step) => void stderr.write(`${STEPS[step]}\n`),
  });
  const { keptAside, untold } = restored;
  return {
    json: { ...jsonOf(restored), kept_aside: keptAside },
    lines: [
      ...linesOf(restored),
      ...(untold === null ? [] : [`Of revocations only the export told: ${untold}.`]),
      ...(keptAside === null ? [] : [`The database of before is ${keptAside}.`]),
      "Start the server with: latchkey serve",
    ],
  };
}

async function intoPostgres(
  { ambient, stderr }: Terminal,
  url: string,
  file: string | undefined,
  exported: Exported | null,
  { withoutRevocations }: RestoreOptions,
): Promise<Told> {
  if (file !== undefined)
    throw new CommandFailure(
      "DATABASE_URL names a PostgreSQL database: bring it back with pg_restore or to a point in time, and then run this command without a file.",
    );
  if (exported === null && withoutRevocations !== true)
    throw new NothingTells("a restored PostgreSQL database does not tell");
  const restored = await restorePostgres({
    url,
    exported,
    leaseMs: LONGEST_LEASE_MS,
    randomId: () => ambient.randomId("row"),
    sortableId: ambient.sortableId,
    onWatch: (ms) =>
      void stderr.write(`Watching for ${Math.ceil(ms / 1_000)} s whether any node is alive.\n`),
  });
  return { json: jsonOf(restored), lines: linesOf(restored) };
}

function jsonOf(restored: Revival) {
  return {
    seq: restored.seq,
    applied: restored.applied,
    known: restored.known,
    unknown: restored.unknown,
    unknown_ids: restored.unknownIds,
    suspended_accounts: restored.suspended,
    sessions_ended: restored.sessions,
    first_revocation_may_wait_ms: restored.waitMs,
  };
}

function linesOf(restored: Revival): string[] {
  const { known, unknown, unknownIds, suspended, sessions, waitMs } = restored;
  const applied = Object.entries(restored.applied).filter(([, count]) => count > 0);
  return [
    "Restored.",
    ...applied.map(([deed, count]) => `  ${deed}: ${count} done again`),
    `  ${known} were done in the backup already`,
    ...(unknown === 0
      ? []
      : [`  ${unknown} to what the backup does not have: ${unknownIds.join(", ")}`]),
    ...(suspended.length === 0
      ? []
      : [`  suspended (should that have been lifted, lift it again): ${suspended.join(", ")}`]),
    `  ${sessions} sign-ins ended`,
    ...(waitMs === 0
      ? []
      : [`The first revocation may take up to ${Math.ceil(waitMs / 1_000)} s: leases of before.`]),
  ];
}

function explainRestore(cause: unknown, settings: GivenSettings, file: string | undefined): string {
  if (cause instanceof UnusableBackup) return `${file} ${cause.message}. Nothing was restored.`;
  if (cause instanceof NothingTells)
    return `Nothing tells which keys were revoked since the backup (${cause.message}). Give --revocations <jsonl>, or --without-revocations to have them valid again. Nothing was restored.`;
  if (cause instanceof DatabaseOpen)
    return `Another program has the database in ${settings.dataFolder} open; close it first. Nothing was restored.`;
  if (cause instanceof NodesAlive)
    return `Stop every node first; these renew their leases: ${cause.labels.map(printable).join(", ")}. Nothing was restored.`;
  return `${explain(cause, settings)} Nothing was restored.`;
}

const HELP = `
A database that is put back by other means revives every key that was revoked since. This command puts the backup in
place as one in which everything is taken away again that was taken away since then: by what the database in
LATCHKEY_DATA tells, when it can still be read, and by what was exported. That database is kept aside. Killed at any
moment, it leaves the old one or the new one.

With DATABASE_URL it takes no file: bring PostgreSQL back by its own means, with every node stopped, and run it then.

Examples:
  $ latchkey restore /mnt/elsewhere/latchkey-2026-11-01.db --revocations /mnt/elsewhere/revocations.jsonl
  $ DATABASE_URL=postgres://… latchkey restore --revocations /mnt/elsewhere/revocations.jsonl
`;
