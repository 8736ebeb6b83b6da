import { randomBytes } from "node:crypto";
import { connectVerifier, Failure } from "@latchkey/sdk";
import { tokenChecksum } from "@latchkey/sdk/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRecorder } from "./recorder.ts";
import { atOnce, SECRET, startWorld, type World } from "./world.ts";

/** Distinct tokens that nobody has. A million take a minute on two busy cores, and grow the heap no further. */
const TOKENS = 200_000;

/** Requests under way at one time, as in a server under attack. */
const AT_ONCE = 4_000;

let world: World;
beforeAll(async () => {
  world = await startWorld(10);
});
afterAll(() => world?.stop());

test("a flood of made-up tokens pushes out no real key, fills no memory and is looked up in batches", async () => {
  const recorder = await openRecorder(world.port);
  const verifier = await connectVerifier({
    url: `http://127.0.0.1:${recorder.port}`,
    token: world.first.verifier_token,
  });
  const real = [await world.issue(), await world.issue(), await world.issue()];
  for (const { token } of real) expect((await verifier.verify(token, SECRET)).ok).toBe(true);
  const salt = randomBytes(8).toString("hex");
  let made = 0;
  const next = (): string => {
    made += 1;
    const body = `sk_${salt}${String(made).padStart(14, "0")}`;
    return body + tokenChecksum(body);
  };
  const counts = { refused: 0, unavailable: 0 };
  let most = 0;
  const before = heapUsed();
  while (made < TOKENS) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        try {
          const verdict = await verifier.verify(next(), SECRET);
          if (verdict.ok) throw new Error("a token that nobody has was accepted");
          counts.refused += 1;
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          counts.unavailable += 1;
        }
      }),
    );
    for (const { id, token } of real) {
      const verdict = atOnce(verifier.verify(token, SECRET)); // warm: no network
      if (!verdict.ok || verdict.key.id !== id) throw new Error("a real key was lost");
    }
    most = Math.max(most, heapUsed());
  }
  expect(counts.refused + counts.unavailable).toBe(TOKENS);
  expect(counts.unavailable).toBe(0);
  expect(most - before).toBeLessThan(256 * 1024 * 1024);
  expect(recorder.texts().length).toBeLessThan(TOKENS / 50);
  await verifier.close();
  await recorder.close();
}, 180_000);

function heapUsed(): number {
  return process.memoryUsage().heapUsed;
}
