/** Several real servers on one durable PostgreSQL: what only processes of their own can show. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnServer } from "./world.mjs";

const COMMAND = new URL("../server/bin/latchkey.js", import.meta.url).pathname;
const START_TIMEOUT_MS = 60_000;

/**
 * Takes the place of PostgreSQL's own function, for it is found first: nothing is announced any more, and nobody is
 * told so. Through a pooler in transaction mode it is the same.
 */
const MUTE = `
  create function public.pg_notify(text, text) returns void language sql as '';
  do $$ begin
    execute format('alter database %I set search_path = public, pg_catalog', current_database());
  end $$`;

/**
 * Sets an account up in a new database, and starts nodes on it.
 *
 * @param options.notify Whether changes are announced to the nodes.
 * @param options.linked Whether each node reaches the database over a link that can be cut.
 * @returns The nodes; a client of the database; the service and the verifier token; how many changes were announced so far; `stop`, and
 *   `atStop` for what must end before.
 */
export async function startFleet(postgres, { nodes, leaseSeconds, notify = true, linked = false }) {
  const undo = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const database = `bench_${randomBytes(4).toString("hex")}`;
    const admin = await postgres.connect("postgres");
    await admin.query(`create database ${database}`);
    await admin.end();
    const db = await postgres.connect(database);
    undo.push(() => db.end());
    if (!notify) await db.query(MUTE);
    const secret = randomBytes(24).toString("hex");
    const first = await setUp(environmentOf(postgres.url(database), secret, leaseSeconds));
    let announced = 0;
    db.on("notification", () => {
      announced += 1;
    });
    await db.query("listen latchkey_change");
    const started = [];
    for (let number = 0; number < nodes; number++) {
      const link = linked ? await openLink(postgres.port) : null;
      if (link !== null) undo.push(link.close);
      const url = new URL(postgres.url(database));
      if (link !== null) url.port = String(link.port);
      const env = environmentOf(url.href, secret, leaseSeconds);
      const start = () => spawnServer([COMMAND, "serve"], env);
      const node = { link, start, server: await start() };
      undo.push(() => node.server.stop());
      started.push(node);
    }
    const { service_token: token, verifier_token: verifierToken } = first;
    const atStop = (step) => undo.push(step);
    return { nodes: started, db, token, verifierToken, announced: () => announced, atStop, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function environmentOf(databaseUrl, secret, leaseSeconds) {
  const { PATH, HOME } = process.env; // nobody's settings but ours
  return {
    PATH,
    HOME,
    HOST: "127.0.0.1",
    PORT: "0",
    DATABASE_URL: databaseUrl,
    LATCHKEY_SECRET: secret,
    LATCHKEY_LEASE_SECONDS: String(leaseSeconds),
  };
}

function setUp(env) {
  const args = ["setup", "--email", "a@example.com", "--name", "A", "--account", "Acme"];
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [COMMAND, ...args, "--password-stdin", "--json"],
      { env, timeout: START_TIMEOUT_MS },
      (error, stdout) => (error === null ? resolve(JSON.parse(stdout)) : reject(error)),
    );
    child.stdin.end(`${randomBytes(12).toString("hex")}\n`);
  });
}

/** One node on SQLite in a folder of its own, as {@link startFleet} gives it, but for the database's client. */
export async function startOnSqlite({ leaseSeconds }) {
  const undo = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    const { PATH, HOME } = process.env; // nobody's settings but ours
    const listens = { HOST: "127.0.0.1", PORT: "0", LATCHKEY_LEASE_SECONDS: String(leaseSeconds) };
    const env = { PATH, HOME, LATCHKEY_DATA: folder, ...listens };
    const { service_token: token, verifier_token: verifierToken } = await setUp(env);
    const server = await spawnServer([COMMAND, "serve"], env);
    undo.push(server.stop);
    return { nodes: [{ server }], token, verifierToken, atStop: (step) => undo.push(step), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A way to the database that can fall silent: nothing passes, nothing is closed, and nobody is told. */
async function openLink(targetPort) {
  const sockets = new Set();
  let isCut = false;
  const server = createServer((client) => {
    const upstream = connect(targetPort, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(from);
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => {}); // its end follows
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      if (isCut) from.pause();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.pause();
    },
    heal() {
      isCut = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
