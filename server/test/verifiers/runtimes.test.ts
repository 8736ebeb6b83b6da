import { afterAll, beforeAll, expect, test } from "vitest";
import { DOWNLOAD_MAX_MS, findRuntime } from "../../../sdk/test/runtime.ts";
import { waitFor } from "../child.ts";
import { type App, startApp, startWorld, type World } from "./world.ts";

/** For a machine that is busy with something else. */
const NOISE_MS = 3_000;

let world: World;
beforeAll(async () => {
  world = await startWorld(3);
});
afterAll(() => world?.stop());

async function until(app: App, token: string, outcome: string): Promise<void> {
  await waitFor(`it to be ${outcome}`, async () => {
    return (await app.ask(token)).outcome === outcome || undefined;
  });
}

/** Deno asks for every permission, and would write a lock file into this repository. */
const DENO = ["run", "-A", "--node-modules-dir=manual", "--no-lock"];

/** Node 20 has no WebSocket of its own, those of Node 24 and Deno cannot be terminated, and Bun's can. */
const RUNTIMES = [
  { name: "Node 20", find: async () => ({ path: process.execPath }), args: [] },
  { name: "Node 24", find: () => findRuntime("node@24", "node", "-e"), args: [] },
  { name: "Bun", find: () => findRuntime("bun@1", "bun", "-e"), args: [] },
  { name: "Deno", find: () => findRuntime("deno@2", "deno", "eval"), args: DENO },
];

test.for(RUNTIMES)(
  "a verifier lives a whole life on $name",
  { timeout: DOWNLOAD_MAX_MS + 60_000 },
  async ({ find, args }, { skip }) => {
    const found = await find();
    if ("why" in found) return skip(found.why);
    const there = { url: world.url, verifierToken: world.first.verifier_token };
    const app = await startApp(there, [found.path, ...args]);
    try {
      const [kept, revoked] = [await world.issue(), await world.issue()];
      for (const { token } of [kept, revoked]) {
        expect(await app.ask(token)).toMatchObject({ outcome: "accepted", sync: false });
        expect(await app.ask(token)).toEqual({
          outcome: "accepted",
          sync: true,
          state: "connected",
        });
      }
      expect((await app.ask("sk_malformed")).outcome).toBe("refused");

      await world.client.apiKeys.revoke((await world.issue()).id); // waits for the life before
      const { revocation } = await world.client.apiKeys.revoke(revoked.id);
      expect((await app.ask(revoked.token)).outcome).toBe("refused");
      expect(revocation).toMatchObject({ acknowledged: 2, lapsed: 0 });
      expect(revocation?.took_ms).toBeLessThan(world.leaseMs / 2);

      await world.kill();
      expect(await app.ask(kept.token)).toMatchObject({ outcome: "accepted", sync: true });
      await until(app, kept.token, "unavailable");
      await world.start();
      const backMs = performance.now();
      await until(app, kept.token, "accepted");
      expect(performance.now() - backMs).toBeLessThan(2_000);
      expect((await app.ask(revoked.token)).outcome).toBe("refused");

      expect(await app.end("SIGTERM")).toEqual({ code: 0, signal: null }); // it closes its verifier
      const hung = await startApp(there, [found.path, ...args]);
      world.server().signal("SIGSTOP");
      const askedMs = performance.now();
      expect(await hung.end("SIGTERM")).toEqual({ code: 0, signal: null });
      expect(performance.now() - askedMs).toBeLessThan(3_000 + NOISE_MS);
    } finally {
      world.server().signal("SIGCONT");
      await app.end("SIGKILL");
    }
  },
);
