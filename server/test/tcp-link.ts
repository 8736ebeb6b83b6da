import { connect, createServer, type Socket } from "node:net";

/** Which way bytes do not get through: what the client sends, what the server sends, or both. */
export type Cut = "requests" | "answers" | "both";

/** A TCP link to a server on loopback that a test can cut where it hurts. */
export interface TcpLink {
  readonly port: number;
  /**
   * From now on nothing passes that way, neither bytes nor the end of a connection, and nobody is told. What is sent
   * is held back as a network holds it that sends again, and arrives late, in order, after {@link TcpLink.heal}.
   * A connection made meanwhile gets no answer at all. Replaces an earlier cut.
   */
  cut(way: Cut): void;
  heal(): void;
  /** Ends every connection as a router does that forgot them: both ends get a reset. New ones pass. */
  reset(): void;
  /** The next request whose bytes contain `text` reaches the server, but its answer is lost with its connection. */
  loseAnswerTo(text: string): void;
  close(): Promise<void>;
}

/** Opens a link to a port of loopback, on a port of its own. */
export async function openTcpLink(targetPort: number): Promise<TcpLink> {
  const blocked = { requests: false, answers: false };
  const isCut = (): boolean => blocked.requests || blocked.answers;
  const sockets = new Set<Socket>();
  /** Connections made during a cut: their handshake is as stuck as everything else. */
  let waiting: Socket[] = [];
  const lanes = new Set<() => void>();
  let losing: string | undefined;

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on("error", () => {}); // its end follows, and that passes on
    socket.on("close", () => sockets.delete(socket));
  }

  /** One way of one connection: bytes and its end pass in order, unless they are held back. */
  function lane(from: Socket, to: Socket, way: keyof typeof blocked): void {
    const held: Buffer[] = [];
    let ended = false;
    const pass = (): void => {
      if (blocked[way]) return;
      for (const bytes of held.splice(0)) to.write(bytes);
      if (!ended) return;
      to.end();
      lanes.delete(pass);
    };
    from.on("data", (bytes) => {
      held.push(bytes);
      pass();
    });
    const end = (): void => {
      ended = true;
      pass();
    };
    from.on("end", end);
    from.on("close", end); // by an error there is no other
    lanes.add(pass);
  }

  function join(client: Socket): void {
    const upstream = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true });
    keep(upstream);
    let doomed = false;
    client.on("data", (bytes) => {
      if (losing === undefined || !bytes.includes(losing)) return;
      losing = undefined;
      doomed = true;
    });
    upstream.on("data", () => {
      if (doomed) client.destroy(); // before the lane below writes to it
    });
    lane(client, upstream, "requests");
    lane(upstream, client, "answers");
    client.resume();
  }

  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => {
    keep(client);
    if (isCut()) waiting.push(client);
    else join(client);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port is free");

  function block(requests: boolean, answers: boolean): void {
    Object.assign(blocked, { requests, answers });
    for (const pass of lanes) pass();
    if (isCut()) return;
    for (const client of waiting) join(client);
    waiting = [];
  }

  return {
    port: address.port,
    cut: (way) => block(way !== "answers", way !== "requests"),
    heal: () => block(false, false),
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
      lanes.clear();
      waiting = [];
    },
    loseAnswerTo(text) {
      losing = text;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
