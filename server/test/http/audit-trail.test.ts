import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { managementRoutes } from "../../src/http/app.ts";
import { AUDITED_ROUTES, type By, type Call, type Scene } from "./audited-routes.ts";
import { type Heard, openWorld, type World } from "./world.ts";

let world: World;
let scene: Scene;
beforeEach(async () => {
  world = await openWorld(() => ({ signUpOpen: true }));
  const ask: Scene["ask"] = async (call, by = "service_token") => (await send(call, by)).body;
  const { entries } = await ask({ to: "GET /v1/api_keys?environment=development" });
  const idOf = (type: string) => entries.find((one: { type: string }) => one.type === type).id;
  scene = { world, ask, secretKeyId: idOf("secret"), publicKeyId: idOf("public") };
});
afterEach(() => world.close());

/** Sends a call as somebody, with headers of its own besides. */
function send({ to, body, headers }: Call, by: By, more: object = {}): Promise<Heard> {
  const tokens = {
    service_token: world.acme.serviceToken,
    operator: world.tokens.operator,
    verifier: world.tokens.verifier,
    person: undefined,
  };
  const token = headers === undefined ? tokens[by] : undefined;
  return world.call(to, {
    ...(token === undefined ? {} : { token }),
    ...(body === undefined ? {} : { body }),
    headers: { ...headers, ...more },
  });
}

const events = () => world.db.selectFrom("audit_event").selectAll().orderBy("id").execute();

/** The entries that something leaves. */
async function left(deed: () => Promise<unknown>) {
  const before = new Set((await events()).map(({ id }) => id));
  await deed();
  return (await events()).filter(({ id }) => !before.has(id));
}

test("every route that may change something is in the table", () => {
  const routes = managementRoutes(world.deps)
    .filter(({ method }) => method !== "get")
    .map(({ method, path }) => `${method} ${path}`);
  expect(routes.sort()).toEqual(AUDITED_ROUTES.map(({ route }) => route).sort());
});

describe.each(AUDITED_ROUTES)("$route", ({ route, by, leaves, outsider = 404, calls }) => {
  test(`leaves ${leaves.length === 0 ? "nothing" : leaves.join(" and ")} in the audit log, once`, async () => {
    const { change, idle } = await calls(scene);
    const isOnce = managementRoutes(world.deps).some(
      ({ method, path, once }) => once && `${method} ${path}` === route,
    );
    const once = isOnce ? { "Idempotency-Key": "once" } : {};
    world.clock.nowMs += 1_000;
    let heard: Heard | undefined;
    const entries = await left(async () => {
      heard = await send(change, by, once);
      expect(heard.status, heard.text).toBeLessThan(300);
    });
    expect(entries.map(({ action }) => action)).toEqual(leaves);
    for (const entry of entries)
      expect(entry).toMatchObject({
        actor_type: by,
        actor_name: expect.stringMatching(/./),
        at: world.clock.nowMs,
        request_id: heard?.headers.get("X-Request-Id"),
        address: "192.0.2.7",
        user_agent: "test",
      });
    if (isOnce)
      expect(
        await left(async () => {
          const again = await send(change, by, once);
          expect(again.status, again.text).toBe(heard?.status);
        }),
        "a repetition",
      ).toEqual([]);
    const leavesNothing = async (status: number, call: Call, who: By) => {
      const asked = async () => expect((await send(call, who)).status).toBe(status);
      expect(await left(asked), JSON.stringify(call)).toEqual([]);
    };
    for (const [status, call] of idle) await leavesNothing(status, call, by);
    const headers = world.browser(world.rival.people.owner.cookie, "acme");
    await leavesNothing(outsider, { ...change, headers }, "person");
  });
});
