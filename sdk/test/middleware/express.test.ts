import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import express5 from "express";
import express4 from "express4";
import { apiKeyAuth } from "../../src/middleware/express.ts";
import { testMiddleware } from "./suite.ts";

for (const [name, express] of [
  ["Express 5", express5],
  ["Express 4", express4],
] as const)
  testMiddleware({
    name,
    twoHeaders: 400,
    knowsAddress: true,
    serve({ auth, handle, told }) {
      const app = express();
      app.set("env", "test"); // or Express writes a handler's error to the console
      const protect = apiKeyAuth({
        ...auth,
        onFailure(failure, _req, res) {
          const said = told(failure);
          return Promise.resolve(said).then(
            (what) => what === "own" && res.status(502).send("own"),
          );
        },
      });
      app.all(/.*/, protect, (req, res, next) => {
        const seen = { path: req.path, verdict: () => res.locals.verdict, body: () => text(req) };
        handle(seen)
          .then((body) => res.send(body))
          .catch(next); // Express 4 looks at no promise
      });
      return createServer(app);
    },
  });
