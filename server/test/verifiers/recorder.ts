import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** One connection through a {@link Recorder}. */
export interface Recorded {
  /** What the client said before it spoke WebSocket: one request, or several. */
  head(): string;
  /** The frames that the client sent since, unmasked, in order; the text of each. */
  texts(): string[];
}

/** A way to a server that keeps every byte that the client sends. */
export interface Recorder {
  readonly port: number;
  readonly connections: readonly Recorded[];
  /** The text frames of all connections so far. */
  texts(): string[];
  /** Ends every connection; new ones pass. */
  reset(): void;
  close(): Promise<void>;
}

/** Opens a recorder in front of a port of loopback. */
export async function openRecorder(targetPort: number): Promise<Recorder> {
  const connections: Recorded[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, "127.0.0.1");
    const parts: Buffer[] = [];
    connections.push({
      head: () => split(Buffer.concat(parts)).head,
      texts: () => textsOf(split(Buffer.concat(parts)).rest),
    });
    client.on("data", (bytes) => parts.push(bytes));
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => {}); // a close follows
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port is free");
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    connections,
    texts: () => connections.flatMap((each) => each.texts()),
    reset,
    async close() {
      reset();
      server.close();
      await once(server, "close");
    },
  };
}

function split(bytes: Buffer): { head: string; rest: Buffer } {
  const end = bytes.indexOf("\r\n\r\n");
  const isWebSocket = /^Upgrade: websocket/im.test(bytes.subarray(0, end).toString("latin1"));
  if (end === -1 || !isWebSocket) return { head: bytes.toString("latin1"), rest: Buffer.alloc(0) };
  return { head: bytes.subarray(0, end).toString("latin1"), rest: bytes.subarray(end + 4) };
}

/** Text frames of a client, which masks each (RFC 6455, section 5.2). */
function textsOf(bytes: Buffer): string[] {
  const texts: string[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const opcode = bytes.readUInt8(at) & 0x0f;
    let length = bytes.readUInt8(at + 1) & 0x7f;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    const mask = bytes.subarray(at, at + 4);
    const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length));
    for (let index = 0; index < payload.length; index++)
      payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
    if (opcode === 1 && payload.length === length) texts.push(payload.toString());
    at += 4 + length;
  }
  return texts;
}
