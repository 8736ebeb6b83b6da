import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { HttpBindings } from "./front.ts";
import { SECURITY_SCHEMES } from "./permit.ts";
import type { Route } from "./route.ts";

/** What routes and mounts are put on: Hono with the request's bindings as `c.env`. */
export type App = OpenAPIHono<{ Bindings: HttpBindings }>;

const problemJson = z
  .object({
    code: z.string(),
    message: z.string(),
    status: z.number().int(),
    type: z.enum([
      "authentication_error",
      "invalid_request_error",
      "api_error",
      "rate_limit_error",
    ]),
    request_id: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem");

const idempotencyKey = z
  .string()
  .optional()
  .openapi({ description: "Makes it safe to send this request again, for 24 hours." });

const accountHeader = z
  .string()
  .optional()
  .openapi({ description: "Slug of the account, with a session; a service token has its own." });

const problems = {
  description: "What went wrong; docs/errors.md lists every code.",
  content: { "application/json": { schema: problemJson } },
};

/** Describes a route from the very value that serves it. */
export function describeRoute(app: App, route: Route): void {
  const answer = {
    content: {
      "application/json": { schema: route.response },
      ...Object.fromEntries(route.files.map((type) => [type, { schema: z.string() }])),
    },
  };
  const responses = Object.fromEntries(
    route.statuses.map((status) => [status, { ...answer, description: STATUS_MEANS[status] }]),
  );
  app.openAPIRegistry.registerPath({
    method: route.method,
    path: route.path.replaceAll(/:(\w+)/g, "{$1}"),
    summary: route.summary,
    security: route.schemes.map((scheme) => ({ [scheme]: [] })),
    request: {
      params: route.params,
      query: route.query,
      headers: z.object({
        ...(isOfAccount(route) ? { "Latchkey-Account": accountHeader } : {}),
        ...(route.once ? { "Idempotency-Key": idempotencyKey } : {}),
      }),
      ...(takesBody(route) ? { body: describeBody(route) } : {}),
    },
    responses: { ...responses, default: problems },
  });
}

/** The OpenAPI document of every route described so far. */
export function openApiDocument(
  app: App,
  version: string,
): ReturnType<OpenAPIHono["getOpenAPI31Document"]> {
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES))
    app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Latchkey",
      version,
      description: "API keys whose revocation is immediate.",
      license: { name: "MIT" },
    },
    servers: [{ url: "/" }],
  });
}

const STATUS_MEANS = {
  101: "The WebSocket of subprotocol latchkey.v1 is open.",
  200: "Done.",
  201: "Created.",
  202: "Stored, and under way.",
} as const;

function describeBody({ body }: Route) {
  const content = { "application/json": { schema: body } };
  return { content, required: !body.safeParse({}).success };
}

function isOfAccount({ schemes }: Route): boolean {
  return schemes.includes("service_token") && schemes.includes("session");
}

function takesBody(route: Route): boolean {
  return route.method === "post" || route.method === "patch";
}
