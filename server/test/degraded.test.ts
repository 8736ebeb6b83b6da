import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tokenMaker } from "../src/domain/tokens.ts";
import { waitFor } from "./child.ts";
import { type Fleet, type FleetNode, startFleet } from "./fleet.ts";

const LEASE_MS = 1_000;

/** Well-formed, and nobody's: only the store can tell. */
const NOBODYS = tokenMaker(randomBytes, null)("sk").token;

/** Longer than a look-up or a health check may take: the bound is 2 s. */
const ANSWER_WITHIN_MS = 4_000;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({
    leaseSeconds: [LEASE_MS / 1_000, LEASE_MS / 1_000],
    env: { LATCHKEY_METRICS_PORT: "0", LATCHKEY_LOG_LEVEL: "info" },
  });
});
afterAll(() => fleet?.stop());

const node = (index: number): FleetNode => {
  const found = fleet.nodes[index];
  if (found === undefined) throw new Error(`no node ${index}`);
  return found;
};

const ask = (of: FleetNode, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(of.url + path, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });

const authenticate = (of: FleetNode, token: string): Promise<Response> =>
  ask(of, "/v1/authenticate", { headers: { Authorization: `Bearer ${token}` } });

/** The node's own metrics: name with labels → number. */
async function metrics(of: FleetNode): Promise<(name: string) => number> {
  const url = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(of.server().stderr())?.[0];
  if (url === undefined) throw new Error("the log does not say where the metrics are");
  const text = await (await fetch(url)).text();
  return (name) => {
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no metric ${name} in\n${text}`);
    return Number(line.slice(name.length + 1));
  };
}

const until = (of: FleetNode, ready: boolean): Promise<true> =>
  waitFor(`the node to be ${ready ? "ready" : "degraded"}`, async () =>
    (await ask(of, "/readyz")).ok === ready ? true : undefined,
  );

test("a node cut off from the store neither accepts nor refuses, says so everywhere, and recovers by itself", async () => {
  const [cutOff, other] = [node(0), node(1)];
  const token = fleet.first.environments[0]?.secret_key ?? "";
  expect((await authenticate(cutOff, token)).status).toBe(200);
  const before = await metrics(cutOff);
  expect(before("latchkey_lease_remaining_seconds")).toBeGreaterThan(0);
  expect(before("latchkey_lease_remaining_seconds")).toBeLessThanOrEqual(LEASE_MS / 1_000);

  cutOff.link.cut("both");
  try {
    await until(cutOff, false);
    for (const presented of [token, NOBODYS]) {
      const undecided = await authenticate(cutOff, presented);
      expect(undecided.status).toBe(503);
      expect(undecided.headers.get("Retry-After")).toBe("1");
      expect(undecided.headers.get("Cache-Control")).toBe("no-store");
      expect(undecided.headers.get("X-Latchkey-Code")).toBe("verification_unavailable");
      expect(undecided.headers.has("X-Latchkey-Account")).toBe(false);
      expect(undecided.headers.has("WWW-Authenticate")).toBe(false);
      expect(await undecided.json()).toEqual({
        code: "verification_unavailable",
        message: expect.any(String),
        status: 503,
        type: "api_error",
        request_id: undecided.headers.get("X-Request-Id"),
      });
    }
    // What needs no store is decided all the same.
    expect((await authenticate(cutOff, "sk_nonsense")).status).toBe(401);
    expect((await ask(cutOff, "/healthz")).status).toBe(200);

    const notReady = await ask(cutOff, "/readyz");
    expect(notReady.status).toBe(503);
    expect(notReady.headers.get("Retry-After")).toBe("1");
    expect(notReady.headers.get("Cache-Control")).toBe("no-store");
    expect(await notReady.json()).toMatchObject({ code: "service_unavailable", status: 503 });
    const head = await ask(cutOff, "/readyz", { method: "HEAD" });
    expect([head.status, head.headers.get("Retry-After")]).toEqual([503, "1"]);

    const during = await metrics(cutOff);
    expect(during("latchkey_lease_remaining_seconds")).toBe(0);
    expect(during('latchkey_queries_total{outcome="failed"}')).toBeGreaterThan(0);
    await waitFor("a renewal to fail", async () => {
      const now = await metrics(cutOff);
      return now('latchkey_lease_renewals_total{outcome="failed"}') > 0 || undefined;
    });
    // It is this node's trouble alone.
    expect((await authenticate(other, token)).status).toBe(200);
  } finally {
    cutOff.link.heal();
  }
  await until(cutOff, true);
  expect((await authenticate(cutOff, token)).status).toBe(200);
  expect((await authenticate(cutOff, NOBODYS)).status).toBe(401);
  await waitFor("the lease to run again", async () => {
    const now = await metrics(cutOff);
    return now("latchkey_lease_remaining_seconds") > 0 || undefined;
  });
});

test("a revocation that had to outlive a node is told as such, in the answer and in metrics", async () => {
  const [alive, paused] = [node(0), node(1)];
  const key = await alive.client.apiKeys.create("production", { type: "secret" });
  const token = key.api_key ?? "";
  expect((await authenticate(alive, token)).status).toBe(200);
  expect((await authenticate(paused, token)).status).toBe(200);
  const before = await metrics(alive);

  paused.pause();
  try {
    const { revocation } = await alive.client.apiKeys.revoke(key.id);
    expect(revocation).toMatchObject({ state: "effective", acknowledged: 1, lapsed: 1 });
    expect(revocation?.took_ms).toBeGreaterThanOrEqual(LEASE_MS);
    await waitFor("the key to say so too", async () => {
      const kept = (await alive.client.apiKeys.get(key.id)).revocation;
      return kept?.state === "effective" || undefined;
    });
  } finally {
    paused.resume();
  }
  expect((await authenticate(paused, token)).status).toBe(401);
  const after = await metrics(alive);
  const grown = (name: string): number => after(name) - before(name);
  expect(grown("latchkey_lapsed_nodes_total")).toBe(1);
  // A scan may look at a revocation again whose end is not recorded yet; that is quick.
  const slow = (name: string): number => grown(`latchkey_revocation_seconds_${name}`);
  expect(slow("count") - slow('bucket{le="1"}')).toBe(1);
  expect(grown("latchkey_revocation_seconds_sum")).toBeGreaterThanOrEqual(LEASE_MS / 1_000);
});
