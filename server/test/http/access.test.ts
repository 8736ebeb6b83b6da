import { randomBytes } from "node:crypto";
import { parseToken } from "@latchkey/sdk/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tokenMaker } from "../../src/domain/tokens.ts";
import { managementRoutes } from "../../src/http/app.ts";
import {
  ABSENT,
  type AccessStage,
  expectProblem,
  filled,
  openAccessStage,
  withoutId,
} from "./access-stage.ts";
import {
  ALL,
  EVERYBODY,
  OF_ACCOUNT,
  OF_OPERATOR,
  OF_OPERATOR_IN_PERSON,
  OF_OWNER,
  OF_PROGRAM,
  OF_SESSION,
  OF_VERIFIER,
  WITH_TOKEN,
} from "./route-table.ts";
import type { World } from "./world.ts";

let world: World;
let send: AccessStage["send"];
let tokenFor: AccessStage["tokenFor"];
let everything: AccessStage["everything"];
/** Every row that somebody could have changed without leave. */
let before: unknown;

beforeEach(async () => {
  ({ world, send, tokenFor, everything } = await openAccessStage());
  before = await everything();
});
afterEach(() => world.close());

test("every route is in the table above", () => {
  const routes = managementRoutes(world.deps).map(({ method, path }) => `${method} ${path}`);
  expect(routes.sort()).toEqual(ALL.map(({ route }) => route).sort());
});

describe.each(WITH_TOKEN)("$route", (sample) => {
  test("opens for its own token", async () => {
    const heard = await send(sample, {}, tokenFor(sample));
    expect(heard.status, heard.text).toBe(sample.status);
    expect(heard.headers.get("X-Request-Id")).toMatch(/^req_/);
    expect(heard.headers.get("Cache-Control")).toBe("no-store");
  });

  test("asks for credentials", async () => {
    for (const Authorization of [undefined, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b"]) {
      const headers: Record<string, string> = Authorization === undefined ? {} : { Authorization };
      expectProblem(await send(sample, headers), 401, "authentication_required");
    }
    expect(await everything()).toEqual(before);
  });

  test("refuses other kinds of tokens, and what cannot be a token, without a look-up", async () => {
    const { acme, tokens } = world;
    const wrong = [acme.secretKey, acme.publicKey, acme.serviceToken, ...Object.values(tokens)];
    const lookUps = world.lookUps();
    for (const token of wrong.filter((one) => one.slice(0, 2) !== tokenFor(sample).slice(0, 2)))
      expectProblem(await send(sample, {}, token), 401, "incorrect_token_type");
    const good = tokenFor(sample);
    const last = good.endsWith("0") ? "1" : "0";
    for (const token of ["nonsense", `${good.slice(0, -1)}${last}`, `${good}x`, "é", "sk_", "%00"])
      expectProblem(await send(sample, {}, token), 401, "invalid_token");
    expect(world.lookUps()).toBe(lookUps);
    expect(await everything()).toEqual(before);
  });

  test("refuses a token that never was", async () => {
    const prefix = parseToken(tokenFor(sample))?.prefix ?? "st";
    const { token } = tokenMaker(randomBytes, null)(prefix);
    expectProblem(await send(sample, {}, token), 401, "invalid_token");
    expect(await everything()).toEqual(before);
  });

  test("does not look at the cookie when there is a token", async () => {
    const { acme } = world;
    const headers = world.browser(acme.people.owner.cookie, acme.slug);
    expectProblem(await send(sample, headers, "nonsense"), 401, "invalid_token");
    expect(await everything()).toEqual(before);
    const foreign = { ...headers, Origin: "https://evil.example", "Latchkey-Account": "rival" };
    expect((await send(sample, foreign, tokenFor(sample))).status).toBe(sample.status);
  });
});

describe.each([...OF_PROGRAM, ...OF_OPERATOR, ...OF_VERIFIER])("$route", (sample) => {
  test("does not open for a session", async () => {
    const headers = world.browser(world.acme.people.owner.cookie, "acme");
    expectProblem(await send(sample, headers), 401, "authentication_required");
    expect(await everything()).toEqual(before);
  });
});

describe.each(OF_OPERATOR)("$route", (sample) => {
  test("does not open for the operator's session either", async () => {
    const headers = world.browser(world.operator.cookie, "first");
    expectProblem(await send(sample, headers), 401, "authentication_required");
    expect(await everything()).toEqual(before);
  });
});

describe.each(OF_OPERATOR_IN_PERSON)("$route, in person", (sample) => {
  /** Headers of the operator's browser, on a page of no account. */
  const operators = () => {
    const { "Latchkey-Account": _, ...headers } = world.browser(world.operator.cookie, "");
    return headers;
  };

  test("opens for the operator's session, which need name no account", async () => {
    const heard = await send(sample, operators());
    expect(heard.status, heard.text).toBe(sample.status);
  });

  test("is closed to every other person, and says nothing of what is there", async () => {
    for (const { cookie } of Object.values(world.acme.people))
      for (const account of ["acme", "first", "nobody"]) {
        const headers = world.browser(cookie, account);
        const heard = await send(sample, headers);
        expectProblem(heard, 403, "access_denied");
        const absent = { ...sample, to: filled(sample.to, ABSENT) };
        expect(withoutId(await send(absent, headers))).toBe(withoutId(heard));
      }
    expect(await everything()).toEqual(before);
  });

  test("reads who is the operator anew for each request", async () => {
    await world.db.updateTable("person").set({ operator: 0 }).execute();
    expectProblem(await send(sample, operators()), 403, "access_denied");
    expect(await everything()).toEqual(before);
  });

  test("refuses an ended session", async () => {
    const headers = world.browser("session=ended", "first");
    expectProblem(await send(sample, headers), 401, "authentication_required");
    expect(await everything()).toEqual(before);
  });

  test("takes a change by cookie from our own pages only", async () => {
    const { Origin: _, ...headers } = operators();
    const foreign = ["https://evil.example", "null", "http://127.0.0.1:4401", "http://127.0.0.1"];
    for (const extra of [{}, ...foreign.map((Origin) => ({ Origin }))]) {
      const heard = await send(sample, { ...headers, ...extra });
      if (sample.to.startsWith("GET")) expect(heard.status).toBe(sample.status);
      else expectProblem(heard, 403, "access_denied");
    }
    expect(await everything()).toEqual(before);
  });

  test("is closed to an operator token that was deleted", async () => {
    const made = await world.call("POST /v1/tokens", {
      headers: operators(),
      body: { kind: "operator", name: "Short" },
    });
    await world.call(`DELETE /v1/tokens/${made.body.id}`, { headers: operators() });
    before = await everything();
    expectProblem(await send(sample, {}, made.body.token), 401, "invalid_token");
    expectProblem(await send(sample, operators(), made.body.token), 401, "invalid_token");
    expect(await everything()).toEqual(before);
  });
});

describe.each(OF_SESSION)("$route", (sample) => {
  test("opens for everybody who is signed in, and for nobody else", async () => {
    const everybodys = world.browser(world.acme.people.support.cookie, "");
    expect((await send(sample, everybodys)).status).toBe(sample.status);
    before = await everything();
    const headers = world.browser("session=ended", "acme");
    expectProblem(await send(sample, headers), 401, "authentication_required");
    expectProblem(await send(sample, {}), 401, "authentication_required");
    for (const token of [world.acme.serviceToken, ...Object.values(world.tokens)])
      expectProblem(await send(sample, headers, token), 401, "incorrect_token_type");
    expect(await everything()).toEqual(before);
  });

  test("takes a change by cookie from our own pages only", async () => {
    const { Origin: _, ...headers } = world.browser(world.operator.cookie, "");
    const foreign = ["https://evil.example", "null", "http://127.0.0.1:4401", "http://127.0.0.1"];
    for (const extra of [{}, ...foreign.map((Origin) => ({ Origin }))]) {
      const heard = await send(sample, { ...headers, ...extra });
      if (sample.to.startsWith("GET")) expect(heard.status).toBe(sample.status);
      else expectProblem(heard, 403, "access_denied");
    }
    expect(await everything()).toEqual(before);
  });
});

describe.each(OF_OWNER)("$route", (sample) => {
  test("does not open for a service token, nor for a token of another kind", async () => {
    const { serviceToken, secretKey } = world.acme;
    expectProblem(await send(sample, {}, serviceToken), 403, "access_denied");
    for (const token of [secretKey, ...Object.values(world.tokens)])
      expectProblem(await send(sample, {}, token), 401, "incorrect_token_type");
    expectProblem(await send(sample, {}), 401, "authentication_required");
    expect(await everything()).toEqual(before);
  });
});

describe.each([...OF_ACCOUNT, ...OF_OWNER])("$route, within an account", (sample) => {
  const { roles = [] } = sample;
  test.each(roles)("opens for the role %s", async (role) => {
    const heard = await send(sample, world.browser(world.acme.people[role].cookie, "acme"));
    expect(heard.status, heard.text).toBe(sample.status);
  });

  test("is closed to every other role, and says nothing of what is there", async () => {
    for (const role of EVERYBODY.filter((one) => !roles.includes(one))) {
      const headers = world.browser(world.acme.people[role].cookie, "acme");
      const heard = await send(sample, headers);
      expectProblem(heard, 403, "access_denied");
      const absent = { ...sample, to: filled(sample.to, ABSENT) };
      expect(withoutId(await send(absent, headers))).toBe(withoutId(heard));
    }
    expect(await everything()).toEqual(before);
  });

  test("needs a session to name its account, and to be a member of it", async () => {
    const { cookie } = world.acme.people.owner;
    const { "Latchkey-Account": _, ...nameless } = world.browser(cookie, "acme");
    expectProblem(await send(sample, nameless), 400, "invalid_request");
    const answers = [];
    for (const account of ["rival", "nobody", "", "Acme", "acme/../rival", "a".repeat(300), "é"]) {
      const heard = await send(sample, world.browser(cookie, account));
      expectProblem(heard, 404, "resource_missing");
      answers.push(withoutId(heard));
    }
    expect(new Set(answers).size).toBe(1);
    expect(await everything()).toEqual(before);
  });

  test("reads the membership anew for each request", async () => {
    const { id, cookie } = world.acme.people.owner;
    await world.db.deleteFrom("member").where("person_id", "=", id).execute();
    expectProblem(await send(sample, world.browser(cookie, "acme")), 404, "resource_missing");
  });

  test("refuses an ended session", async () => {
    const headers = world.browser("session=ended", "acme");
    expectProblem(await send(sample, headers), 401, "authentication_required");
  });

  test("takes a change by cookie from our own pages only", async () => {
    const { Origin: _, ...headers } = world.browser(world.acme.people.owner.cookie, "acme");
    const foreign = ["https://evil.example", "null", "http://127.0.0.1:4401", "http://127.0.0.1"];
    for (const extra of [{}, ...foreign.map((Origin) => ({ Origin }))]) {
      const heard = await send(sample, { ...headers, ...extra });
      if (sample.to.startsWith("GET")) expect(heard.status).toBe(sample.status);
      else expectProblem(heard, 403, "access_denied");
    }
    expect(await everything()).toEqual(before);
  });

  test("ends with its account", async () => {
    await world.call("DELETE /v1/accounts/acme", { token: world.tokens.operator });
    expectProblem(await send(sample, {}, world.acme.serviceToken), 401, "invalid_token");
    const headers = world.browser(world.acme.people.owner.cookie, "acme");
    expectProblem(await send(sample, headers), 404, "resource_missing");
  });
});
