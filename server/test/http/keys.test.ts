import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const KEYS = "/v1/api_keys?environment=development";

async function issue(body: object = { type: "secret" }, headers: Record<string, string> = {}) {
  return world.call(`POST ${KEYS}`, { token: world.acme.serviceToken, body, headers });
}

describe("a key", () => {
  test("shows its token once, in the answer that issued it, and never again", async () => {
    const issued = await issue({
      type: "secret",
      description: "CI",
      metadata: { team: "billing" },
      expires_at: "2026-02-01T00:00:00+01:00",
    });
    expect(issued.status).toBe(201);
    const { api_key: token, ...rest } = issued.body;
    expect(token).toMatch(/^sk_[0-9A-Za-z]{36}$/);
    expect(rest).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      environment: "development",
      type: "secret",
      description: "CI",
      metadata: { team: "billing" },
      hint: `sk_…${token.slice(-4)}`,
      created_at: new Date(NOW_MS).toISOString(),
      created_by: {
        type: "service_token",
        id: expect.stringMatching(/^tok_/),
        name: "First token",
      },
      expires_at: "2026-01-31T23:00:00.000Z",
      last_used_at: null,
      revoked_at: null,
      revoked_by: null,
      revoked_reason: null,
      revocation: null,
      rotated_from: null,
      rotated_to: null,
    });
    const { serviceToken } = world.acme;
    const again = await world.call(`GET /v1/api_keys/${rest.id}`, { token: serviceToken });
    expect(again.body).toEqual(rest);
    const list = await world.call(`GET ${KEYS}`, { token: serviceToken });
    const edited = await world.call(`PATCH /v1/api_keys/${rest.id}`, {
      token: serviceToken,
      body: { description: "CI, new" },
    });
    const revoked = await world.call(`POST /v1/api_keys/${rest.id}/revoke`, {
      token: serviceToken,
    });
    for (const heard of [again, list, edited, revoked]) {
      expect(heard.status).toBe(200);
      expect(heard.text).not.toContain(token);
    }
    expect(world.log.join("")).not.toContain(token);
  });

  test("of type public can be read again", async () => {
    const { body } = await issue({ type: "public" });
    expect(body.api_key).toMatch(/^pk_/);
    const again = await world.call(`GET /v1/api_keys/${body.id}`, {
      token: world.acme.serviceToken,
    });
    expect(again.body.api_key).toBe(body.api_key);
  });
});
