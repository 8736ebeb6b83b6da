import { once } from "node:events";
import { createServer } from "node:http";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { expect, test } from "vitest";
import * as expressMiddleware from "../../src/middleware/express.ts";
import * as fastifyMiddleware from "../../src/middleware/fastify.ts";
import * as fetchMiddleware from "../../src/middleware/fetch.ts";
import * as honoMiddleware from "../../src/middleware/hono.ts";
import * as nodeMiddleware from "../../src/middleware/node.ts";
import type { Accepted } from "../../src/verdict.ts";
import { createCaller } from "./caller.ts";
import { createWorld } from "./world.ts";

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

test("Hono: `as` names where the verdict is put, and nothing is put elsewhere", async () => {
  const { verifier, issue } = createWorld();
  const { token, id } = issue();
  const app = new Hono().get("/", honoMiddleware.apiKeyAuth({ verifier, as: "caller" }), (c) =>
    c.json([c.get("caller").key.id, Object.keys(c.var)]),
  );
  expect(await (await app.request("/", bearer(token))).json()).toEqual([id, ["caller"]]);
});

test("Express: `as` names where the verdict is put, and nothing is put elsewhere", async () => {
  const { verifier, issue } = createWorld();
  const { token, id } = issue();
  const app = express().get(
    "/notes/:note",
    expressMiddleware.apiKeyAuth({ verifier, as: "caller" }),
    (req, res) => {
      res.json([req.params.note, res.locals.caller.key.id, Object.keys(res.locals)]);
    },
  );
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  const caller = createCaller(`http://127.0.0.1:${address.port}`);
  try {
    const reply = await caller.call("/notes/7", { authorization: [`Bearer ${token}`] });
    expect(JSON.parse(reply.text)).toEqual(["7", id, ["caller"]]);
  } finally {
    caller.close();
    server.close();
  }
});

test("Fastify: the plugin guards the scope that registers it, and no other", async () => {
  const { verifier, issue } = createWorld();
  const { token, id } = issue();
  const app = Fastify();
  app.get("/open", (request) => ({ verdict: request.verdict ?? null }));
  await app.register(async (notes) => {
    await notes.register(fastifyMiddleware.apiKeyAuth({ verifier }));
    notes.get("/notes", (request) => ({ id: request.verdict.key.id }));
  });
  const inject = (url: string, authorization?: string) =>
    app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
  expect((await inject("/notes")).statusCode).toBe(401);
  expect((await inject("/notes", `Bearer ${token}`)).json()).toEqual({ id });
  expect((await inject("/open")).json()).toEqual({ verdict: null });
  expect((await inject("/open", `Bearer ${token}`)).json()).toEqual({ verdict: null });
  await app.close();
});

test("Fastify: a scope inside another may ask for more, and put its verdict elsewhere", async () => {
  const { verifier, issue } = createWorld();
  const { token, id } = issue();
  const app = Fastify();
  await app.register(fastifyMiddleware.apiKeyAuth({ verifier, types: ["secret", "public"] }));
  await app.register(async (admin) => {
    await admin.register(fastifyMiddleware.apiKeyAuth({ verifier }));
    await admin.register(fastifyMiddleware.apiKeyAuth({ verifier, as: "caller" }));
    admin.get("/admin", (request) => {
      const caller = request.getDecorator<Accepted>("caller");
      return [request.verdict.key.id, caller.key.id];
    });
  });
  app.get("/", (request) => [request.verdict.key.type, "caller" in request]);
  const publicToken = issue({ type: "public" }).token;
  const inject = (url: string, token: string) =>
    app.inject({ url, headers: { authorization: `Bearer ${token}` } });
  expect((await inject("/", publicToken)).json()).toEqual(["public", false]);
  expect((await inject("/admin", publicToken)).statusCode).toBe(403);
  expect((await inject("/admin", token)).json()).toEqual([id, id]);
  await app.close();
});

test("fetch: the verdict stands beside what the server passes, and cannot be passed by it", async () => {
  const { verifier, issue } = createWorld();
  const { token, id } = issue();
  const GET = fetchMiddleware.apiKeyAuth({ verifier })<{ params: Promise<{ note: string }> }>(
    async (_request, { params, verdict }) => Response.json([(await params).note, verdict.key.id]),
  );
  const forged = { params: Promise.resolve({ note: "7" }), verdict: { key: { id: "key_forged" } } };
  const response = await GET(new Request("http://127.0.0.1/", bearer(token)), forged);
  expect(await response.json()).toEqual(["7", id]);
});

test.each(
  Object.entries({
    express: expressMiddleware.apiKeyAuth,
    fastify: fastifyMiddleware.apiKeyAuth,
    fetch: fetchMiddleware.apiKeyAuth,
    hono: honoMiddleware.apiKeyAuth,
    node: nodeMiddleware.apiKeyAuth,
  }),
)("%s: an environment that is given and not set is refused at the start", (_, apiKeyAuth) => {
  const { verifier } = createWorld();
  const unset = process.env.LATCHKEY_TEST_NOT_SET;
  // @ts-expect-error: it does not compile either
  expect(() => apiKeyAuth({ verifier, environment: unset })).toThrow(TypeError);
  expect(() => apiKeyAuth({ verifier })).not.toThrow();
});

test("fetch: the refusal of a HEAD has no body for a server to send", async () => {
  const { verifier } = createWorld();
  const handler = fetchMiddleware.apiKeyAuth({ verifier })(() => new Response());
  const refused = await handler(new Request("http://127.0.0.1/", { method: "HEAD" }));
  expect(refused.status).toBe(401);
  expect(refused.body).toBeNull();
});

test("types that change later change nothing", async () => {
  const { verifier, issue } = createWorld();
  const types: ("secret" | "public")[] = ["secret"];
  const handler = fetchMiddleware.apiKeyAuth({ verifier, types })(() => new Response());
  types.push("public");
  const { token } = issue({ type: "public" });
  expect((await handler(new Request("http://127.0.0.1/", bearer(token)))).status).toBe(403);
});

test("what a verifier throws is a 503 that says nothing of it, and onFailure is told why", async () => {
  const thrown = new Error("a secret of ours");
  const verifiers = [
    {
      verify: () => {
        throw thrown;
      },
    },
    { verify: () => Promise.reject(thrown) },
  ];
  for (const verifier of verifiers) {
    const causes: unknown[] = [];
    const onFailure = (failure: Error) => causes.push(failure.cause);
    const handler = fetchMiddleware.apiKeyAuth({ verifier, onFailure })(() => new Response());
    const response = await handler(new Request("http://127.0.0.1/", bearer("sk_x")));
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.text()).not.toContain("secret of ours");
    expect(causes).toEqual([thrown]);
  }
});
