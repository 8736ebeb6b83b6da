import type { IncomingMessage, ServerResponse } from "node:http";
import express, { type RequestHandler } from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { expectTypeOf, test } from "vitest";
import { apiKeyAuth as forExpress } from "../../src/middleware/express.ts";
import { apiKeyAuth as forFastify } from "../../src/middleware/fastify.ts";
import { apiKeyAuth as forFetch } from "../../src/middleware/fetch.ts";
import { apiKeyAuth as forHono } from "../../src/middleware/hono.ts";
import { apiKeyAuth as forNext } from "../../src/middleware/next.ts";
import { apiKeyAuth as forNode } from "../../src/middleware/node.ts";
import type { Accepted } from "../../src/verdict.ts";
import { createWorld } from "./world.ts";

/** `tsc -b` holds these; running them shows only that nothing throws. No handler looks at `ok`. */
const { verifier } = createWorld();

test("Hono's handlers see an accepted verdict, and only behind the middleware", () => {
  const app = new Hono();
  app.get("/notes/:note", forHono({ verifier }), (c) => {
    expectTypeOf(c.get("verdict")).toEqualTypeOf<Accepted>();
    expectTypeOf(c.var.verdict.key.environment.slug).toEqualTypeOf<string>();
    expectTypeOf(c.req.param("note")).toEqualTypeOf<string>();
    return c.body(null);
  });
  app.get("/caller", forHono({ verifier, as: "caller" }), (c) => {
    expectTypeOf(c.get("caller").key.account.externalId).toEqualTypeOf<string | null>();
    // @ts-expect-error: it is called otherwise here
    return c.json(c.get("verdict"));
  });
  // @ts-expect-error: this route is open
  app.get("/open", (c) => c.json(c.get("verdict")));
  new Hono().use(forHono({ verifier })).get("/", (c) => {
    expectTypeOf(c.get("verdict")).toEqualTypeOf<Accepted>();
    return c.body(null);
  });
});

test("Express's handlers see an accepted verdict, their own parameters, and no other local", () => {
  const app = express();
  app.get("/notes/:note", forExpress({ verifier }), (req, res) => {
    expectTypeOf(res.locals.verdict).toEqualTypeOf<Accepted>();
    expectTypeOf(res.locals.verdict.key.environment.slug).toEqualTypeOf<string>();
    expectTypeOf(req.params.note).toEqualTypeOf<string>();
  });
  app.get("/caller", forExpress({ verifier, as: "caller" }), (_req, res) => {
    expectTypeOf(res.locals.caller).toEqualTypeOf<Accepted>();
    // @ts-expect-error: it is called otherwise here
    res.json(res.locals.verdict);
  });
  const answer: RequestHandler = (_req, res) => void res.end();
  app.use(forExpress({ verifier }));
  app.use("/notes", forExpress({ verifier }), express.Router());
  app.get("/listed", [forExpress({ verifier }), answer]);
});

test("Fastify's requests have an accepted verdict", () => {
  const app = Fastify();
  app.register(forFastify({ verifier }));
  app.get<{ Params: { note: string } }>("/notes/:note", (request) => {
    expectTypeOf(request.verdict).toEqualTypeOf<Accepted>();
    expectTypeOf(request.verdict.key.environment.slug).toEqualTypeOf<string>();
    expectTypeOf(request.params.note).toEqualTypeOf<string>();
  });
});

test("a handler of node:http is given an accepted verdict", () => {
  const listener = forNode({ verifier, types: ["public"], environment: "production" })(
    (req, res, verdict) => {
      expectTypeOf(req).toEqualTypeOf<IncomingMessage>();
      expectTypeOf(res).toEqualTypeOf<ServerResponse>();
      expectTypeOf(verdict.key.environment.slug).toEqualTypeOf<string>();
    },
  );
  expectTypeOf(listener).toBeCallableWith({} as IncomingMessage, {} as ServerResponse);
});

test("a fetch handler finds an accepted verdict beside its server's context", () => {
  const handler = forFetch({ verifier })((request, context) => {
    expectTypeOf(request).toEqualTypeOf<Request>();
    expectTypeOf(context.verdict.key.environment.slug).toEqualTypeOf<string>();
    return new Response();
  });
  expectTypeOf(handler).toBeCallableWith(new Request("http://127.0.0.1/"));
});

test("a route handler of Next.js has the type that Next.js asks of it, however it says its own", () => {
  class NextRequest extends Request {
    readonly nextUrl = new URL("http://127.0.0.1/");
  }
  type Params = Promise<{ note: string }>;
  /** As in the types that Next.js generates for an app's routes. */
  type RouteHandler = (
    request: NextRequest,
    context: { params: Params },
  ) => Promise<Response | undefined> | Response | undefined;

  const protect = forNext({ verifier });
  const plain = protect(async (_request, { verdict }) => Response.json(verdict.key.id));
  const byArgument = protect<{ params: Params }>(async (_request, { params, verdict }) =>
    Response.json([(await params).note, verdict.key.id]),
  );
  const byAnnotation = protect(
    async (request: NextRequest, context: { params: Params; verdict: Accepted }) =>
      Response.json([request.nextUrl.pathname, (await context.params).note, context.verdict.key]),
  );
  expectTypeOf(plain).toExtend<RouteHandler>();
  expectTypeOf(byArgument).toExtend<RouteHandler>();
  expectTypeOf(byAnnotation).toExtend<RouteHandler>();
});
