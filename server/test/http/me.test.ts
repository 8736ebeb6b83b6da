import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectProblem } from "./access-stage.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld(() => ({ signUpOpen: true }));
});
afterEach(() => world.close());

describe("GET /v1/me", () => {
  test("tells a session its accounts and nothing of others", async () => {
    const heard = await world.call("GET /v1/me", {
      headers: { Cookie: world.acme.people.member.cookie },
    });
    const { id, name } = { id: world.acme.people.member.id, name: "member" };
    expect(heard.body).toEqual({
      person: { id, name, email: "member@acme.example", two_factor: false, confined: false },
      operator: false,
      sign_up: "open",
      accounts: [
        {
          id: world.acme.id,
          slug: "acme",
          name: "ACME",
          role: "member",
          permissions: ["account:read", "keys:read", "environments:read", "members:read"],
          two_factor_required: false,
        },
      ],
    });
  });

  test("tells the operator from everybody else", async () => {
    const ask = async (cookie: string) =>
      (await world.call("GET /v1/me", { headers: { Cookie: cookie } })).body.operator;
    expect(await ask(world.operator.cookie)).toBe(true);
    for (const { cookie } of Object.values(world.acme.people))
      expect(await ask(cookie)).toBe(false);
  });

  test("is for sessions only", async () => {
    expectProblem(await world.call("GET /v1/me"), 401, "authentication_required");
    const lookUps = world.lookUps();
    const { cookie } = world.acme.people.owner;
    const { serviceToken, secretKey } = world.acme;
    for (const token of [serviceToken, secretKey, ...Object.values(world.tokens)]) {
      const heard = await world.call("GET /v1/me", { token, headers: { Cookie: cookie } });
      expectProblem(heard, 401, "incorrect_token_type");
    }
    const heard = await world.call("GET /v1/me", { token: "x", headers: { Cookie: cookie } });
    expectProblem(heard, 401, "invalid_token");
    expect(world.lookUps()).toBe(lookUps);
  });
});
