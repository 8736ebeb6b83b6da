import { connect, createServer, type Socket } from "node:net";

/** A TCP link to a server on loopback that a test can cut where it hurts. */
export interface LossyProxy {
  readonly port: number;
  /** The next request whose bytes contain `text` reaches the server, but its answer is lost with its connection. */
  loseAnswerTo(text: string): void;
  /** From now on nothing comes back, and no connection is closed; until called with `false`. */
  silence(silent: boolean): void;
  close(): Promise<void>;
}

export async function openLossyProxy(targetPort: number): Promise<LossyProxy> {
  let losing: string | undefined;
  let silent = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, "127.0.0.1");
    let doomed = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (bytes) => {
      if (losing !== undefined && bytes.includes(losing)) {
        losing = undefined;
        doomed = true;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (doomed) client.destroy();
      else if (!silent) client.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return {
    port: address.port,
    loseAnswerTo(text) {
      losing = text;
    },
    silence(on) {
      silent = on;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
