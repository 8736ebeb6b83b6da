import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { type Client, type ClientOptions, createClient } from "@latchkey/sdk/client";

/** A request as the stage heard it. */
export interface HeardRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Resolves when the client has let go of the connection, or has its answer. */
  readonly over: Promise<void>;
}

/** What becomes of a request: an answer, `lost` (the connection dies without one) or `silence`. */
export type Act =
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly json?: unknown;
      readonly text?: string;
      /** The connection dies after this much of it. */
      readonly cutAfter?: number;
    }
  | "lost"
  | "silence";

/** The answer of a server that works. */
export const FINE = { status: 200, json: { id: "key_1" } } satisfies Act;

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** A server that answers by script, the last act for ever, and a client whose time the test holds. */
export async function openStage() {
  const requests: HeardRequest[] = [];
  const heard: (() => void)[] = [];
  let acts: readonly Act[] = [FINE];
  const server = createServer(async (request, response) => {
    const act = acts[requests.length] ?? acts.at(-1) ?? FINE;
    const over = new Promise<void>((resolve) => response.once("close", resolve));
    const { method = "", url = "", headers } = request;
    requests.push({ method, url, headers, body: await bodyOf(request), over });
    for (const resolve of heard.splice(0)) resolve();
    play(act, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port is free");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    requests,
    /** Begins anew with this script. */
    script(...next: Act[]) {
      requests.length = 0;
      acts = next;
    },
    /** Resolves when so many requests were heard. */
    async hasHeard(count: number) {
      while (requests.length < count) await new Promise<void>((resolve) => heard.push(resolve));
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}

function play(act: Act, response: ServerResponse): void {
  if (act === "silence") return;
  if (act === "lost") return void response.destroy();
  const text = act.text ?? JSON.stringify(act.json ?? {});
  const type = act.text === undefined ? "application/json" : "text/html";
  response.writeHead(act.status, { "Content-Type": type, ...act.headers });
  if (act.cutAfter === undefined) return void response.end(text);
  response.write(text.slice(0, act.cutAfter), () => response.destroy());
}

/** A client whose pauses pass at once and are written down, and whose time is up when the test says so. */
export function patientClient(options: ClientOptions): {
  readonly client: Client;
  readonly pausesMs: number[];
  /** How long each call was given. */
  readonly limitsMs: number[];
  readonly chance: { random: number };
  /** From now on pauses do not end. Resolves when one has begun. */
  holdPauses(): Promise<void>;
  timeIsUp(): void;
} {
  const pausesMs: number[] = [];
  const limitsMs: number[] = [];
  const chance = { random: 0.5 };
  let monoMs = 1_000;
  let ids = 0;
  let held: (() => void) | undefined;
  let timeIsUp: (() => void) | undefined;
  const client = createClient({
    ...options,
    ambient: {
      nowMs: () => Date.UTC(2026, 0, 31, 9, 30),
      monoMs: () => monoMs,
      random: () => chance.random,
      randomId: () => `made-${++ids}`,
      after(ms, task) {
        if (timeIsUp === undefined) {
          limitsMs.push(ms);
          timeIsUp = task;
          return () => {
            timeIsUp = undefined;
          };
        }
        pausesMs.push(ms);
        monoMs += ms;
        if (held === undefined) queueMicrotask(task);
        else held();
        return () => {};
      },
    },
  });
  return {
    client,
    pausesMs,
    limitsMs,
    chance,
    holdPauses: () =>
      new Promise<void>((resolve) => {
        held = resolve;
      }),
    timeIsUp: () => timeIsUp?.(),
  };
}
