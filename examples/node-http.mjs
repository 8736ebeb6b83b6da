// API keys with node:http alone: `npm i @latchkey/sdk`, then `node node-http.mjs` with LATCHKEY_VERIFIER_TOKEN set.
import { createServer } from "node:http";
import { connectVerifier } from "@latchkey/sdk";
import { apiKeyAuth } from "@latchkey/sdk/node";

const verifier = await connectVerifier({
  url: process.env.LATCHKEY_URL ?? "http://127.0.0.1:4400",
  token: process.env.LATCHKEY_VERIFIER_TOKEN,
});
const protect = apiKeyAuth({ verifier, onFailure: (failure) => console.error(failure.message) });
const notesOf = new Map(); // environment id → notes: the wall between environments

const notes = protect((req, res, { key: { environment } }) => {
  if (req.method !== "GET") return res.writeHead(405, { Allow: "GET" }).end();
  const mine = notesOf.get(environment.id) ?? [];
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ environment: environment.slug, notes: mine }));
});

const server = createServer((req, res) => {
  if (req.url === "/health") return res.end("ok"); // open
  if (req.url === "/notes") return notes(req, res);
  res.writeHead(404).end();
});
server.listen(process.env.PORT ?? 3000, "127.0.0.1", () =>
  console.log(`The notes API listens on http://127.0.0.1:${server.address().port}`),
);
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    server.close();
    verifier.close(); // a revocation need not wait for a verifier that said goodbye
  });
