import { Kysely, sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../test/postgres.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import { prepareSession, sessionSettings } from "./postgres-session.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());

/** The statements that a session keeps prepared after it was asked `distinct` different ones, each twice. */
async function preparedAfter(distinct: number, prepares: boolean): Promise<number> {
  const session = sessionSettings(postgres.url("postgres"), 10_000);
  const horizon = { seq: 0 };
  const db = new Kysely<Record<string, never>>({
    dialect: postgresDialect({ ...session, connectionsMax: 1, prepares, horizon }),
  });
  try {
    for (let index = 0; index < 2 * distinct; index++) {
      const asked = sql<{
        told: number;
      }>`select ${index}::int as told, ${sql.lit(index % distinct)}`;
      expect((await asked.execute(db)).rows[0]?.told).toBe(index);
    }
    const { rows } = await sql<{ name: string }>`select name from pg_prepared_statements`.execute(
      db,
    );
    return rows.length;
  } finally {
    await db.destroy();
  }
}

test("a connection that sends few different statements keeps them prepared, as many as are bounded", async () => {
  expect(await preparedAfter(3, true)).toBe(4); // and the one that asks
  expect(await preparedAfter(100, true)).toBe(64);
  expect(await preparedAfter(3, false)).toBe(0);
});

test("nothing is prepared where the backend is not the session's own, as behind a pooler", async () => {
  const settings = sessionSettings(postgres.url("postgres"), 10_000);
  const client = new pg.Client({ connectionString: settings.url });
  await client.connect();
  try {
    expect(await prepareSession(client, settings)).toEqual({ ownBackend: true });
    Object.assign(client, { processID: 1 }); // what a pooler tells: a number of its own
    expect(await prepareSession(client, settings)).toEqual({ ownBackend: false });
  } finally {
    await client.end();
  }
});
