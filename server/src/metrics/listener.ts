import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Logger } from "pino";
import { SettingsError } from "../config.ts";
import { FRONT_BOUNDS } from "../http/front.ts";
import type { Metrics } from "./metrics.ts";

/** Nobody off this machine reads metrics; a collector elsewhere is the operator's to arrange. */
const HOST = "127.0.0.1";

/** A server of metrics that accepts requests. */
export interface MetricsListener {
  /** Where the metrics are, e.g. `http://127.0.0.1:9464/metrics`. */
  readonly url: string;
  /** Ends every connection at once: a scrape is repeated anyway. */
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` on loopback, apart from the API, so that no proxy in front of the API can expose it.
 *
 * @param options.port 0 takes a free one.
 * @throws SettingsError when the port cannot be listened on.
 */
export async function listenForMetrics(options: {
  metrics: Pick<Metrics, "text" | "contentType">;
  port: number;
  logger: Logger;
}): Promise<MetricsListener> {
  const { metrics, logger } = options;
  const server = createServer(
    {
      maxHeaderSize: FRONT_BOUNDS.headerBytesMax,
      headersTimeout: FRONT_BOUNDS.headersTimeoutMs,
      requestTimeout: FRONT_BOUNDS.requestTimeoutMs,
      keepAliveTimeout: FRONT_BOUNDS.keepAliveTimeoutMs,
    },
    (req, res) => {
      answer(metrics, req, res).catch((error: unknown) => {
        logger.error({ err: error }, "the metrics could not be read");
        say(res, 500, "The metrics could not be read.\n");
      });
    },
  );
  server.maxHeadersCount = FRONT_BOUNDS.headerCountMax;
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(notPossible(options.port, error));
    server.once("error", fail);
    server.listen(options.port, HOST, () => {
      server.off("error", fail);
      resolve();
    });
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return {
    url: `http://${HOST}:${port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  metrics: Pick<Metrics, "text" | "contentType">,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const [path] = (req.url ?? "").split("?", 1);
  if (path !== "/metrics") return say(res, 404, "Metrics are at /metrics.\n");
  if (req.method !== "GET") {
    res.setHeader("Allow", "GET");
    return say(res, 405, "This path takes GET.\n");
  }
  const text = await metrics.text();
  res.setHeader("Content-Type", metrics.contentType);
  say(res, 200, text);
}

function say(res: ServerResponse, status: number, text: string): void {
  if (!res.hasHeader("Content-Type")) res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.writeHead(status, {
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  res.end(text);
}

function notPossible(port: number, error: NodeJS.ErrnoException): SettingsError {
  const why =
    error.code === "EADDRINUSE"
      ? `port ${port} on ${HOST} is in use; stop what listens there, or choose another`
      : `port ${port} on ${HOST} cannot be listened on (${error.code ?? error.message})`;
  return new SettingsError([`LATCHKEY_METRICS_PORT: ${why}.`]);
}
