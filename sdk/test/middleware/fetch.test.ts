import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import * as fetchMiddleware from "../../src/middleware/fetch.ts";
import * as nextMiddleware from "../../src/middleware/next.ts";
import { testMiddleware } from "./suite.ts";

for (const [name, { apiKeyAuth }] of [
  ["fetch", fetchMiddleware],
  ["Next.js", nextMiddleware],
] as const)
  testMiddleware({
    name,
    twoHeaders: 401,
    knowsAddress: false,
    serve({ auth, handle, told }) {
      const protect = apiKeyAuth({
        ...auth,
        onFailure(failure) {
          const said = told(failure);
          return Promise.resolve(said).then((what) =>
            what === "own" ? new Response("own", { status: 502 }) : what,
          );
        },
      });
      const handler = protect(async (request, { verdict }) => {
        const path = new URL(request.url).pathname;
        const body = await handle({ path, verdict: () => verdict, body: () => request.text() });
        return new Response(request.method === "HEAD" ? null : body);
      });
      return createServer(
        getRequestListener(async (request) => handler(request), {
          errorHandler: () => new Response("the handler failed", { status: 500 }),
        }),
      );
    },
  });
