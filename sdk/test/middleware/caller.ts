import { Agent, type IncomingHttpHeaders, request } from "node:http";

/** What came back from a server. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Call {
  readonly method?: string;
  /** The `Authorization` headers, each on a line of its own. */
  readonly authorization?: readonly string[];
  readonly body?: string;
  readonly userAgent?: string;
  /** Ends the call, and with it the connection. */
  readonly signal?: AbortSignal;
}

/** A caller with connections that it keeps. */
export function createCaller(origin: string, connections = 64) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    call(path: string, { method = "GET", authorization = [], body, userAgent, signal }: Call = {}) {
      const { host } = new URL(origin);
      const headers = ["Host", host, ...authorization.flatMap((line) => ["Authorization", line])];
      if (userAgent !== undefined) headers.push("User-Agent", userAgent);
      if (body !== undefined)
        headers.push("Content-Type", "text/plain", "Content-Length", `${Buffer.byteLength(body)}`);
      return new Promise<Reply>((resolve, reject) => {
        const options = { method, headers, agent, ...(signal === undefined ? {} : { signal }) };
        const req = request(new URL(path, origin), options, (res) => {
          let text = "";
          res.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          res.on("error", reject);
          res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
        });
        req.on("error", reject);
        req.end(body);
      });
    },
    /** Connections that are open now. */
    get connections(): number {
      return [...Object.values(agent.sockets), ...Object.values(agent.freeSockets)].flat().length;
    },
    close: () => agent.destroy(),
  };
}

export type Caller = ReturnType<typeof createCaller>;
