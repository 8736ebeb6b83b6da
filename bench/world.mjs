/** A real store with many keys in a folder of its own, and the real verifier on it. */
import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import SqliteDatabase from "better-sqlite3";
import { BASE62, digestToken, tokenChecksum } from "../sdk/dist/core.js";

const COMMAND = new URL("../server/bin/latchkey.js", import.meta.url).pathname;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

/** The keys that a benchmark warms belong to this type and environment. */
export const ASK = { types: ["secret"], environment: "production" };

/** The same tokens in every process, without handing them over. `kind` tells stored ones from made-up ones. */
export function tokenOf(index, kind = "stored") {
  const bytes = createHash("sha256").update(`${kind} ${index}`).digest();
  let body = "sk_";
  for (let place = 0; place < 30; place++) body += BASE62[bytes[place] % 62];
  return flat(body + tokenChecksum(body));
}

/** The header as node:http hands it over: one flat string, not a concatenation that its first reader pays for. */
export function headerOf(token) {
  return flat(`Bearer ${token}`);
}

function flat(text) {
  return Buffer.from(text, "latin1").toString("latin1");
}

/**
 * Sets a server up in a new temporary folder and stores `stored` secret keys in its production environment: the first
 * `known` have the tokens of {@link tokenOf}, the others random digests.
 *
 * @returns The folder; {@link removeWorld} removes it.
 */
export async function makeWorld(stored, known = 1_000) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  try {
    const { account, environments } = await setUp(folder);
    const environment = environments.find(({ slug }) => slug === ASK.environment);
    fill(folder, account, environment, stored, Math.min(known, stored));
    return folder;
  } catch (error) {
    removeWorld(folder);
    throw error;
  }
}

/** The account and the environment that the keys of a folder belong to. */
export function factsOf(folder) {
  const db = new SqliteDatabase(join(folder, "latchkey.db"), { readonly: true });
  const account = db.prepare("select id, slug from account").get();
  const environment = db
    .prepare("select id, slug from environment where slug = ?")
    .get(ASK.environment);
  db.close();
  return { account, environment };
}

export function removeWorld(folder) {
  rmSync(folder, { recursive: true, force: true });
}

function setUp(folder) {
  const args = ["setup", "--email", "a@example.com", "--name", "A", "--account", "Acme"];
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [COMMAND, ...args, "--password-stdin", "--json"],
      { env: environmentOf(folder), timeout: START_TIMEOUT_MS },
      (error, stdout) => (error === null ? resolve(JSON.parse(stdout)) : reject(error)),
    );
    child.stdin.end(`${randomBytes(12).toString("hex")}\n`);
  });
}

function environmentOf(folder) {
  const { PATH, HOME } = process.env; // nobody's settings but ours
  return { PATH, HOME, LATCHKEY_DATA: folder, HOST: "127.0.0.1", PORT: "0" };
}

function fill(folder, account, environment, stored, known) {
  const db = new SqliteDatabase(join(folder, "latchkey.db"));
  const insert = db.prepare(
    `insert into api_key (id, environment_id, type, digest, hint, description, metadata, search_text, created_at,
      created_by_type, created_by_id, created_by_name)
      values (?, ?, 'secret', ?, 'sk_…0000', '', '{}', '', ?, 'operator', ?, 'bench')`,
  );
  const atMs = Date.now();
  db.transaction(() => {
    for (let index = 0; index < stored; index++) {
      const id = `key_${index.toString(16).padStart(32, "0")}`;
      const digest =
        index < known ? Buffer.from(digestToken(tokenOf(index)), "base64url") : randomBytes(32);
      insert.run(id, environment.id, digest, atMs, account.id);
    }
  })();
  db.pragma("wal_checkpoint(truncate)");
  db.close();
}

/** The clocks, randomness and timers of server/src/main.ts, which cannot be imported: it is the program. */
function realAmbient() {
  let ids = 0;
  const nextId = (prefix) => `${prefix}_${String(++ids).padStart(24, "0")}`;
  return {
    nowMs: () => Date.now(),
    monoMs: () => performance.now(),
    randomBytes,
    sortableId: nextId,
    randomId: (prefix) => `${prefix}_${randomBytes(12).toString("hex")}`,
    soon: (task) => {
      setImmediate(task);
    },
    after(ms, task) {
      const timer = setTimeout(task, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

/** The server's verification, in this process, under a lease of its own. */
export async function openVerification(folder) {
  const [{ openSqlite }, { createVerification }] = await Promise.all([
    import("../server/dist/store/sqlite.js"),
    import("../server/dist/domain/verification.js"),
  ]);
  const ambient = realAmbient();
  const randomId = () => ambient.randomId("row");
  const { store } = await openSqlite(join(folder, "latchkey.db"), { randomId });
  const silent = () => {};
  const logger = { debug: silent, info: silent, warn: console.error, error: console.error };
  const verification = createVerification({
    store,
    ambient,
    logger,
    leaseMs: 10_000,
    label: "bench",
  });
  await verification.start();
  return {
    verify: verification.verify,
    async close() {
      await verification.stop();
      await store.close();
    },
  };
}

/**
 * Starts the real server on a folder.
 *
 * @param flags For Node, e.g. `--cpu-prof`.
 * @returns Its address, its process id, `readyMs` from the spawn until `/readyz` answered 200, and `stop`.
 */
export async function startServer(folder, flags = []) {
  const startedMs = performance.now();
  const server = await spawnServer([...flags, COMMAND, "serve"], environmentOf(folder));
  const ready = await fetch(`${server.url}/readyz`);
  const readyMs = performance.now() - startedMs;
  if (ready.status !== 200) {
    await server.stop();
    throw new Error(`/readyz answered ${ready.status}`);
  }
  return { ...server, readyMs };
}

/** Spawns a server that says on standard output where it listens, and stops on SIGTERM. */
export async function spawnServer(args, env) {
  const stdio = ["ignore", "pipe", "ignore"];
  const child = spawn(process.execPath, args, { env, stdio });
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(force);
  };
  const giveUp = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (url === undefined) continue;
    clearTimeout(giveUp);
    child.stdout.resume();
    return { url, pid: child.pid, stop };
  }
  clearTimeout(giveUp);
  throw new Error("the server ended before it listened");
}
