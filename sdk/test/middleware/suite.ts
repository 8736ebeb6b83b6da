import { once } from "node:events";
import type { Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import type { Failure } from "../../src/failure.ts";
import type { GateOptions } from "../../src/middleware/gate.ts";
import type { Accepted } from "../../src/verdict.ts";
import { type Caller, createCaller, type Reply } from "./caller.ts";
import { REFUSALS, TWO_HEADERS } from "./refusals.ts";
import { createWorld, type World } from "./world.ts";

/** A request as the suite's handler sees it, whatever the framework. */
export interface Seen {
  readonly path: string;
  /** Where the framework keeps the verdict, read now. */
  verdict(): Accepted;
  /** The whole body. */
  body(): Promise<string>;
}

/** What a framework serves in the suite: every path is protected, and answered with `handle`'s text. */
export interface Guarded {
  readonly auth: GateOptions;
  /** May throw at once, or reject: the framework's own way with errors is to answer that. */
  handle(seen: Seen): Promise<string>;
  /** To be called with each failure; `"own"`: answer 502 with the text `own` instead. */
  told(failure: Failure): unknown;
}

export interface Framework {
  readonly name: string;
  serve(guarded: Guarded): Server | Promise<Server>;
  /**
   * 401 where the framework joins two headers into one before anybody can see that there were two, `"first"` where it
   * shows nobody but the first.
   */
  readonly twoHeaders: 400 | 401 | "first";
  /** Whether it shows the address at the other end of a connection. */
  readonly knowsAddress: boolean;
}

/** Everything that each middleware promises, run against the framework itself over real sockets. */
export function testMiddleware(framework: Framework): void {
  const open: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });

  async function start(
    told: Guarded["told"] = () => undefined,
    options: Pick<GateOptions, "callers" | "address"> = {},
  ) {
    const world = createWorld();
    const seen: string[] = [];
    const failures: Failure[] = [];
    const server = await framework.serve({
      auth: { verifier: world.verifier, environment: "production", ...options },
      handle: (request) => {
        seen.push(request.path);
        return respond(request);
      },
      told: (failure) => {
        failures.push(failure);
        return told(failure);
      },
    });
    if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no TCP address");
    const caller = createCaller(`http://127.0.0.1:${address.port}`);
    open.push(
      () => new Promise((resolve) => server.close(resolve)),
      () => server.closeAllConnections(),
      () => caller.close(),
    );
    return { world, caller, seen, failures };
  }

  describe(`${framework.name}:`, () => {
    describe.each(REFUSALS)("$name", (refused) => {
      test.each(["GET", "POST", "HEAD"])("is refused, to the letter (%s)", async (method) => {
        const { world, caller, seen, failures } = await start();
        const authorization = refused.authorization(world);
        const body = method === "POST" ? { body: "unread" } : {};
        const reply = await caller.call("/notes", { method, authorization, ...body });
        expect(reply.status).toBe(refused.status);
        expectProblem(reply, method, {
          code: refused.code,
          message: refused.message,
          status: refused.status,
          type: "authentication_error",
        });
        expect(reply.headers["www-authenticate"]).toBe(
          refused.status === 401 ? "Bearer" : undefined,
        );
        expect(reply.headers["retry-after"]).toBeUndefined();
        expect(world.loads).toBe(refused.isLookedUp ? 1 : 0);
        expect(seen).toEqual([]);
        expect(failures).toEqual([]);
      });
    });

    testTwoHeaders(framework.twoHeaders, start);

    test("an accepted key's handler knows whose it is, and has the whole body to read", async () => {
      const { world, caller } = await start();
      const { token, id } = world.issue();
      const authorization = [`bEARER ${token}`];
      const body = "x".repeat(100_000);
      const reply = await caller.call("/body", { method: "POST", authorization, body });
      expect(reply).toMatchObject({ status: 200, text: `${id} acme production 100000` });
      expect(reply.headers["www-authenticate"]).toBeUndefined();
      const head = await caller.call("/notes", { method: "HEAD", authorization });
      expect(head).toMatchObject({ status: 200, text: "" });
    });

    test("of hundreds of requests at once, over slow look-ups, each sees its own key", async () => {
      await expectOwnKeys(await start());
    });

    test("who sent a request is told, accepted or refused, and is not where that is not wanted", async () => {
      const { world, caller } = await start();
      const { token, id } = world.issue();
      const [authorization, userAgent] = [[`Bearer ${token}`], "orders/1.2"];
      await caller.call("/notes", { authorization, userAgent });
      await caller.call("/notes", { authorization });
      await caller.call("/notes", { authorization: ["Bearer sk_made-up"], userAgent });
      const { callers, refusals } = world.told();
      const address = framework.knowsAddress ? "127.0.0.1" : null;
      expect(callers).toMatchObject([
        { keyId: id, address, userAgent, count: 1 },
        { keyId: id, address, userAgent: null, count: 1 },
      ]);
      expect(refusals).toMatchObject([{ reason: "malformed", keyId: null, address, userAgent }]);

      const discreet = await start(undefined, { callers: false });
      const other = discreet.world.issue();
      await discreet.caller.call("/notes", { authorization: [`Bearer ${other.token}`], userAgent });
      await discreet.caller.call("/notes", { userAgent });
      const told = discreet.world.told();
      expect(told.callers).toEqual([]);
      expect(told.refusals).toMatchObject([{ address: null, userAgent: null }]);
    });

    test("the app may know the address better, and a mistake there refuses nobody", async () => {
      const { world, caller } = await start(undefined, { address: () => "203.0.113.7" });
      const { token } = world.issue();
      const call = { authorization: [`Bearer ${token}`] };
      expect((await caller.call("/notes", call)).status).toBe(200);
      expect(world.told().callers).toMatchObject([{ address: "203.0.113.7" }]);

      const broken = await start(undefined, {
        address() {
          throw new Error("a mistake of the app");
        },
      });
      const other = broken.world.issue();
      const reply = await broken.caller.call("/notes", {
        authorization: [`Bearer ${other.token}`],
      });
      expect(reply.status).toBe(200);
      expect(broken.world.told().callers).toMatchObject([{ address: null }]);
    });

    test("a refused request with a body leaves its connection fit for the next", async () => {
      const { world, caller } = await start();
      const { token, id } = world.issue();
      for (let round = 0; round < 5; round++) {
        const body = "y".repeat(10_000);
        expect((await caller.call("/notes", { method: "POST", body })).status).toBe(401);
        const reply = await caller.call("/notes", { authorization: [`Bearer ${token}`] });
        expect(reply).toMatchObject({ status: 200, text: id });
      }
    });

    test("a key revoked between two requests of one connection is refused at the second", async () => {
      const { world, caller, seen } = await start();
      const { token, id } = world.issue();
      const authorization = [`Bearer ${token}`];
      expect(await caller.call("/notes", { authorization })).toMatchObject({ text: id });
      world.revoke(token);
      const reply = await caller.call("/notes", { authorization });
      expect(JSON.parse(reply.text)).toMatchObject({ status: 401, code: "api_key_missing" });
      expect(seen).toEqual(["/notes"]);
      expect(caller.connections).toBe(1);
    });

    test("a caller who leaves while the key is looked up disturbs nobody", async () => {
      const { world, caller } = await start();
      const [left, stays] = [world.issue(), world.issue()];
      world.store = "waits";
      const leaving = new AbortController();
      const { signal } = leaving;
      const gone = caller.call("/notes", { authorization: [`Bearer ${left.token}`], signal });
      const kept = caller.call("/notes", { authorization: [`Bearer ${stays.token}`] });
      await expect.poll(() => world.waiting.length).toBe(2);
      leaving.abort();
      await expect(gone).rejects.toThrow();
      for (const answer of world.waiting.splice(0)) answer();
      expect(await kept).toMatchObject({ status: 200, text: stays.id });
      const again = await caller.call("/notes", { authorization: [`Bearer ${left.token}`] });
      expect(again).toMatchObject({ status: 200, text: left.id });
    });

    test.each(["/throws", "/rejects"])(
      "a handler's own error (%s) is the framework's to answer, key warm or not",
      async (path) => {
        const { world, caller, failures } = await start();
        const { token, id } = world.issue();
        const authorization = [`Bearer ${token}`];
        for (const round of ["cold", "warm"]) {
          const reply = await caller.call(path, { authorization });
          expect(reply.status, round).toBe(500);
          expect(reply.text).not.toContain("verification_unavailable");
        }
        expect(failures).toEqual([]);
        expect(await caller.call("/notes", { authorization })).toMatchObject({ text: id });
      },
    );

    testFailures(start);
  });
}

type Started = { world: World; caller: Caller; seen: string[]; failures: Failure[] };

function testTwoHeaders(answer: Framework["twoHeaders"], start: () => Promise<Started>): void {
  if (answer === "first")
    test.each(TWO_HEADERS)("of two Authorization headers the first decides: $name", async (two) => {
      const { world, caller } = await start();
      const both = two.authorization(world);
      const [reply, alone] = [
        await caller.call("/notes", { authorization: both }),
        await caller.call("/notes", { authorization: both.slice(0, 1) }),
      ];
      expect(reply.status).toBe(both[0] === "" ? 401 : 200);
      expect(alone.status).toBe(reply.status);
      if (reply.status === 200) expect(reply.text).toBe(alone.text);
      else expect(JSON.parse(reply.text).code).toBe(JSON.parse(alone.text).code);
    });
  else
    test.each(TWO_HEADERS)("two Authorization headers are refused: $name", async (two) => {
      const { world, caller, seen } = await start();
      const reply = await caller.call("/notes", { authorization: two.authorization(world) });
      expect(reply.status).toBe(answer);
      const { code } = JSON.parse(reply.text);
      if (answer === 400) expect(code).toBe("invalid_request");
      else expect(["api_key_missing", "authentication_required"]).toContain(code);
      expect(reply.headers["x-request-id"]).toBe(JSON.parse(reply.text).request_id);
      expect(world.loads).toBe(0);
      expect(seen).toEqual([]);
    });
}

function testFailures(start: (told?: Guarded["told"]) => Promise<Started>): void {
  const thrown = new Error("the log is gone too");
  const indecisive: Record<string, Guarded["told"]> = {
    "says nothing": () => undefined,
    "says yes": () => true,
    throws: () => {
      throw thrown;
    },
    rejects: () => Promise.reject(thrown),
  };

  test.each(Object.entries(indecisive))(
    "what cannot be decided is a 503 and passes nobody, also when onFailure %s",
    async (_, told) => {
      const { world, caller, seen, failures } = await start(told);
      const authorization = [`Bearer ${world.issue().token}`];
      world.store = "fails";
      for (const method of ["GET", "HEAD"]) {
        const reply = await caller.call("/notes", { method, authorization });
        expect(reply.status).toBe(503);
        expect(reply.headers["retry-after"]).toBe("1");
        expect(reply.headers["www-authenticate"]).toBeUndefined();
        expectProblem(reply, method, {
          code: "verification_unavailable",
          message: "The key could not be looked up.",
          status: 503,
          type: "api_error",
        });
      }
      expect(seen).toEqual([]);
      expect(failures.map(({ code }) => code)).toEqual(Array(2).fill("verification_unavailable"));
      world.store = "answers";
      expect((await caller.call("/notes", { authorization })).status).toBe(200);
    },
  );

  test.each([
    ["at once", () => "own"],
    ["later", async () => "own"],
  ])("onFailure may answer in its own way, %s, and still passes nobody", async (_, told) => {
    const { world, caller, seen } = await start(told);
    world.store = "fails";
    const reply = await caller.call("/notes", { authorization: [`Bearer ${world.issue().token}`] });
    expect(reply).toMatchObject({ status: 502, text: "own" });
    expect(seen).toEqual([]);
  });
}

/** 900 requests with 300 keys, two thirds of them cold, their look-ups answered out of order. */
async function expectOwnKeys({ world, caller }: Started): Promise<void> {
  const issued = Array.from({ length: 300 }, () => world.issue());
  for (const { token } of issued.slice(0, 100))
    await caller.call("/notes", { authorization: [`Bearer ${token}`] });
  world.store = "waits";
  const calls = Array.from({ length: 900 }, async (_, at) => {
    const { token, id } = issued[(at * 7) % issued.length] ?? { token: "", id: "" };
    const reply = await caller.call("/slowly", { authorization: [`Bearer ${token}`] });
    return { id, reply };
  });
  let over = false;
  const all = Promise.all(calls).finally(() => {
    over = true;
  });
  let answered = 0;
  while (!over) {
    // The latest first: answers overtake those that were asked before them.
    const answer = world.waiting.length > 5 || answered % 3 === 0 ? world.waiting.pop() : undefined;
    if (answer !== undefined) answer();
    answered += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const { id, reply } of await all) expect(reply).toMatchObject({ status: 200, text: id });
  expect(caller.connections).toBeGreaterThan(30);
  expect(world.loads).toBe(300);
}

/** The suite's only handler. */
function respond(request: Seen): Promise<string> {
  if (request.path === "/throws") throw new Error("thrown by the handler");
  return respondLater(request);
}

async function respondLater({ path, verdict, body }: Seen): Promise<string> {
  if (path === "/rejects") throw new Error("rejected by the handler");
  if (path === "/body") {
    const { length } = await body();
    const { key } = verdict();
    return `${key.id} ${key.account.slug} ${key.environment.slug} ${length}`;
  }
  if (path === "/slowly")
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  return verdict().key.id; // read after the wait: others came and went meanwhile
}

/** The flat body of docs/errors.md, whole, and the headers that go with every one. */
function expectProblem(reply: Reply, method: string, body: Record<string, unknown>): void {
  const requestId = reply.headers["x-request-id"];
  expect(requestId).toMatch(/^req_[0-9A-Za-z]{24}$/);
  expect(reply.headers["cache-control"]).toBe("no-store");
  expect(reply.headers["content-type"]).toMatch(/^application\/json(; ?charset=utf-8)?$/i);
  if (method === "HEAD") expect(reply.text).toBe("");
  else expect(JSON.parse(reply.text)).toEqual({ ...body, request_id: requestId });
}
