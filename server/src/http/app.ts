import { OpenAPIHono } from "@hono/zod-openapi";
import { Failure } from "@latchkey/sdk/core";
import type { Context } from "hono";
import { ownAccountRoutes } from "./account.ts";
import { accountRoutes } from "./accounts.ts";
import { auditRoutes } from "./audit-logs.ts";
import { type CallerDeps, createCallers } from "./callers.ts";
import { mountDocs } from "./docs.ts";
import { environmentRoutes } from "./environments.ts";
import { exchangeRoutes } from "./exchange.ts";
import type { HttpBindings } from "./front.ts";
import { type InvitationRouteDeps, invitationRoutes } from "./invitations.ts";
import { keyRoutes } from "./keys.ts";
import { meRoutes } from "./me.ts";
import { memberRoutes } from "./members.ts";
import { type App, describeRoute, openApiDocument } from "./openapi.ts";
import { type OwnAccountsDeps, ownAccountsRoutes } from "./own-accounts.ts";
import { checkEncoding } from "./parse.ts";
import { problemOf, problemOfRefusal, problemResponse } from "./problem.ts";
import { refusalRoutes } from "./refusals.ts";
import { rotationRoutes } from "./rotation.ts";
import type { Route, RouteDeps } from "./route.ts";
import { serviceTokenRoutes } from "./service-tokens.ts";
import type { SignIn } from "./sign-in.ts";
import { linkRoutes } from "./sign-in-links.ts";
import { fileResponse } from "./streamed-file.ts";
import { tokenRoutes } from "./tokens.ts";
import { usageRoutes } from "./usage.ts";
import { verifyRoutes } from "./verify.ts";
import { whoamiRoutes } from "./whoami.ts";

export interface AppDeps extends OwnAccountsDeps, CallerDeps, InvitationRouteDeps {
  /** Whether a verification could be decided now. */
  ready(): boolean | Promise<boolean>;
  /** Whether anybody may sign up and make an account. */
  readonly signUpOpen: boolean;
  /** Keeps what lets a person choose a new password, once. */
  readonly keepResetToken: SignIn["keepResetToken"];
  /** Of the OpenAPI document. */
  readonly version: string;
  /** Puts on what is no route of the management API: set-up, sign-in. Nothing here is in the OpenAPI document. */
  readonly mount?: (app: App) => void;
  /** Answers whatever is left outside `/v1`: the dashboard. */
  readonly fallback?: (request: Request, from: HttpBindings) => Response | Promise<Response>;
}

/** The management API, its documentation and what is mounted beside it. `fetch` always resolves. */
export interface HttpApp {
  fetch(request: Request, from: HttpBindings): Promise<Response>;
}

/** Every route of the management API, as values. */
export function managementRoutes(deps: AppDeps): readonly Route[] {
  return [
    ...whoamiRoutes(deps.store),
    ...meRoutes(deps),
    ...accountRoutes(deps),
    ...ownAccountsRoutes(deps),
    ...ownAccountRoutes(deps),
    ...memberRoutes(deps),
    ...invitationRoutes(deps),
    ...environmentRoutes(deps),
    ...tokenRoutes(deps),
    ...serviceTokenRoutes(deps),
    ...verifyRoutes(deps.verify),
    ...exchangeRoutes(deps),
    ...keyRoutes(deps),
    ...rotationRoutes(deps),
    ...usageRoutes(deps),
    ...refusalRoutes(deps),
    ...auditRoutes(deps),
    ...linkRoutes(deps),
  ];
}

/** Assembles the HTTP interface, the hot route and the WebSocket excepted: those stand in front of it. */
export function createApp(deps: AppDeps): HttpApp {
  const app: App = new OpenAPIHono();
  const routeDeps: RouteDeps = { callers: createCallers(deps), ambient: deps.ambient };

  app.use(async (c, next) => {
    checkEncoding(new URL(c.req.url));
    await next();
  });
  const routes = managementRoutes(deps);
  for (const route of routes) mountRoute(app, routeDeps, route);
  deps.mount?.(app);
  mountWrongMethods(app, routes);
  app.all("/v1/*", missing);
  mountHealth(app, deps);
  mountDocs(app);
  const document = openApiDocument(app, deps.version);
  app.get("/openapi.json", (c) => c.json(document));
  const { fallback } = deps;
  if (fallback !== undefined) app.all("*", (c) => fallback(c.req.raw, c.env));
  app.notFound(missing);
  app.onError((error, c) => failed(error, c.env));

  /** Unknown errors are ours, and so are outages; what callers did wrong is theirs to know. */
  function failed(error: unknown, from: HttpBindings): Response {
    const problem = problemOf(error, from.requestId);
    if (problem.status >= 500)
      deps.logger.error({ err: error, requestId: from.requestId }, "a request failed");
    return problemResponse(problem);
  }

  return {
    async fetch(request, from) {
      let response: Response;
      try {
        response = await app.fetch(request, from);
      } catch (error) {
        response = failed(error, from);
      }
      return withHeaders(response, request, from.requestId);
    },
  };
}

function mountRoute(app: App, deps: RouteDeps, route: Route): void {
  describeRoute(app, route);
  app.on(route.method, route.path, async (c) => {
    const answer = await route.respond(deps, c.req.raw, c.req.param(), c.env);
    if ("refusal" in answer) return problemResponse(problemOfRefusal(answer));
    if ("file" in answer) return fileResponse(answer.file);
    const headers = new Headers(answer.replayed === true ? { "Idempotent-Replayed": "true" } : {});
    return Response.json(answer.body, { status: answer.status, headers });
  });
}

/** A method that a known path does not have is told apart from an unknown path (RFC 9110, section 15.5.6). */
function mountWrongMethods(app: App, routes: readonly Route[]): void {
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes)
    methods.set(path, [
      ...(methods.get(path) ?? []),
      ...(method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]),
    ]);
  for (const [path, allowed] of methods)
    app.all(path, (c) => {
      const failure = new Failure("method_not_allowed", `This path takes ${allowed.join(", ")}.`);
      return problemResponse(problemOf(failure, c.env.requestId), { Allow: allowed.join(", ") });
    });
}

/** For whoever watches the process: whether it lives, and whether it could decide a verification. */
function mountHealth(app: App, deps: Pick<AppDeps, "ready">): void {
  const headers = { "Cache-Control": "no-store" };
  app.get("/healthz", (c) => c.json({ status: "ok" }, 200, headers));
  app.get("/readyz", async (c) => {
    if (await deps.ready()) return c.json({ status: "ready" }, 200, headers);
    const failure = new Failure("service_unavailable", "No verification can be decided now.");
    return problemResponse(problemOf(failure, c.env.requestId), headers);
  });
}

function missing(c: Context<{ Bindings: HttpBindings }>): Response {
  const failure = new Failure("resource_missing", "There is no such path.");
  return problemResponse(problemOf(failure, c.env.requestId));
}

/** What every response carries, whoever made it. Answers of the API hold secrets, so nobody may keep them. */
function withHeaders(response: Response, request: Request, requestId: string): Response {
  const headers = new Headers(response.headers);
  headers.set("X-Request-Id", requestId);
  headers.set("X-Content-Type-Options", "nosniff");
  const { pathname } = new URL(request.url);
  if (pathname === "/v1" || pathname.startsWith("/v1/")) headers.set("Cache-Control", "no-store");
  return new Response(response.body, { status: response.status, headers });
}
