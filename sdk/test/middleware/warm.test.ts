import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Request as ExpressRequest, Response as ExpressResponse, NextFunction } from "express";
import { expect, test } from "vitest";
import { apiKeyAuth as express } from "../../src/middleware/express.ts";
import { apiKeyAuth as fetch } from "../../src/middleware/fetch.ts";
import { apiKeyAuth as node } from "../../src/middleware/node.ts";
import { createWorld } from "./world.ts";

/** A world with one key, asked for once, and a request that presents it. */
async function warmWorld() {
  const world = createWorld();
  const { token, id } = world.issue();
  await world.verifier.verify(token, { types: ["secret"] });
  const req = new IncomingMessage(new Socket());
  req.headers.authorization = `Bearer ${token}`;
  return { world, token, id, req, res: new ServerResponse(req) };
}

test("node: a warm key's handler has run, and its value is there, when the listener returns", async () => {
  const { world, id, req, res } = await warmWorld();
  const listener = node({ verifier: world.verifier })((_req, _res, verdict) => verdict.key.id);
  expect(listener(req, res)).toBe(id);
});

test("node: what a warm key's handler throws is thrown by the listener", async () => {
  const { world, req, res } = await warmWorld();
  const listener = node({ verifier: world.verifier })(() => {
    throw new Error("mine");
  });
  expect(() => listener(req, res)).toThrow("mine");
});

test("Express: a warm key's next handler has been called when the middleware returns", async () => {
  const { world, id, req, res } = await warmWorld();
  const locals: Record<string, { key: { id: string } }> = {};
  const calls: string[] = [];
  const next: NextFunction = () => void calls.push(`next with ${locals.verdict?.key.id}`);
  const middleware = express({ verifier: world.verifier });
  middleware(
    req as ExpressRequest,
    Object.assign(res, { locals }) as unknown as ExpressResponse<unknown, never>,
    next,
  );
  expect(calls).toEqual([`next with ${id}`]);
});

test("fetch: a warm key's response is there, with no promise in between", async () => {
  const { world, token, id } = await warmWorld();
  const handler = fetch({ verifier: world.verifier })((_, { verdict }) => {
    return Response.json(verdict.key.id);
  });
  const headers = { Authorization: `Bearer ${token}` };
  const response = handler(new Request("http://127.0.0.1/", { headers }));
  if (!(response instanceof Response)) throw new Error("a promise");
  expect(await response.json()).toBe(id);
});
