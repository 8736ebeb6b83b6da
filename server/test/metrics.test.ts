import { createServer } from "node:net";
import { createClient } from "@latchkey/sdk/client";
import { digestToken } from "@latchkey/sdk/core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startLatchkey, temporaryFolder } from "./real-server.ts";
import { startTestService } from "./service.ts";

type Service = Awaited<ReturnType<typeof startTestService>>;
let service: Service;
let metricsUrl: string;
beforeAll(async () => {
  service = await startTestService({ LATCHKEY_METRICS_PORT: "0" });
  metricsUrl = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(service.logged())?.[0] ?? "";
});
afterAll(() => service?.close());

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const scrape = async (): Promise<string> => (await fetch(metricsUrl)).text();

/** One of our own samples, by its name with its labels. */
async function sample(name: string): Promise<number> {
  const text = await scrape();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`no sample ${name} in\n${text}`);
  return Number(line.slice(name.length + 1));
}

const authenticate = async (token: string): Promise<number> =>
  (await fetch(`${service.url}/v1/authenticate`, { headers: { Authorization: `Bearer ${token}` } }))
    .status;

test("what a server did is in its metrics: look-ups, what it holds, its lease, its revocations", async () => {
  const client = createClient({ url: service.url, token: service.provisioned.service_token });
  const { api_key: token = "", id } = await client.apiKeys.create("production", { type: "secret" });
  const misses = await sample('latchkey_lookups_total{outcome="miss"}');
  const hits = await sample('latchkey_lookups_total{outcome="hit"}');
  const held = await sample("latchkey_keys_held");
  for (let count = 0; count < 3; count += 1) expect(await authenticate(token)).toBe(200);
  expect(await sample('latchkey_lookups_total{outcome="miss"}')).toBe(misses + 1);
  expect(await sample('latchkey_lookups_total{outcome="hit"}')).toBe(hits + 2);
  expect(await sample("latchkey_keys_held")).toBe(held + 1);

  expect(await sample("latchkey_revocation_seconds_count")).toBe(0);
  await client.apiKeys.revoke(id);
  expect(await sample("latchkey_revocation_seconds_count")).toBe(1);
  expect(await sample('latchkey_revocation_seconds_bucket{le="5"}')).toBe(1);
  expect(await sample("latchkey_lapsed_nodes_total")).toBe(0);
  expect(await sample("latchkey_keys_held")).toBe(held);

  expect(await sample("latchkey_lease_remaining_seconds")).toBeGreaterThan(0);
  expect(await sample("latchkey_node_joins_total")).toBe(1);
  expect(await sample("latchkey_changes_behind")).toBe(0);
  expect(await sample('latchkey_lease_renewals_total{outcome="ok"}')).toBeGreaterThan(0);
  expect(await sample('latchkey_lease_renewals_total{outcome="failed"}')).toBe(0);
  expect(await sample('latchkey_build_info{version="0.0.0"}')).toBe(1);
});

test("no token, digest, key or account is in the metrics, and they are nowhere but on their own port", async () => {
  const { provisioned } = service;
  for (const { secret_key } of provisioned.environments) await authenticate(secret_key);
  const text = await scrape();
  const secrets = JSON.stringify(provisioned).match(/[a-z]{2}_[0-9A-Za-z]{36}/g) ?? [];
  expect(secrets.length).toBeGreaterThan(4);
  for (const token of secrets) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(digestToken(token));
  }
  expect(text).not.toMatch(/(?:key|acc|env|tok|per|node)_[0-9A-Za-z]{20,}|acme|ada@/i);
  expect(await (await fetch(`${service.url}/metrics`)).text()).not.toContain("latchkey_keys_held");
});

test("without the setting there are no metrics", async () => {
  const other = await startTestService();
  undo.push(other.close);
  expect(other.logged()).toContain("listening");
  expect(other.logged()).not.toContain("/metrics");
});

test("a port that is taken stops the start, in one line that names the setting", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  undo.push(() => new Promise((resolve) => taken.close(resolve)));
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const folder = await temporaryFolder();
  undo.push(folder.remove);
  const child = startLatchkey(["serve"], {
    LATCHKEY_DATA: folder.path,
    PORT: "0",
    LATCHKEY_METRICS_PORT: String(port),
    LATCHKEY_LOG_LEVEL: "error",
  });
  undo.push(() => child.end("SIGKILL"));
  expect((await child.ended).code).toBe(1);
  expect(child.stderr()).toContain(
    `LATCHKEY_METRICS_PORT: port ${port} on 127.0.0.1 is in use; stop what listens there, or choose another.`,
  );
  expect(child.stderr()).not.toMatch(/\n\s+at |PORT\./); // neither a stack nor the advice for the API's own port
  expect(child.stdout()).not.toContain("listens on");
});
