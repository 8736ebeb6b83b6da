import { refuse } from "@latchkey/sdk/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const verify = (body: object) =>
  world.call("POST /v1/api_keys/verify", { token: world.tokens.verifier, body });

describe("POST /v1/api_keys/verify", () => {
  test("tells whose key it is", async () => {
    const { status, body } = await verify({ api_key: world.acme.secretKey });
    expect(status).toBe(200);
    expect(body).toEqual({
      valid: true,
      account_id: world.acme.id,
      account_slug: "acme",
      account_external_id: null,
      environment: "development",
      environment_id: expect.stringMatching(/^env_/),
      key_id: expect.stringMatching(/^key_/),
      key_type: "secret",
      metadata: {},
    });
  });

  test("says no as a value, with the refusal that every verifier gives", async () => {
    const { acme, tokens } = world;
    const cases: [object, string][] = [
      [{ api_key: "nonsense" }, "api_key_missing"],
      [{ api_key: acme.serviceToken }, "incorrect_token_type"],
      [{ api_key: tokens.operator }, "incorrect_token_type"],
      [{ api_key: acme.publicKey }, "incorrect_token_type"],
      [{ api_key: acme.secretKey, type: "public" }, "incorrect_token_type"],
      [{ api_key: acme.secretKey, environment: "production" }, "environment_mismatch"],
    ];
    for (const [body, code] of cases) {
      const heard = await verify(body);
      expect(heard.status).toBe(200);
      expect(heard.body).toMatchObject({ valid: false, code, request_id: expect.any(String) });
      expect(Object.keys(heard.body).sort()).toEqual([
        "code",
        "message",
        "request_id",
        "status",
        "type",
        "valid",
      ]);
    }
    const any = await verify({ api_key: acme.publicKey, type: "any", environment: "development" });
    expect(any.body).toMatchObject({ valid: true, key_type: "public" });
  });

  test("does not say whether a key was revoked or never was", async () => {
    const token = world.acme.serviceToken;
    const to = "POST /v1/api_keys?environment=development";
    const { body: key } = await world.call(to, { token, body: { type: "secret" } });
    await world.call(`POST /v1/api_keys/${key.id}/revoke`, { token });
    const { body } = await verify({ api_key: key.api_key });
    const unknown = refuse("unknown", { types: ["secret"] }, null, body.request_id).refusal;
    expect(body).toEqual({ valid: false, ...unknown });
  });

  test("never says no because it could not decide", async () => {
    const { Failure } = await import("@latchkey/sdk/core");
    const cut = await openWorld(() => ({
      verify: () => Promise.reject(new Failure("verification_unavailable", "Try again.")),
    }));
    const token = cut.tokens.verifier;
    const body = { api_key: cut.acme.secretKey };
    const heard = await cut.call("POST /v1/api_keys/verify", { token, body });
    expect([heard.status, heard.body.code]).toEqual([503, "verification_unavailable"]);
    expect(heard.headers.get("Retry-After")).toBe("1");
    expect(heard.body).not.toHaveProperty("valid");
    await cut.close();
  });

  test.each([
    {},
    { api_key: "" },
    { api_key: 1 },
    { api_key: "x".repeat(1_001) },
    { api_key: "sk_x", type: "both" },
    { api_key: "sk_x", environment: "No" },
    { api_key: "sk_x", env: "production" },
  ])("refuses the body %j", async (body) => {
    expect((await verify(body)).status).toBe(422);
  });
});

describe("GET /v1/whoami", () => {
  test("tells the holder of an API key what it is", async () => {
    const { body } = await world.call("GET /v1/whoami", { token: world.acme.publicKey });
    expect(body).toEqual({
      type: "api_key",
      account_id: world.acme.id,
      account_name: "ACME",
      account_slug: "acme",
      environment: "development",
      environment_id: expect.stringMatching(/^env_/),
      key_id: expect.stringMatching(/^key_/),
      key_type: "public",
      metadata: {},
      account_features: {},
    });
  });

  test("tells the holder of a service token what it is", async () => {
    const { body } = await world.call("GET /v1/whoami", { token: world.acme.serviceToken });
    expect(body).toEqual({
      type: "service_token",
      account_name: "ACME",
      account_slug: "acme",
      service_token_name: "First token",
      account_features: {},
    });
  });

  test.each<[string, (own: World) => string | undefined, string]>([
    ["nothing", () => undefined, "authentication_required"],
    ["nonsense", () => "nonsense", "api_key_missing"],
    ["a verifier token", (own) => own.tokens.verifier, "incorrect_token_type"],
    ["an operator token", (own) => own.tokens.operator, "incorrect_token_type"],
  ])("refuses %s", async (_, tokenOf, code) => {
    const token = tokenOf(world);
    const lookUps = world.lookUps();
    const heard = await world.call("GET /v1/whoami", {
      headers: { Cookie: world.acme.people.owner.cookie },
      ...(token === undefined ? {} : { token }),
    });
    expect([heard.status, heard.body.code]).toEqual([401, code]);
    expect(heard.headers.get("WWW-Authenticate")).toBe("Bearer");
    expect(heard.headers.get("X-Request-Id")).toBe(heard.body.request_id);
    expect(world.lookUps()).toBe(lookUps);
  });
});
