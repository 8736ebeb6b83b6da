import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { type Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild, waitFor } from "./child.ts";
import { freePort } from "./real-server.ts";

/** The reverse proxies that an example of ours is for. */
export type ProxyKind = "nginx" | "caddy";

/** A reverse proxy that runs an example file, with nothing but addresses changed. */
export interface RunningProxy extends Child {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /** Everything that it has logged so far, in files and on its output. */
  logs(): Promise<string>;
}

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const EXAMPLE_OF = { nginx: "nginx.conf", caddy: "Caddyfile" } as const;

/** Where the program of a proxy is, or `undefined` when it is not installed; Debian keeps nginx in /usr/sbin. */
export function findProxy(kind: ProxyKind): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, kind)).find((path) => existsSync(path));
}

/**
 * Starts a proxy in the foreground, with pid, logs and temporary files inside `folder`, and waits until it answers.
 *
 * @param ports Where Latchkey and the API listen on loopback.
 */
export async function startProxy(
  kind: ProxyKind,
  ports: { latchkey: number; api: number },
  folder: string,
): Promise<RunningProxy> {
  const binary = findProxy(kind);
  if (binary === undefined) throw new Error(`${kind} is not installed`);
  const port = await freePort();
  const example = await readFile(join(EXAMPLES, EXAMPLE_OF[kind]), "utf8");
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "example.conf"),
    substitute(example, {
      "127.0.0.1:4400": `127.0.0.1:${ports.latchkey}`,
      "127.0.0.1:3000": `127.0.0.1:${ports.api}`,
      "127.0.0.1:8080": `127.0.0.1:${port}`,
    }),
  );
  const child = await START[kind](binary, folder);
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitFor(`${kind} to listen`, async () => {
      if (child.hasEnded()) return "ended";
      await fetch(url, { signal: AbortSignal.timeout(5_000) });
      return "listening";
    });
    if (child.hasEnded()) throw new Error(`${kind} ended`);
  } catch (cause) {
    await child.end("SIGKILL");
    throw new Error(`${kind} did not start:\n${await logsOf(child, folder)}`, { cause });
  }
  return { ...child, url, port, logs: () => logsOf(child, folder) };
}

const START: Readonly<Record<ProxyKind, (binary: string, folder: string) => Promise<Child>>> = {
  async nginx(binary, folder) {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `  ${name}_temp_path ${folder}/${name};\n`)
      .join("");
    // As root, workers would become another user, who may not enter a temporary folder.
    const user = process.getuid?.() === 0 ? "user root root;\n" : "";
    await writeFile(
      join(folder, "nginx.conf"),
      `${user}daemon off;\nworker_processes 1;\npid ${folder}/nginx.pid;\nerror_log ${folder}/error.log warn;\n` +
        `events { worker_connections 512; }\n` +
        `http {\n  access_log ${folder}/access.log;\n${temporary}  include ${folder}/example.conf;\n}\n`,
    );
    const args = ["-p", folder, "-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`];
    return startChild(binary, args, { env: { PATH: process.env.PATH } });
  },
  async caddy(binary, folder) {
    await writeFile(
      join(folder, "Caddyfile"),
      `{\n\tadmin off\n\tauto_https off\n}\nimport ${folder}/example.conf\n`,
    );
    const args = ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
    return startChild(binary, args, {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        XDG_DATA_HOME: folder,
        XDG_CONFIG_HOME: folder,
      },
    });
  },
};

function substitute(text: string, replacements: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(replacements)) {
    if (result.split(from).length !== 2) throw new Error(`the example names ${from} not once`);
    result = result.replace(from, to);
  }
  return result;
}

async function logsOf(child: Child, folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".log"));
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return [child.stdout(), child.stderr(), ...files].join("\n");
}

/** An answer, with its body read to the end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Sends one request. `headers` is a flat list of names and values, so that a name can stand there twice. */
export function ask(
  url: string,
  options: { method?: string; headers?: string[]; body?: string; agent?: Agent } = {},
): Promise<Answer> {
  const { method = "GET", headers = [], body, agent } = options;
  const { host } = new URL(url);
  const length = body === undefined ? [] : ["Content-Length", String(Buffer.byteLength(body))];
  return new Promise((resolve, reject) => {
    const req = request(url, {
      method,
      headers: ["Host", host, ...headers, ...length],
      ...(agent === undefined ? { agent: false } : { agent }),
      timeout: 15_000,
    });
    req.once("timeout", () => req.destroy(new Error(`no answer from ${url}`)));
    req.once("error", reject);
    req.once("response", (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("error", reject);
      res.once("end", () =>
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          rawHeaders: res.rawHeaders,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    req.end(body);
  });
}

/**
 * Sends bytes that an HTTP client would refuse to send, and reads until the connection ends.
 *
 * @returns The status, 0 when the connection was closed without an answer, and all the text.
 */
export function askRaw(port: number, bytes: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    let text = "";
    socket.setEncoding("latin1");
    socket.setTimeout(15_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.once("close", () =>
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text }),
    );
  });
}

/** Stands between a proxy and the API, and remembers every byte that the API was sent. */
export interface Tap {
  readonly port: number;
  /** What was sent since the last call, as Latin-1. */
  take(): string;
  close(): Promise<void>;
}

/** Starts a {@link Tap} that passes everything on to `target`, a port of loopback. */
export async function startTap(target: number): Promise<Tap> {
  let seen = "";
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    near.on("data", (bytes) => {
      seen += bytes.toString("latin1");
    });
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return {
    port: address.port,
    take() {
      const taken = seen;
      seen = "";
      return taken;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
