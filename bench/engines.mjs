/** A real server with many keys on either engine, and what it answers over HTTP. */
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { digestToken, tokenChecksum } from "../sdk/dist/core.js";
import { startFleet } from "./fleet.mjs";
import { ASK, factsOf, makeWorld, removeWorld, startServer } from "./world.mjs";

/** By the engine's name, what opens it with so many keys in one environment. */
export function openers(postgres) {
  return { SQLite: sqliteEngine, PostgreSQL: (keys) => postgresEngine(postgres, keys) };
}

/** A real server's folder or database with so many keys, and ways to fill it and to start the server on it. */
async function sqliteEngine(keys) {
  const folder = await makeWorld(keys, 0);
  const path = join(folder, "latchkey.db");
  const { account } = factsOf(folder);
  const token = serviceToken();
  const run = (...statements) => {
    const db = new SqliteDatabase(path);
    try {
      return statements.map((sql) => {
        const statement = db.prepare(sql);
        return statement.reader ? statement.all() : statement.run();
      });
    } finally {
      db.close();
    }
  };
  run(insertToken(token, account.id, `x'${digestOf(token)}'`));
  return {
    query: async (sql) => run(sql)[0],
    worker: { path },
    async start() {
      const { url, stop } = await startServer(folder);
      return { url, token, stop };
    },
    stop: async () => removeWorld(folder),
  };
}

async function postgresEngine(postgres, keys) {
  const fleet = await startFleet(postgres, { nodes: 1, leaseSeconds: 10 });
  const { db, nodes, token } = fleet;
  const query = async (sql) => (await db.query(sql)).rows;
  await query(`insert into api_key (id, environment_id, type, digest, hint, description, metadata,
        search_text, created_at, created_by_type, created_by_id, created_by_name)
      select 'key_' || lpad(to_hex(n - 1), 32, '0'), environment.id, 'secret',
        decode(md5('a' || n) || md5('b' || n), 'hex'), 'sk_…0000', '', '{}', '', ${Date.now()},
        'operator', 'bench', 'bench'
      from generate_series(1, ${keys}) as n, environment where slug = '${ASK.environment}'`);
  await query("analyze");
  return {
    query,
    worker: { url: postgres.url(db.database) },
    start: async () => ({ url: nodes[0].server.url, token, stop: async () => {} }),
    stop: fleet.stop,
  };
}

function serviceToken() {
  const body = `st_${"b".repeat(30)}`;
  return body + tokenChecksum(body);
}

function digestOf(token) {
  return Buffer.from(digestToken(token), "base64url").toString("hex");
}

function insertToken(token, accountId, digest) {
  return `insert into access_token (id, kind, account_id, name, digest, hint, created_at,
      created_by_type, created_by_id, created_by_name)
    values ('tok_bench', 'service', '${accountId}', 'bench', ${digest}, '${token.slice(-4)}', 1,
      'operator', 'bench', 'bench')`;
}

/** Milliseconds on the wall from asking until the answer was read. */
export async function ask(url, token) {
  const fromMs = performance.now();
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const answer = await response.json();
  const tookMs = performance.now() - fromMs;
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  return { tookMs, answer };
}

export function spread(numbers) {
  return [quantile(numbers, 0.5), quantile(numbers, 0.95), Math.max(...numbers)].map((ms) =>
    ms.toFixed(1),
  );
}

export function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
