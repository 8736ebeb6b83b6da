import { type ConnectedVerifier, connectVerifier } from "@latchkey/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { openRecorder } from "./recorder.ts";
import { outcomeOf, startWorld, type World } from "./world.ts";

const VERIFIERS = 100;

/** The longest pause between two attempts to connect, which is half of that at least. */
const RETRY_MAX_MS = 1_000;

let world: World;
let verifiers: ConnectedVerifier[] = [];
beforeAll(async () => {
  world = await startWorld(3);
});
afterAll(async () => {
  await Promise.all(verifiers.map((verifier) => verifier.close()));
  await world?.stop();
});

test("a hundred verifiers that lost their server come back spread over its first second, each of them", async () => {
  const recorder = await openRecorder(world.port);
  const connecting = Array.from({ length: VERIFIERS }, () =>
    connectVerifier({
      url: `http://127.0.0.1:${recorder.port}`,
      token: world.first.verifier_token,
    }),
  );
  verifiers = await Promise.all(connecting);
  const key = await world.issue();
  const all = () => Promise.all(verifiers.map((verifier) => outcomeOf(verifier, key.token)));
  expect(new Set(await all())).toEqual(new Set(["accepted"]));

  await world.kill();
  // Pauses have grown to the longest by then: what is measured is how they are spread.
  await waitFor("everybody to have tried in vain", () => {
    return recorder.connections.length > VERIFIERS * 8 || undefined;
  });
  await world.start();
  const backMs = performance.now();
  const atMs: number[] = [];
  for (const verifier of verifiers)
    if (verifier.state === "connected") atMs.push(performance.now() - backMs);
    else
      verifier.onState((state) => {
        if (state === "connected") atMs.push(performance.now() - backMs);
      });
  await waitFor("everybody to be back", () => atMs.length >= VERIFIERS || undefined);
  atMs.sort((a, b) => a - b);
  const [tenth = 0, ninetieth = 0] = [atMs[VERIFIERS / 10], atMs[(VERIFIERS * 9) / 10]];
  expect(atMs.at(-1)).toBeLessThan(2_000 + RETRY_MAX_MS / 2);
  expect(ninetieth - tenth).toBeGreaterThan(RETRY_MAX_MS / 4);
  expect(new Set(await all())).toEqual(new Set(["accepted"]));

  await world.client.apiKeys.revoke((await world.issue()).id); // waits for the life before
  const { revocation } = await world.client.apiKeys.revoke(key.id);
  expect(revocation).toMatchObject({ state: "effective", lapsed: 0 });
  expect(revocation?.acknowledged).toBe(VERIFIERS + 1);
  expect(new Set(await all())).toEqual(new Set(["refused"]));
  await recorder.close();
}, 60_000);
