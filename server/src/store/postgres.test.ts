import { afterAll, beforeAll } from "vitest";
import { startPostgres, type TestPostgres } from "../../test/postgres.ts";
import { testStore } from "../../test/store-suite.ts";
import { openPostgres } from "./postgres.ts";

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres.stop());

let made = 0;
const options = () => ({ randomId: () => `random_${++made}`, leaseMs: 10_000 });

testStore("postgres", async () => openPostgres(postgres.url(await postgres.migrated()), options()));
