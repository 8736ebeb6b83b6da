import {
  createServer,
  IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Failure } from "@latchkey/sdk/core";
import type { ClientAddress } from "./address.ts";
import { AUTHENTICATE_PATH, type Authenticate } from "./authenticate.ts";
import { problemOf } from "./problem.ts";
import { VERIFIER_PATH, type Verifiers } from "./verifiers.ts";

/** What the server in front knows of a request and the framework behind it is told. */
export interface HttpBindings {
  readonly requestId: string;
  /** The caller's, as far as trusted proxies tell. */
  readonly address: string;
  readonly userAgent: string | null;
}

export interface FrontOptions {
  readonly authenticate: Authenticate;
  /** Serves everything else. */
  readonly app: { fetch(request: Request, env: HttpBindings): Response | Promise<Response> };
  /** Takes over the connections of verifiers; rejects with a Failure for those that it does not. */
  readonly verifiers: Pick<Verifiers, "upgrade">;
  readonly clientAddress: ClientAddress;
  requestId(): string;
}

/** The bounds of a connection; see docs/architecture.md for the table of all bounds. */
export const FRONT_BOUNDS = {
  headerBytesMax: 16 * 1024,
  headerCountMax: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  /** Longer than the idle time-outs of usual load balancers (60 s), so that they close first. */
  keepAliveTimeoutMs: 65_000,
  userAgentCharactersMax: 256,
  /** How long a connection that was refused may stay open at the caller's end. */
  lingerMs: 2_000,
  /** How long a shutdown waits for requests under way. */
  drainMs: 10_000,
} as const;

/** The HTTP server: see {@link createFront}. */
export interface Front {
  listen(host: string, port: number): Promise<AddressInfo>;
  /** Stops accepting, finishes requests under way, at most for {@link FRONT_BOUNDS}.drainMs. */
  close(): Promise<void>;
}

/**
 * The node:http server in front of everything: gives each request its id, answers the hot route itself, and hands the
 * rest to the framework. An incoming request id is ignored: ours are unguessable and prove that we refused.
 */
export function createFront(options: FrontOptions): Front {
  const { authenticate, app, clientAddress, requestId } = options;
  const contexts = new WeakMap<IncomingMessage, string>();
  const listener = getRequestListener(
    (request, { incoming }) => {
      if (!(incoming instanceof IncomingMessage)) throw new Error("only HTTP/1.1 is served");
      return app.fetch(request, {
        requestId: contexts.get(incoming) ?? requestId(),
        address: clientAddress(
          incoming.socket.remoteAddress,
          incoming.headersDistinct["x-forwarded-for"]?.join(","),
        ),
        userAgent: printable(incoming.headers["user-agent"]),
      });
    },
    {
      overrideGlobalObjects: false,
      errorHandler: (error) => {
        throw error;
      },
    },
  );
  const server = createServer(
    {
      maxHeaderSize: FRONT_BOUNDS.headerBytesMax,
      headersTimeout: FRONT_BOUNDS.headersTimeoutMs,
      requestTimeout: FRONT_BOUNDS.requestTimeoutMs,
      keepAliveTimeout: FRONT_BOUNDS.keepAliveTimeoutMs,
      requireHostHeader: false, // the framework refuses a request without one, with a flat body
    },
    (req, res) => {
      const id = requestId();
      if (!server.listening) res.shouldKeepAlive = false; // it stops: a busy connection would never be idle
      if (isHot(req.url)) return authenticate(req, res, id);
      contexts.set(req, id);
      listener(req, res).catch((error: unknown) => answerPlainly(res, error, id));
    },
  );
  server.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!asksForVerifier(req)) {
      serveAnyhow(server, req, socket, head);
      return;
    }
    socket.on("error", () => socket.destroy());
    options.verifiers
      .upgrade(req, socket, head)
      .catch((error: unknown) => refuseConnection(error, socket, requestId()));
  });
  server.maxHeadersCount = FRONT_BOUNDS.headerCountMax;
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === "ECONNRESET") socket.destroy();
    else refuseConnection(unreadable(error), socket, requestId());
  });
  return {
    listen: (host, port) => listen(server, host, port),
    close: () => close(server),
  };
}

function isHot(url: string | undefined): boolean {
  if (url === undefined || !url.startsWith(AUTHENTICATE_PATH)) return false;
  const next = url.charCodeAt(AUTHENTICATE_PATH.length);
  return Number.isNaN(next) || next === 63; // the end, or "?"
}

/** What a request that never reached the framework is told, e.g. one whose URL cannot be parsed. */
function answerPlainly(res: ServerResponse, error: unknown, requestId: string): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const cause =
    error instanceof Failure
      ? error
      : new Failure("invalid_request", "The request cannot be read.");
  const { status, headers, body } = problemOf(cause, requestId);
  const text = JSON.stringify(body);
  res.writeHead(status, {
    ...headers,
    "X-Request-Id": requestId,
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
  });
  res.end(text);
}

function pathOf(url: string | undefined): string | undefined {
  return url?.split("?", 1)[0];
}

function asksForVerifier(req: IncomingMessage): boolean {
  const upgrade = req.headers.upgrade?.toLowerCase();
  return req.method === "GET" && pathOf(req.url) === VERIFIER_PATH && upgrade === "websocket";
}

/**
 * Who offers another protocol need not get it (RFC 9110, section 7.8). Node hands the connection over before it has
 * read the body, so the request is put back without its offer, and read again.
 */
function serveAnyhow(server: Server, req: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = req;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() !== "upgrade")
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  const start = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  socket.unshift(Buffer.concat([start, head]));
  server.emit("connection", socket);
}

/** What is wrong with bytes that are no HTTP, or break its bounds. */
function unreadable(error: NodeJS.ErrnoException): Failure {
  if (error.code === "HPE_HEADER_OVERFLOW")
    return new Failure("header_too_large", "The headers of the request are too large.");
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new Failure("request_timeout", "The request did not arrive in time.");
  return new Failure("invalid_request", "The request is not valid HTTP.");
}

/** A flat error on a connection that no framework serves; then it ends, whether or not the caller closes its end. */
function refuseConnection(error: unknown, socket: Socket, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = problemOf(error, requestId);
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    "X-Request-Id": requestId,
    "X-Latchkey-Code": body.code,
    "X-Latchkey-Message": body.message,
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    Connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${text}`);
  const force = setTimeout(() => socket.destroy(), FRONT_BOUNDS.lingerMs);
  socket.once("close", () => clearTimeout(force));
  socket.resume(); // what still arrives is not looked at; its end is
}

/** A User-Agent as it may stand in an audit event. */
function printable(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.slice(0, FRONT_BOUNDS.userAgentCharactersMax).replace(/[^\x20-\x7e]/g, "?");
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no TCP address"));
      else resolve(address);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), FRONT_BOUNDS.drainMs);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
