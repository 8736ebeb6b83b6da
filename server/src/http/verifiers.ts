import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import {
  type Downward,
  digestToken,
  Failure,
  FRAME_BOUNDS,
  frameReader,
  frameWriter,
  SUBPROTOCOL,
} from "@latchkey/sdk/core";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import type { Ambient } from "../ambient.ts";
import type { Verification } from "../domain/verification.ts";
import type { AccessToken, Store } from "../store/store.ts";
import { expectToken } from "./bearer.ts";
import { parseUpward } from "./verifier-frames.ts";

/** Where verifiers in other processes connect. */
export const VERIFIER_PATH = "/v1/verifier";

/** Verifiers below one node; the next is sent to another. */
const VERIFIERS_MAX = 10_000;

/** Bytes that may wait for a slow verifier; past it the connection is ended, and its sub-lease waited out. */
const BUFFERED_BYTES_MAX = 4 * 1024 * 1024;

/** How long a verifier may take to close its end. */
const CLOSE_MAX_MS = 2_000;

/** Why a connection is closed (RFC 6455, section 7.4.1): it broke the protocol. */
const POLICY_VIOLATION = 1008;

/** Connections of verifiers: see {@link createVerifiers}. */
export interface Verifiers {
  /**
   * Takes a connection over and begins a session.
   *
   * @throws Failure as a rejection: what to answer instead.
   */
  upgrade(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void>;
  /** Ends every connection, politely or not. */
  close(): void;
}

/**
 * The transport below this node: one WebSocket for each verifier, with a verifier token in `Authorization`. Browsers
 * have no business here: any `Origin` or cookie is refused.
 */
export function createVerifiers(options: {
  readonly below: Verification["below"];
  readonly store: Pick<Store, "findToken" | "recordTokenUsed">;
  readonly ambient: Ambient;
  readonly logger: Logger;
}): Verifiers {
  const { below, store, ambient, logger } = options;
  const bounds = { maxPayload: FRAME_BOUNDS.upBytesMax, closeTimeout: CLOSE_MAX_MS }; // the latter is not in the types yet
  const server = new WebSocketServer({
    ...bounds,
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL, // offered, or it was refused before
  });

  async function findToken(digest: string): Promise<AccessToken> {
    const token = await store.findToken(digest);
    if (token?.kind !== "verifier") throw new Failure("invalid_token", "The token is not valid.");
    return token;
  }

  function begin(socket: WebSocket, token: AccessToken, digest: string): void {
    const write = frameWriter<Downward>();
    const read = frameReader(FRAME_BOUNDS.upBytesMax, parseUpward);
    const connection = {
      send(frame: Downward) {
        if (socket.bufferedAmount > BUFFERED_BYTES_MAX) socket.terminate();
        else if (socket.readyState === socket.OPEN) socket.send(write(frame));
      },
      close: () => socket.close(),
    };
    const session = below.open(connection, { id: token.id, digest });
    socket.on("error", () => {}); // a close follows
    socket.on("close", session.closed);
    socket.on("message", (data, isBinary) => {
      try {
        session.receive(read(isBinary ? null : String(data)));
      } catch (err) {
        if (socket.readyState === socket.OPEN)
          logger.warn({ err, verifierToken: token.id }, "a verifier broke the protocol");
        socket.close(POLICY_VIOLATION); // before the session closes it without a word
        session.closed();
      }
    });
    // A token that was deleted before the session was there ends it now; later, its change does.
    findToken(digest).catch(() => {
      session.closed();
      socket.terminate();
    });
    store.recordTokenUsed(token.id, ambient.nowMs()).catch((err: unknown) => {
      logger.error({ err }, "the use of a verifier token could not be written");
    });
  }

  return {
    async upgrade(req, socket, head) {
      if (req.headers.origin !== undefined || req.headers.cookie !== undefined)
        throw new Failure("access_denied", "Verifiers do not run in browsers.");
      const digest = digestToken(expectToken(authorizationOf(req), "vt"));
      if (!offersSubprotocol(req))
        throw new Failure("invalid_request", `The subprotocol must be ${SUBPROTOCOL}.`);
      if (!isHandshake(req))
        throw new Failure("invalid_request", "The WebSocket handshake is not valid.");
      const token = await findToken(digest);
      if (server.clients.size >= VERIFIERS_MAX)
        throw new Failure("service_unavailable", "Too many verifiers are connected.");
      server.handleUpgrade(req, socket, head, (accepted) => begin(accepted, token, digest));
    },
    close() {
      for (const client of server.clients) client.terminate();
    },
  };
}

function authorizationOf(req: IncomingMessage): string | null {
  const headers = req.headersDistinct.authorization ?? [];
  if (headers.length > 1)
    throw new Failure("invalid_request", "There is more than one Authorization header.");
  return headers[0] ?? null;
}

/** What `ws` would refuse itself, in words of its own (RFC 6455, section 4.2.1). */
function isHandshake({ headers }: IncomingMessage): boolean {
  const key = headers["sec-websocket-key"] ?? "";
  return headers["sec-websocket-version"] === "13" && /^[+/0-9A-Za-z]{22}==$/.test(key);
}

function offersSubprotocol(req: IncomingMessage): boolean {
  const offered = req.headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").some((protocol) => protocol.trim() === SUBPROTOCOL);
}
