import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { apiKeyAuth } from "../../src/middleware/fetch.ts";
import { testMiddleware } from "./suite.ts";

testMiddleware({
  name: "fetch",
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
