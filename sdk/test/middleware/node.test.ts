import { createServer, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { apiKeyAuth } from "../../src/middleware/node.ts";
import { testMiddleware } from "./suite.ts";

testMiddleware({
  name: "node:http",
  twoHeaders: 400,
  knowsAddress: true,
  serve({ auth, handle, told }) {
    const protect = apiKeyAuth({
      ...auth,
      onFailure(failure, _req, res) {
        const said = told(failure);
        return Promise.resolve(said).then((what) => what === "own" && answer(res, 502, "own"));
      },
    });
    const listener = protect((req, res, verdict) =>
      handle({ path: req.url ?? "", verdict: () => verdict, body: () => text(req) }).then((body) =>
        answer(res, 200, body),
      ),
    );
    return createServer(async (req, res) => {
      try {
        await listener(req, res);
      } catch {
        answer(res, 500, "the handler failed");
      }
    });
  },
});

function answer(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status).end(body);
}
