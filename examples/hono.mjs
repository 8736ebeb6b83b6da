// A notes API on Hono: `npm i hono @hono/node-server @latchkey/sdk`, then `node hono.mjs` with LATCHKEY_VERIFIER_TOKEN set.
import { serve } from "@hono/node-server";
import { connectVerifier } from "@latchkey/sdk";
import { apiKeyAuth } from "@latchkey/sdk/hono";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";

const verifier = await connectVerifier({
  url: process.env.LATCHKEY_URL ?? "http://127.0.0.1:4400",
  token: process.env.LATCHKEY_VERIFIER_TOKEN,
});
const notesOf = new Map(); // environment id → notes: the wall between environments

const app = new Hono();
app.get("/health", (c) => c.text("ok")); // open
app.use("/notes", apiKeyAuth({ verifier }), bodyLimit({ maxSize: 16 * 1024 }));
app.get("/notes", (c) => {
  const { environment } = c.get("verdict").key;
  return c.json({ environment: environment.slug, notes: notesOf.get(environment.id) ?? [] });
});
app.post("/notes", async (c) => {
  const { environment } = c.get("verdict").key;
  notesOf.set(environment.id, [...(notesOf.get(environment.id) ?? []), await c.req.text()]);
  return c.body(null, 201);
});

const server = serve(
  { fetch: app.fetch, hostname: "127.0.0.1", port: process.env.PORT ?? 3000 },
  (at) => console.log(`The notes API listens on http://127.0.0.1:${at.port}`),
);
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    server.close();
    verifier.close(); // a revocation need not wait for a verifier that said goodbye
  });
