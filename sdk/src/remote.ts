import { downwardParser } from "./lease/downward.ts";
import {
  type Downward,
  FRAME_BOUNDS,
  frameReader,
  frameWriter,
  SUBPROTOCOL,
  type Upward,
} from "./lease/frames.ts";
import type { Connection } from "./lease/upstream.ts";

/** What the SDK uses of a WebSocket: that of Bun, or of `ws`. */
interface Socket {
  send(data: string): void;
  close(): void;
  /** Ends it without waiting for the node. */
  terminate(): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
  readonly readyState: number;
}

/** Opens a socket that sends `Authorization` with its handshake. */
type OpenSocket = (url: string, headers: Readonly<Record<string, string>>) => Socket;

const OPEN = 1;

/** How long a node may take to close its end; a hung one keeps no process alive for longer. */
const CLOSE_MAX_MS = 1_000;

/**
 * Bun's own WebSocket, which sends headers and can be terminated; elsewhere that of `ws`. Node's own cannot be: a node that
 * hangs would keep the process alive for as long. What else stands in that global name may be anything, e.g. Next.js's.
 */
async function socketOpener(): Promise<OpenSocket> {
  if ("Bun" in globalThis) {
    const Native = globalThis.WebSocket as unknown as new (url: string, options: object) => Socket;
    return (url, headers) => new Native(url, { protocols: [SUBPROTOCOL], headers });
  }
  const { WebSocket } = await import("ws");
  const maxPayload = FRAME_BOUNDS.downBytesMax;
  return (url, headers) =>
    new WebSocket(url, SUBPROTOCOL, { headers, perMessageDeflate: false, maxPayload });
}

export interface RemoteOptions {
  /** Origins of nodes, each of them `http:` or `https:`. */
  readonly urls: readonly string[];
  readonly token: string;
  /** 0 up to 1: which node is tried first. */
  random(): number;
}

/** Ways to the nodes: see {@link createRemote}. */
export interface Remote {
  /** Opens a connection to the next node. */
  open(listener: { frame(frame: Downward): void; closed(): void }): Connection<Upward>;
  /** Calls back when a node says that it will not have this verifier: looks into each failure until ended. */
  onRefused(listener: () => void): () => void;
}

/** How long a node may take to say why it refused. */
const PROBE_MAX_MS = 2_000;

/** Opens connections to the nodes in turn, beginning with any of them. */
export async function createRemote(options: RemoteOptions): Promise<Remote> {
  const openSocket = await socketOpener();
  const { urls, token, random } = options;
  let turn = Math.floor(random() * urls.length);
  let refused: (() => void) | null = null;
  const headers = { Authorization: `Bearer ${token}` };

  /** A failed handshake does not tell why, a plain request does. */
  async function probe(url: URL): Promise<void> {
    const signal = AbortSignal.timeout(PROBE_MAX_MS);
    const answer = await fetch(url, { headers, signal, redirect: "error" }).catch(() => null);
    await answer?.body?.cancel().catch(() => {});
    if (answer?.status === 401) refused?.();
  }

  return {
    open({ frame, closed }) {
      const url = new URL("/v1/verifier", urls[turn % urls.length]);
      turn += 1;
      const address = new URL(url);
      address.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      return connectionOn(openSocket(address.href, headers), {
        frame,
        closed() {
          closed();
          if (refused !== null) void probe(url);
        },
      });
    },
    onRefused(listener) {
      refused = listener;
      return () => {
        refused = null;
      };
    },
  };
}

function connectionOn(
  socket: Socket,
  listener: { frame(frame: Downward): void; closed(): void },
): Connection<Upward> {
  const write = frameWriter<Upward>();
  const read = frameReader(FRAME_BOUNDS.downBytesMax, downwardParser());
  let over = false;
  let force: ReturnType<typeof setTimeout> | undefined;
  const close = (): void => {
    if (over) return;
    over = true;
    socket.close();
    force = setTimeout(() => socket.terminate(), CLOSE_MAX_MS);
  };
  const end = (): void => {
    if (over) return;
    close();
    listener.closed();
  };
  socket.addEventListener("message", ({ data }) => {
    if (over) return;
    let frame: Downward;
    try {
      frame = read(data);
    } catch {
      return end();
    }
    listener.frame(frame);
  });
  socket.addEventListener("error", end); // a close follows
  socket.addEventListener("close", () => {
    end();
    clearTimeout(force);
  });
  return {
    send(frame) {
      if (!over && socket.readyState === OPEN) socket.send(write(frame));
    },
    close,
  };
}
