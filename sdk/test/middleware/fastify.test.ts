import Fastify from "fastify";
import { apiKeyAuth } from "../../src/middleware/fastify.ts";
import { testMiddleware } from "./suite.ts";

testMiddleware({
  name: "Fastify 5",
  twoHeaders: 400,
  knowsAddress: true,
  async serve({ auth, handle, told }) {
    const app = Fastify({ forceCloseConnections: true });
    await app.register(
      apiKeyAuth({
        ...auth,
        onFailure(failure, _request, reply) {
          const said = told(failure);
          return Promise.resolve(said).then(
            (what) => what === "own" && reply.code(502).send("own"),
          );
        },
      }),
    );
    app.all("/*", (request) =>
      handle({
        path: request.url,
        verdict: () => request.verdict,
        body: async () => String(request.body),
      }),
    );
    await app.ready();
    return app.server;
  },
});
