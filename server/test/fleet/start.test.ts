import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../postgres.ts";
import { type RealServer, startServer, temporaryFolder } from "../real-server.ts";

const SECRET = "a secret of the tests, 32 characters or more";

let postgres: TestPostgres;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const running: RealServer[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres();
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.end("SIGKILL");
});
afterAll(async () => {
  await postgres?.stop();
  await folder?.remove();
});

async function start(database: string): Promise<RealServer> {
  const env = { DATABASE_URL: postgres.url(database), LATCHKEY_SECRET: SECRET };
  const server = await startServer({ dataFolder: folder.path, env });
  running.push(server);
  return server;
}

/** Everything in a database that a start could touch. */
async function contentsOf(database: string): Promise<unknown> {
  const [tables, migrations, clock, nodes, links] = await Promise.all(
    [
      "select table_name from information_schema.tables where table_schema = 'public' order by 1",
      "select * from kysely_migration order by name",
      "select * from change_clock",
      "select * from node",
      "select * from setup_link",
    ].map((sql) => postgres.run(sql, database)),
  );
  return { tables, migrations, clock, nodes, links };
}

test("nodes that are started in the same moment on an empty database all come up", async () => {
  const database = await postgres.empty();
  const nodes = await Promise.all([start(database), start(database), start(database)]);
  for (const { url } of nodes) {
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/v1/setup`)).json()).toMatchObject({ state: "open" });
  }
  expect(await postgres.run("select count(*)::int as nodes from node", database)).toEqual([
    { nodes: nodes.length },
  ]);
});

test("a database that a newer release migrated is refused, says so, and is left alone", async () => {
  const database = await postgres.migrated();
  await postgres.run(
    "insert into kysely_migration values ('9999-of-a-newer-release', '2099-01-01')",
    database,
  );
  const before = await contentsOf(database);
  const refused = await start(database).then(
    () => "it started",
    (error: Error) => error.message,
  );
  expect(refused).toMatch(/newer latchkey.*9999-of-a-newer-release/);
  expect(refused).not.toContain(SECRET);
  expect(refused).not.toContain(new URL(postgres.url(database)).password);
  expect(await contentsOf(database)).toEqual(before);
});
