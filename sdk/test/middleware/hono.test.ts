import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { apiKeyAuth } from "../../src/middleware/hono.ts";
import { testMiddleware } from "./suite.ts";

testMiddleware({
  name: "Hono",
  twoHeaders: 401,
  knowsAddress: true,
  serve({ auth, handle, told }) {
    const app = new Hono();
    const protect = apiKeyAuth({
      ...auth,
      onFailure(failure, c) {
        const said = told(failure);
        return Promise.resolve(said).then((what) => (what === "own" ? c.text("own", 502) : what));
      },
    });
    app.all("*", protect, async (c) =>
      c.text(
        await handle({
          path: c.req.path,
          verdict: () => c.get("verdict"),
          body: () => c.req.text(),
        }),
      ),
    );
    app.onError((_error, c) => c.text("the handler failed", 500));
    return createServer(getRequestListener(app.fetch));
  },
});
