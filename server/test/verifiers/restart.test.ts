import { createClient } from "@latchkey/sdk/client";
import { afterEach, expect, test } from "vitest";
import { type Fleet, startFleet } from "../fleet.ts";
import { type App, startApp, startWorld } from "./world.ts";

/** Longer than a clean stop waits for the verifiers below (2 s), so that it leaves its row to lapse as well. */
const LEASE_SECONDS = 4;
const LEASE_MS = LEASE_SECONDS * 1_000;

/** A wait ends this much later than the lease that it outlives: the allowance for clocks that run apart. */
const ALLOWANCE = 1.01;

/** For a machine that is busy with something else. */
const NOISE_MS = 2_000;

/** A server that ends, and starts again over the same database on the same port. */
interface Restartable {
  readonly url: string;
  readonly serviceToken: string;
  readonly verifierToken: string;
  end(how: "SIGKILL" | "SIGTERM"): Promise<unknown>;
  start(): Promise<void>;
}

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function onSqlite(): Promise<Restartable> {
  const world = await startWorld(LEASE_SECONDS);
  undo.push(world.stop);
  return {
    url: world.url,
    serviceToken: world.first.service_token,
    verifierToken: world.first.verifier_token,
    end: (how) => (how === "SIGKILL" ? world.kill() : world.terminate()),
    start: world.start,
  };
}

async function onPostgres(): Promise<Restartable> {
  const fleet: Fleet = await startFleet({ leaseSeconds: [LEASE_SECONDS] });
  undo.push(fleet.stop);
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error("the fleet has no node");
  return {
    url: node.url,
    serviceToken: fleet.first.service_token,
    verifierToken: fleet.first.verifier_token,
    end: (how) => (how === "SIGKILL" ? node.kill() : node.terminate()),
    start: node.start,
  };
}

test.each([
  ["SQLite", "SIGKILL", onSqlite],
  ["SQLite", "SIGTERM", onSqlite],
  ["PostgreSQL", "SIGKILL", onPostgres],
  ["PostgreSQL", "SIGTERM", onPostgres],
] as const)(
  "on %s after %s, a revocation waits for what the server of before had granted below",
  async (_, how, open) => {
    const server = await open();
    const client = createClient({ url: server.url, token: server.serviceToken, retries: 0 });
    const app: App = await startApp(server);
    undo.push(() => app.end("SIGKILL"));
    const issued = await client.apiKeys.create("production", { type: "secret" });
    const token = issued.api_key ?? "";
    expect((await app.ask(token)).outcome).toBe("accepted");
    expect(await app.ask(token)).toEqual({ outcome: "accepted", sync: true, state: "connected" });

    // A revocation has the server's row say who is below it.
    const first = await client.apiKeys.create("production", { type: "secret" });
    const before = await client.apiKeys.revoke(first.id);
    expect(before.revocation).toMatchObject({ acknowledged: 2, lapsed: 0 });

    app.signal("SIGSTOP"); // it holds the key, and what was granted runs on
    const waiting = Array.from({ length: 5 }, () => app.ask(token));
    await server.end(how);
    await server.start();
    const { revocation } = await client.apiKeys.revoke(issued.id);
    app.signal("SIGCONT");
    const asked = [...waiting, ...Array.from({ length: 5 }, () => app.ask(token))];
    for (const { outcome } of await Promise.all(asked)) expect(outcome).not.toBe("accepted");

    expect(revocation?.state).toBe("effective");
    expect(revocation?.lapsed).toBeGreaterThanOrEqual(2); // the row of before, and the app below it
    expect(revocation?.took_ms).toBeLessThanOrEqual(LEASE_MS * ALLOWANCE + NOISE_MS);
    for (;;) {
      const { outcome } = await app.ask(token);
      if (outcome === "refused") break;
      expect(outcome).toBe("unavailable"); // until it is connected again
    }
    const next = await client.apiKeys.create("production", { type: "secret" });
    expect((await app.ask(next.api_key ?? "")).outcome).toBe("accepted");
    const healthy = await client.apiKeys.revoke(next.id);
    expect(healthy.revocation).toMatchObject({ state: "effective", lapsed: 0 });
    expect(healthy.revocation?.took_ms).toBeLessThan(LEASE_MS / 2);
    expect((await app.ask(next.api_key ?? "")).outcome).toBe("refused");
  },
  60_000,
);
