import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import type { VerificationStatus } from "../domain/verification.ts";
import { listenForMetrics, type MetricsListener } from "./listener.ts";
import { createMetrics } from "./metrics.ts";

/** Every number another, so that none can stand in for its neighbour. */
const STATUS: VerificationStatus = {
  leaseRemainingMs: 9_250,
  renewals: 11,
  renewalsFailed: 2,
  joins: 3,
  appliedSeq: 40,
  headSeq: 44,
  keysHeld: 500,
  unknownHeld: 60,
  hits: 7_000,
  misses: 800,
  queriesAnswered: 77,
  queriesFailed: 13,
  below: 5,
  verdicts: {
    accepted: 901,
    no_credentials: 902,
    malformed: 903,
    wrong_kind: 904,
    unknown: 905,
    revoked: 906,
    expired: 907,
    type: 908,
    environment: 909,
  },
  verdictsLost: 31,
};

/** Every sample of our own, as written: name with labels → number. */
function samples(text: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line.startsWith("latchkey_"));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test("each number of the verification is told under its own name, in base units", async () => {
  const metrics = createMetrics({ status: () => STATUS, version: "1.2.3" });
  const told = samples(await metrics.text());
  const histogram = Object.keys(told).filter((name) =>
    /^latchkey_(revocation|verification)_seconds/.test(name),
  );
  for (const name of histogram) delete told[name];
  expect(told).toEqual({
    'latchkey_build_info{version="1.2.3"}': 1,
    latchkey_lease_remaining_seconds: 9.25,
    'latchkey_lease_renewals_total{outcome="ok"}': 11,
    'latchkey_lease_renewals_total{outcome="failed"}': 2,
    latchkey_node_joins_total: 3,
    latchkey_changes_behind: 4,
    latchkey_keys_held: 500,
    latchkey_unknown_held: 60,
    'latchkey_lookups_total{outcome="hit"}': 7_000,
    'latchkey_lookups_total{outcome="miss"}': 800,
    'latchkey_queries_total{outcome="ok"}': 77,
    'latchkey_queries_total{outcome="failed"}': 13,
    'latchkey_verifications_total{outcome="accepted"}': 901,
    'latchkey_verifications_total{outcome="no_credentials"}': 902,
    'latchkey_verifications_total{outcome="malformed"}': 903,
    'latchkey_verifications_total{outcome="wrong_kind"}': 904,
    'latchkey_verifications_total{outcome="unknown"}': 905,
    'latchkey_verifications_total{outcome="revoked"}': 906,
    'latchkey_verifications_total{outcome="expired"}': 907,
    'latchkey_verifications_total{outcome="incorrect_token_type"}': 908,
    'latchkey_verifications_total{outcome="environment_mismatch"}': 909,
    latchkey_usage_lost_total: 31,
    latchkey_verifiers_below: 5,
    latchkey_lapsed_nodes_total: 0,
  });
});

test("numbers are read anew each time, and counters never fall", async () => {
  let status = STATUS;
  const metrics = createMetrics({ status: () => status, version: "1.2.3" });
  await metrics.text();
  status = { ...STATUS, leaseRemainingMs: 0, hits: 7_001, queriesFailed: 14, headSeq: 39 };
  const told = samples(await metrics.text());
  expect(told).toMatchObject({
    latchkey_lease_remaining_seconds: 0,
    latchkey_changes_behind: 0,
    'latchkey_lookups_total{outcome="hit"}': 7_001,
    'latchkey_queries_total{outcome="ok"}': 77,
    'latchkey_queries_total{outcome="failed"}': 14,
  });
});

test("revocations are counted by their length, from a millisecond to a whole lease, with who was waited out", async () => {
  const metrics = createMetrics({ status: () => STATUS, version: "1.2.3" });
  for (const [tookMs, lapsed] of [
    [1, 0],
    [14, 0],
    [10_120, 2],
    [60_610, 1],
  ] as const)
    metrics.onRevocation({ tookMs, lapsed });
  const told = samples(await metrics.text());
  expect(told).toMatchObject({
    'latchkey_revocation_seconds_bucket{le="0.001"}': 1,
    'latchkey_revocation_seconds_bucket{le="0.01"}': 1,
    'latchkey_revocation_seconds_bucket{le="0.02"}': 2,
    'latchkey_revocation_seconds_bucket{le="5"}': 2,
    'latchkey_revocation_seconds_bucket{le="11"}': 3,
    'latchkey_revocation_seconds_bucket{le="61"}': 4,
    'latchkey_revocation_seconds_bucket{le="+Inf"}': 4,
    latchkey_revocation_seconds_count: 4,
    latchkey_lapsed_nodes_total: 3,
  });
  expect(told.latchkey_revocation_seconds_sum).toBeCloseTo(70.745);
});

test("verifications are told by their length, from a microsecond to two seconds", async () => {
  const metrics = createMetrics({ status: () => STATUS, version: "1.2.3" });
  for (const seconds of [0.000_000_9, 0.000_003, 0.004, 3]) metrics.onVerification(seconds);
  expect(samples(await metrics.text())).toMatchObject({
    'latchkey_verification_seconds_bucket{le="0.000001"}': 1,
    'latchkey_verification_seconds_bucket{le="0.000005"}': 2,
    'latchkey_verification_seconds_bucket{le="0.005"}': 3,
    'latchkey_verification_seconds_bucket{le="2"}': 3,
    latchkey_verification_seconds_count: 4,
  });
});

test("the process itself is told too: event loop, heap, garbage collection, start", async () => {
  const text = await createMetrics({ status: () => STATUS, version: "1.2.3" }).text();
  for (const name of [
    "nodejs_eventloop_lag_seconds",
    "nodejs_heap_size_used_bytes",
    "nodejs_gc_duration_seconds",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
  ])
    expect(text).toContain(`# TYPE ${name} `);
});

test("docs/operating.md explains exactly the metrics there are", async () => {
  const text = await createMetrics({ status: () => STATUS, version: "1.2.3" }).text();
  const told = [...text.matchAll(/^# TYPE (latchkey_\w+) (\w+)$/gm)].map(([, ...is]) => is);
  const page = readFileSync(new URL("../../../docs/operating.md", import.meta.url), "utf8");
  const explained = [...page.matchAll(/^\| `(latchkey_\w+)[^`]*` +\| (\w+) +\|/gm)];
  expect(explained.map(([, ...is]) => is).sort()).toEqual(told.sort());
});

const listeners: MetricsListener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

async function open(text: () => Promise<string>): Promise<{ url: string; log: string[] }> {
  const log: string[] = [];
  const logger = pino({}, { write: (line: string) => void log.push(line) });
  const metrics = { text, contentType: "text/plain; version=0.0.4; charset=utf-8" };
  const listener = await listenForMetrics({ metrics, port: 0, logger });
  listeners.push(listener);
  return { url: listener.url, log };
}

test("GET /metrics is all there is, with whatever query a collector puts there", async () => {
  const { url } = await open(async () => "latchkey_keys_held 1\n");
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  for (const path of ["", "?", "?collect[]=all"]) {
    const heard = await fetch(url + path);
    expect([heard.status, await heard.text()]).toEqual([200, "latchkey_keys_held 1\n"]);
    expect(heard.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(heard.headers.get("Cache-Control")).toBe("no-store");
  }
  const root = new URL(url).origin;
  for (const path of [
    "/",
    "/metric",
    "/metrics/",
    "/metrics/x",
    "/v1/authenticate",
    "/%6detrics",
  ]) {
    const heard = await fetch(root + path);
    expect(heard.status, path).toBe(404);
    expect(await heard.text()).not.toContain("latchkey_");
  }
  for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const heard = await fetch(url, { method });
    expect([heard.status, heard.headers.get("Allow")], method).toEqual([405, "GET"]);
    expect(await heard.text()).not.toContain("latchkey_");
  }
});

test("headers beyond the bound are refused, and the next scrape is answered", async () => {
  const { url } = await open(async () => "latchkey_keys_held 1\n");
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const asking = request(url, { headers: { "X-Long": "a".repeat(17 * 1024) } }, (res) => {
      res.resume();
      resolve(res.statusCode);
    });
    asking.on("error", reject).end();
  });
  expect(status).toBe(431);
  expect((await fetch(url)).status).toBe(200);
});

test("metrics that cannot be read are 500, say nothing, and are logged", async () => {
  const { url, log } = await open(() => Promise.reject(new Error("broken inside")));
  const heard = await fetch(url);
  expect([heard.status, await heard.text()]).toEqual([500, "The metrics could not be read.\n"]);
  expect(log.join("")).toContain("broken inside");
});

test("a port in use is an error that names the setting, the port and what to do", async () => {
  const { url } = await open(async () => "");
  const port = Number(new URL(url).port);
  const metrics = { text: async () => "", contentType: "text/plain" };
  await expect(
    listenForMetrics({ metrics, port, logger: pino({ level: "silent" }) }),
  ).rejects.toThrow(
    `LATCHKEY_METRICS_PORT: port ${port} on 127.0.0.1 is in use; stop what listens there, or choose another.`,
  );
});

test("closing ends a connection that is kept alive", async () => {
  const { url } = await open(async () => "");
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await listeners.pop()?.close();
  await ended;
  await expect(fetch(url)).rejects.toThrow();
});
