/**
 * An app below the nodes, as small as one can be: it verifies in its own process, with the SDK as it was built, and
 * answers as a node's /v1/authenticate does. To those who ask it is one more place that verifies.
 *
 * `held` says whether it decided by what it held. `/readyz` says whether it is connected to a node.
 */

import { createServer } from "node:http";
import { connectVerifier } from "@latchkey/sdk";

/** Shorter than whoever starts it again waits. */
const CONNECT_TIMEOUT_MS = 5_000;

const { URLS, TOKEN, PORT } = process.env;

const verifier = await connectVerifier({
  urls: URLS.split(" "),
  token: TOKEN,
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
});

const server = createServer(async (req, res) => {
  if (req.url === "/readyz") {
    res.writeHead(verifier.state === "connected" ? 200 : 503).end();
    return;
  }
  const { authorization, "user-agent": userAgent = null } = req.headers;
  const caller = { address: req.socket.remoteAddress ?? null, userAgent };
  const decided = verifier.verify(authorization, { types: ["secret"] }, undefined, caller);
  const headers = { held: String(!(decided instanceof Promise)) };
  try {
    const verdict = await decided;
    res.writeHead(verdict.ok ? 200 : verdict.refusal.status, headers).end();
  } catch (error) {
    res.writeHead(error.code === "verification_unavailable" ? 503 : 500, headers).end();
  }
});

// Nothing calls process.exit: an SDK that was closed must keep no process alive.
process.once("SIGTERM", async () => {
  server.close();
  await verifier.close();
  server.closeAllConnections();
});

server.listen(Number(PORT), "127.0.0.1", () => {
  process.stdout.write(`listens on ${PORT}\n`);
});
