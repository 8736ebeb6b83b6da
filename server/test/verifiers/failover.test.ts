import { type ConnectedVerifier, connectVerifier, type VerifierState } from "@latchkey/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { issueHeld, nodeOf, settled } from "../fleet/probe.ts";
import { type Fleet, type FleetNode, startFleet } from "../fleet.ts";
import { type Outcome, outcomeOf } from "./world.ts";

const LEASE_MS = 3_000;

let fleet: Fleet;
let verifier: ConnectedVerifier | undefined;
beforeAll(async () => {
  fleet = await startFleet({ leaseSeconds: [3, 3] });
});
beforeEach(() => settled(fleet));
afterEach(() => verifier?.close());
afterAll(() => fleet?.stop());

test.each([
  ["killed", (node: FleetNode) => node.kill(), "disconnected"],
  ["stopped", (node: FleetNode) => node.terminate(), "lapsed"], // it was asked to believe no more
] as const)(
  "when its node is %s a verifier goes on with another, without one failure",
  async (_, end, meanwhile) => {
    // Which node a verifier begins with is chance: each is ended in turn, and one of them was its own.
    const key = await waitFor("a key", () => issueHeld(fleet)); // a busy machine may time out
    verifier = await connectVerifier({
      urls: fleet.nodes.map((node) => node.url),
      token: fleet.first.verifier_token,
    });
    const states: VerifierState[] = [];
    verifier.onState((state) => states.push(state));
    expect(await outcomeOf(verifier, key.token)).toBe("accepted");
    const seen = new Map<Outcome, number>();
    for (const node of [nodeOf(fleet, 0), nodeOf(fleet, 1)]) {
      const ending = end(node);
      let isOver = false;
      void Promise.resolve(ending).then(() => {
        isOver = true;
      });
      const fromMs = performance.now();
      while (!isOver || verifier.state !== "connected" || performance.now() - fromMs < LEASE_MS) {
        const outcome = await outcomeOf(verifier, key.token);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await node.start();
      await settled(fleet);
    }
    expect([...seen.keys()]).toEqual(["accepted"]);
    for (const [at, state] of states.entries())
      expect(state).toBe(at % 2 === 0 ? meanwhile : "connected");
    expect(states.length).toBeGreaterThanOrEqual(2); // it did change over
  },
  60_000,
);
