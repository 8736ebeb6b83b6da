// A WebSocket server that drops a client when its key is revoked: `npm i ws @latchkey/sdk`, then `node websocket.mjs`.
import { createServer } from "node:http";
import { connectVerifier } from "@latchkey/sdk";
import { WebSocketServer } from "ws";

const verifier = await connectVerifier({
  url: process.env.LATCHKEY_URL ?? "http://127.0.0.1:4400",
  token: process.env.LATCHKEY_VERIFIER_TOKEN,
});
const sockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 });
const server = createServer((_req, res) => res.writeHead(426, { Upgrade: "websocket" }).end());

server.on("upgrade", async (req, socket, head) => {
  socket.on("error", () => socket.destroy());
  const refuse = (status) => socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  try {
    const verdict = await verifier.verify(req.headers.authorization, { types: ["secret"] });
    if (!verdict.ok) return refuse(`${verdict.refusal.status} ${verdict.refusal.code}`);
    sockets.handleUpgrade(req, socket, head, (client) => serve(client, verdict.key));
  } catch {
    refuse("503 verification_unavailable\r\nRetry-After: 1"); // could not be decided: no refusal
  }
});

function serve(client, { id, environment }) {
  client.on("error", () => client.terminate());
  client.on("message", (data) => client.send(`${environment.slug} heard: ${data}`));
  const endWatch = verifier.onRevoked(id, () => {
    client.removeAllListeners("message"); // a client that does not answer the close is not served either
    client.close(1008, "The API key was revoked.");
  });
  client.on("close", endWatch);
}

server.listen(process.env.PORT ?? 3000, "127.0.0.1", () =>
  console.log(`WebSockets are served on ws://127.0.0.1:${server.address().port}`),
);
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => verifier.close().finally(() => process.exit()));
