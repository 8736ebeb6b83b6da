/**
 * Measures what a node's processor spends on a change and its acknowledgement over real WebSockets, with the product's own
 * writing and reading of frames: many verifiers on one machine, without TLS.
 *
 * Called by itself it is the node, and starts itself again as the verifiers.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";
import { FRAME_BOUNDS, frameReader, frameWriter } from "../../sdk/dist/core.js";
import { parseUpward } from "../../server/dist/http/verifier-frames.js";

const CONNECTIONS = 500;
const CHANGES = 200;
const SUBJECT = "A".repeat(43);

if (process.argv[2] === "verifiers") await beVerifiers(process.argv[3]);
else process.stdout.write(JSON.stringify(await measure()));

async function beVerifiers(port) {
  for (let at = 0; at < CONNECTIONS; at++) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    const write = frameWriter();
    socket.on("message", (data) => {
      socket.send(write({ type: "ack", seq: JSON.parse(data.toString()).change.seq }));
    });
    await once(socket, "open");
  }
}

async function measure() {
  const node = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await once(node, "listening");
  const verifiers = fork(new URL(import.meta.url).pathname, [
    "verifiers",
    `${node.address().port}`,
  ]);
  const sessions = [];
  let acked = 0;
  let allAcked = () => {};
  await new Promise((connected) => {
    node.on("connection", (socket) => {
      const read = frameReader(FRAME_BOUNDS.upBytesMax, parseUpward);
      socket.on("message", (data) => {
        if (read(String(data)).type === "ack" && ++acked % CONNECTIONS === 0) allAcked();
      });
      if (sessions.push({ socket, write: frameWriter() }) === CONNECTIONS) connected();
    });
  });
  async function change(seq) {
    const everybody = new Promise((resolve) => {
      allAcked = resolve;
    });
    const frame = { type: "change", change: { seq, kind: "key", subject: SUBJECT } };
    for (const { socket, write } of sessions) socket.send(write(frame));
    await everybody;
  }
  for (let seq = 1; seq <= CHANGES / 4; seq++) await change(seq);
  const before = process.cpuUsage();
  for (let seq = 1; seq <= CHANGES; seq++) await change(seq);
  const { user, system } = process.cpuUsage(before);
  for (const { socket } of sessions) socket.terminate();
  verifiers.kill();
  node.close();
  return { us: (user + system) / (CHANGES * CONNECTIONS) };
}
