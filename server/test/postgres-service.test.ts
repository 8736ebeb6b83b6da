import assert from "node:assert/strict";
import { Writable } from "node:stream";
import type { ProvisionedJson } from "@latchkey/sdk/client";
import { afterAll, beforeAll, test } from "vitest";
import { readSettings } from "../src/config.ts";
import { openLog } from "../src/log.ts";
import { startService } from "../src/service.ts";
import { PASSWORD, startPostgres, type TestPostgres } from "./postgres.ts";
import { realAmbient } from "./service.ts";

const OWNER = { email: "ada@example.com", password: "correct horse battery staple" };

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres.stop());

test("two nodes on one PostgreSQL: what one revokes the other refuses when the call returns", async () => {
  const log: string[] = [];
  const start = async (database: string) => {
    const { secret, ...given } = readSettings({
      PORT: "0",
      DATABASE_URL: postgres.url(database),
      LATCHKEY_SECRET: "a secret of the tests, 32 characters or more",
    });
    assert(secret !== null);
    const stream = new Writable({
      write(chunk, _encoding, done) {
        log.push(String(chunk));
        done();
      },
    });
    const logger = openLog("trace", stream);
    return startService({
      settings: { ...given, secret },
      ambient: realAmbient(),
      logger,
      version: "0.0.0",
    });
  };
  const database = await postgres.empty();
  const [here, there] = await Promise.all([start(database), start(database)]);
  const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const setup = await post(`${here.url}/v1/setup`, {
    setup_secret: await here.setup.openLink(),
    name: "Ada",
    ...OWNER,
    account: { name: "Acme" },
  });
  assert.equal(setup.status, 201);
  const first: ProvisionedJson = JSON.parse(await setup.text());

  const signIn = await post(`${there.url}/auth/sign-in/email`, OWNER, { Origin: there.url });
  assert.equal(signIn.status, 200, await signIn.clone().text());

  const status = async (url: string, key: string) =>
    (await fetch(`${url}/v1/authenticate`, { headers: { Authorization: `Bearer ${key}` } })).status;
  const service = { Authorization: `Bearer ${first.service_token}` };
  for (let round = 0; round < 5; round++) {
    const made = await post(
      `${here.url}/v1/api_keys?environment=production`,
      { type: "secret" },
      service,
    );
    const { id, api_key: key }: { id: string; api_key: string } = JSON.parse(await made.text());
    for (const { url } of [here, there]) assert.equal(await status(url, key), 200);
    const revoked = await post(`${here.url}/v1/api_keys/${id}/revoke`, {}, service);
    assert.deepEqual([await status(there.url, key), await status(here.url, key)], [401, 401]);
    const { revocation } = JSON.parse(await revoked.text());
    assert.equal(revocation.acknowledged, 2);
    assert.equal(revocation.lapsed, 0);
  }
  await here.close();
  await there.close();
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)])
    assert(!log.join("").includes(secret));
});
