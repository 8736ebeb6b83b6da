// A notes API on Express 4 or 5: `npm i express @latchkey/sdk`, then `node express.mjs` with LATCHKEY_VERIFIER_TOKEN set.
import { connectVerifier } from "@latchkey/sdk";
import { apiKeyAuth } from "@latchkey/sdk/express";
import express from "express";

const verifier = await connectVerifier({
  url: process.env.LATCHKEY_URL ?? "http://127.0.0.1:4400",
  token: process.env.LATCHKEY_VERIFIER_TOKEN,
});
const notesOf = new Map(); // environment id → notes: the wall between environments

const app = express();
app.get("/health", (_req, res) => res.send("ok")); // open
app.use("/notes", apiKeyAuth({ verifier })); // before the body is read
app.get("/notes", (_req, res) => {
  const { environment } = res.locals.verdict.key;
  res.json({ environment: environment.slug, notes: notesOf.get(environment.id) ?? [] });
});
app.post("/notes", express.text({ limit: "16kb" }), (req, res) => {
  const { environment } = res.locals.verdict.key;
  notesOf.set(environment.id, [...(notesOf.get(environment.id) ?? []), req.body]);
  res.status(201).end();
});

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () =>
  console.log(`The notes API listens on http://127.0.0.1:${server.address().port}`),
);
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    server.close();
    verifier.close(); // a revocation need not wait for a verifier that said goodbye
  });
