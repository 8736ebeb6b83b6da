import { randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ApiError, type Client, createClient } from "@latchkey/sdk/client";
import SqliteDatabase from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "./child.ts";
import {
  type FirstAccount,
  type RealServer,
  setUp,
  startServer,
  temporaryFolder,
} from "./real-server.ts";

const ROUNDS = 20;
const ISSUERS = 3;
/** A killed server's lease delays the next one's revocations by this much, so it is as short as it may be. */
const env = { LATCHKEY_LEASE_SECONDS: "1", LATCHKEY_LOG_LEVEL: "fatal" };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let first: FirstAccount;
beforeAll(async () => {
  folder = await temporaryFolder();
  first = await setUp({ dataFolder: folder.path });
});
afterAll(() => folder.remove());

interface Issued {
  readonly id: string;
  readonly token: string;
  revoke: "not asked" | "asked" | "answered";
}

/** Issues keys until the server is gone; a key's fate is what its caller was told. */
async function issueStorm(client: Client, issued: Issued[]): Promise<void> {
  await untilGone(async () => {
    const { id, api_key: token } = await client.apiKeys.create("production", { type: "secret" });
    issued.push({ id, token: token ?? "", revoke: "not asked" });
  });
}

/** Revokes every third key of `issued` from the `next` on, until the server is gone. */
async function revokeStorm(client: Client, issued: Issued[], next: number): Promise<void> {
  await untilGone(async () => {
    const key = issued[next];
    // Nothing to revoke yet: the server is asked all the same, for its end is noticed by asking.
    if (key === undefined) return void (await client.environments.list());
    next += 3;
    key.revoke = "asked";
    const { revoked_at } = await client.apiKeys.revoke(key.id);
    if (revoked_at !== null) key.revoke = "answered";
  });
}

async function untilGone(work: () => Promise<void>): Promise<void> {
  try {
    for (;;) await work();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 0) throw error;
  }
}

async function statusOf(server: RealServer, token: string): Promise<number> {
  const response = await fetch(`${server.url}/v1/authenticate`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  return response.status;
}

/** Asks about every key, some at a time, and names those that break a promise. */
async function broken(server: RealServer, keys: readonly Issued[]): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < keys.length; at += 50)
    await Promise.all(
      keys.slice(at, at + 50).map(async ({ id, token, revoke }) => {
        const status = await statusOf(server, token);
        if (revoke === "answered" && status !== 401) found.push(`${id} revoked, yet ${status}`);
        if (revoke === "not asked" && status !== 200) found.push(`${id} issued, yet ${status}`);
      }),
    );
  return found;
}

test(`SIGKILL in a storm of issue and revoke calls, ${ROUNDS} times, loses nothing that was answered`, async () => {
  const issued: Issued[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServer({ dataFolder: folder.path, env });
    expect(await broken(server, issued.slice(-300))).toEqual([]);
    const client = createClient({ url: server.url, token: first.service_token, retries: 0 });
    const storms = Promise.all([
      ...Array.from({ length: ISSUERS }, () => issueStorm(client, issued)),
      revokeStorm(client, issued, issued.length),
    ]);
    // Some rounds end while revocations still wait for the dead predecessor's lease, some after.
    await delay(round % 2 === 0 ? randomInt(30, 600) : randomInt(1_200, 1_600));
    await server.end("SIGKILL");
    await storms;
  }

  const server = await startServer({ dataFolder: folder.path, env });
  expect(await broken(server, issued)).toEqual([]);
  for (const fate of ["not asked", "asked", "answered"])
    expect(issued.filter((key) => key.revoke === fate).length, fate).toBeGreaterThan(5);

  // What a dead server committed and did not see through, the living one completes.
  const client = createClient({ url: server.url, token: first.service_token });
  const cut = issued.filter((key) => key.revoke === "asked");
  await waitFor(
    "every revocation to be effective",
    async () => {
      const keys = await Promise.all(cut.map(({ id }) => client.apiKeys.get(id)));
      const pending = keys.filter((key) => key.revocation?.state === "pending");
      return pending.length === 0 ? true : undefined;
    },
    { withinMs: 10_000, everyMs: 200 },
  );
  expect((await server.end("SIGTERM")).code).toBe(0);

  const database = new SqliteDatabase(join(folder.path, "latchkey.db"), { readonly: true });
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(database.pragma("foreign_key_check")).toEqual([]);
  database.close();
}, 600_000); // generous: twenty starts take as long as the machine needs

test("a revoked key stays refused across clean restarts, and a clean stop delays no revocation", async () => {
  let server = await startServer({ dataFolder: folder.path });
  let client = createClient({ url: server.url, token: first.service_token });
  const keys = [
    await client.apiKeys.create("production", { type: "secret" }),
    await client.apiKeys.create("production", { type: "secret" }),
  ] as const;
  const revoked = await client.apiKeys.revoke(keys[0].id);
  expect((await server.end("SIGTERM")).code).toBe(0);
  server = await startServer({ dataFolder: folder.path });
  client = createClient({ url: server.url, token: first.service_token });
  expect(await statusOf(server, keys[0].api_key ?? "")).toBe(401);
  expect((await client.apiKeys.get(keys[0].id)).revoked_at).toBe(revoked.revoked_at);
  const { revocation } = await client.apiKeys.revoke(keys[1].id);
  expect(revocation).toMatchObject({ state: "effective", acknowledged: 1, lapsed: 0 });
  await server.end("SIGTERM");
});
