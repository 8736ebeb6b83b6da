import { once } from "node:events";
import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { connectVerifier } from "@latchkey/sdk";
import { createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GRANT_MAX_MS } from "../src/http/route.ts";
import { ask, nodeOf, statusesOf } from "./fleet/probe.ts";
import { type Fleet, startFleet } from "./fleet.ts";
import { outcomeOf, startWorld, type World } from "./verifiers/world.ts";

let world: World;
let fleet: Fleet;
beforeAll(async () => {
  [world, fleet] = await Promise.all([startWorld(10), startFleet({ leaseSeconds: [10, 10, 10] })]);
});
afterAll(() => Promise.all([world?.stop(), fleet?.stop()]));

const connect = (token: string) => connectVerifier({ url: world.url, token });

test("when a verifier token's deletion returns, an app with it accepts nothing, and another goes on", async () => {
  const operator = createClient({ url: world.url, token: world.first.operator_token });
  const doomed = await operator.tokens.create({ kind: "verifier", name: "Doomed" });
  const { token } = await world.issue();
  const [ended, other] = [await connect(doomed.token), await connect(world.first.verifier_token)];
  try {
    for (const app of [ended, other]) expect(await outcomeOf(app, token)).toBe("accepted");

    const { revocation } = await operator.tokens.delete(doomed.id);
    // The key was warm, and its lease had most of ten seconds left.
    expect(await outcomeOf(ended, token)).toBe("unavailable");
    expect(await outcomeOf(other, token)).toBe("accepted");
    expect(revocation).toMatchObject({ state: "effective", lapsed: 0 });
    await expect(connect(doomed.token)).rejects.toMatchObject({ code: "invalid_token" });
  } finally {
    await Promise.all([ended.close(), other.close()]);
  }
});

/** The statuses with which every node answers for a service token, all asked at once. */
const managed = (token: string): Promise<number[]> =>
  Promise.all(
    fleet.nodes.map(async (node) => {
      const response = await ask(node, "/v1/environments", token);
      await response.arrayBuffer();
      return response.status;
    }),
  );

test("when a service token's deletion returns, every node refuses it and each key that it was exchanged for", async () => {
  const { serviceTokens, apiKeys } = nodeOf(fleet, 0).client;
  const doomed = await serviceTokens.create({ name: "Doomed" });
  const bystander = await serviceTokens.create({ name: "Bystander" });
  const exchange = async (token: string, environment: string): Promise<string> =>
    (await createClient({ url: nodeOf(fleet, 1).url, token }).apiKeys.exchange(environment))
      .api_key;
  const keys = await Promise.all(
    ["production", "development", "production"].map((slug) => exchange(doomed.token, slug)),
  );
  const kept = await exchange(bystander.token, "production");
  // Every node has used the tokens, and holds the keys under a lease that has most of ten seconds left.
  for (const token of [doomed.token, bystander.token])
    expect(await managed(token)).toEqual([200, 200, 200]);
  for (const key of [...keys, kept])
    expect(await statusesOf(fleet.nodes, key)).toEqual([200, 200, 200]);

  const { revocation } = await nodeOf(fleet, 2).client.serviceTokens.delete(doomed.id);

  const [of, ...ofKeys] = await Promise.all([
    managed(doomed.token),
    ...keys.map((key) => statusesOf(fleet.nodes, key)),
  ]);
  expect(of).toEqual([401, 401, 401]);
  expect(ofKeys).toEqual(keys.map(() => [401, 401, 401]));
  expect(revocation).toMatchObject({ state: "effective", acknowledged: 3, lapsed: 0 });
  expect(await managed(bystander.token)).toEqual([200, 200, 200]);
  expect(await statusesOf(fleet.nodes, kept)).toEqual([200, 200, 200]);
  // Each key's own receipt is recorded when the call has returned.
  await expect
    .poll(async () => {
      const { entries } = await apiKeys.list({ environment: "production", status: "revoked" });
      return entries.map((key) => [key.revocation?.state, key.revocation?.lapsed]);
    })
    .toEqual([
      ["effective", 0],
      ["effective", 0],
    ]);
});

test("a service token deletes itself, and no node takes it afterwards", async () => {
  const { id, token } = await nodeOf(fleet, 0).client.serviceTokens.create({ name: "Own end" });
  const own = createClient({ url: nodeOf(fleet, 1).url, token, retries: 0 });
  expect((await own.serviceTokens.delete(id)).revocation.state).toBe("effective");
  expect(await managed(token)).toEqual([401, 401, 401]);
});

test("many concurrent exchanges over several nodes give as many keys as may live", async () => {
  const { token } = await nodeOf(fleet, 0).client.serviceTokens.create({ name: "Greedy" });
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      createClient({ url: nodeOf(fleet, index % 3).url, token, retries: 0 })
        .apiKeys.exchange("development")
        .then(
          () => "given",
          (error: { code?: string }) => error.code,
        ),
    ),
  );
  expect(outcomes.filter((outcome) => outcome === "given")).toHaveLength(20);
  expect(outcomes.filter((outcome) => outcome === "rate_limited")).toHaveLength(10);
});

test("a call whose body comes after its token's deletion has returned is refused, though it began before", async () => {
  const node = nodeOf(fleet, 0);
  const doomed = await node.client.serviceTokens.create({ name: "Doomed" });
  const body = JSON.stringify({ name: "Back again" });
  const call = request(`${node.url}/v1/service_tokens`, {
    method: "POST",
    headers: { Authorization: `Bearer ${doomed.token}`, "Content-Type": "application/json" },
  });
  const answered = once(call, "response");
  call.write(body.slice(0, 3));
  expect(await managed(doomed.token)).toEqual([200, 200, 200]);
  await node.client.serviceTokens.delete(doomed.id);
  await delay(2 * GRANT_MAX_MS);
  call.end(body.slice(3));
  const [response] = await answered;
  response.resume();
  expect(response.statusCode).toBe(401);
});
